#include "sync/remote/digests.h"

#include <openssl/evp.h>

#include <memory>

#include "store/base/file_io.h"
#include "sync/remote/checks.h"

namespace shoebox {
Md5::Md5() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_md5(), nullptr);
}
Md5::~Md5() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }
void Md5::update(const void* data, size_t bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), data, bytes);
}
std::string Md5::finish() {
  unsigned char out[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out, &length);
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_md5(), nullptr);
  return {reinterpret_cast<const char*>(out), length};
}

std::string md5(std::string_view bytes) {
  Md5 hash;
  hash.update(bytes.data(), bytes.size());
  return hash.finish();
}

BodyDigests digest_bytes(std::string_view bytes) { return {sha256(bytes), md5(bytes)}; }

Result<BodyDigests> digest_range(int fd, ByteRange range, Sha256* whole, const RequestContext& context) {
  constexpr size_t kPieceBytes = 256 * 1024;
  const auto buffer = std::make_unique<char[]>(kPieceBytes);
  Sha256 sha;
  Md5 md;
  for (uint64_t at = range.begin; at < range.end;) {
    SHOEBOX_TRY(check_wanted(context));
    SHOEBOX_ASSIGN(const size_t got,
                   pread_full(fd, buffer.get(), std::min<uint64_t>(kPieceBytes, range.end - at), at));
    if (got == 0) return Status(Code::kDataLoss, "the local file is shorter than recorded");
    sha.update(buffer.get(), got);
    md.update(buffer.get(), got);
    if (whole != nullptr) whole->update(buffer.get(), got);
    at += got;
  }
  return BodyDigests{sha.finish(), md.finish()};
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // and the NUL that OpenSSL adds
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<size_t>(length));
  return out;
}

}  // namespace shoebox
