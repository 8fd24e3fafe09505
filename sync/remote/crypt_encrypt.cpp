#include "sync/remote/crypt_encrypt.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/hash.h"
#include "sync/remote/checks.h"

namespace shoebox {
namespace {

constexpr uint64_t kBlocksAPiece = 16;  // 1 MiB: few system calls, and a cancel is soon noticed

}  // namespace

Result<EncryptedFile> encrypt_file(const CryptKeys& keys, const CryptNonce& nonce, int fd,
                                   const PutOptions& options, const std::string& key,
                                   const CryptScratch& scratch, const RequestContext& context) {
  EncryptedFile out;
  out.size = crypt_sealed_size(options.size);
  SHOEBOX_ASSIGN(out.fd, scratch.make(out.size));
  Sha256 plain_hash;
  Sha256 sealed_hash;
  std::string plain(std::min<uint64_t>(options.size, kBlocksAPiece * kCryptPlainBlock), '\0');
  std::string sealed = crypt_header(nonce);
  uint64_t at = 0;
  uint64_t written = 0;
  uint64_t block = 0;
  for (;;) {
    sealed_hash.update(sealed.data(), sealed.size());
    SHOEBOX_TRY(pwrite_full(out.fd.get(), sealed.data(), sealed.size(), written));
    written += sealed.size();
    if (at == options.size) break;
    SHOEBOX_TRY(check_wanted(context));
    const size_t want = std::min<uint64_t>(plain.size(), options.size - at);
    SHOEBOX_ASSIGN(const size_t got, pread_full(fd, plain.data(), want, at));
    if (got < want) {
      return Status(Code::kDataLoss,
                    fmt::format("{}: source ends after {} of {} bytes", key, at + got, options.size));
    }
    plain_hash.update(plain.data(), want);
    sealed.clear();
    for (size_t begin = 0; begin < want; begin += kCryptPlainBlock) {
      crypt_seal(keys, nonce, block++,
                 std::string_view(plain).substr(0, want).substr(begin, kCryptPlainBlock), sealed);
    }
    at += want;
  }
  if (plain_hash.finish() != options.sha256) {
    return Status(Code::kDataLoss, key + ": the local bytes are not those whose hash was recorded");
  }
  out.sha256 = sealed_hash.finish();
  return out;
}

}  // namespace shoebox
