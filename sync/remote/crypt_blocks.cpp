#include "sync/remote/crypt_blocks.h"

#include <sodium.h>

#include "store/base/hash.h"

namespace shoebox {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kMagic = "RCLONE\0\0"sv;

static_assert(crypto_secretbox_KEYBYTES == CryptKeys::kDataKeyBytes);
static_assert(crypto_secretbox_MACBYTES == kCryptTagBytes);
static_assert(crypto_secretbox_NONCEBYTES == sizeof(CryptNonce::bytes));
static_assert(kMagic.size() + sizeof(CryptNonce::bytes) == kCryptHeaderBytes);

}  // namespace

uint64_t crypt_sealed_size(uint64_t plain_bytes) {
  const uint64_t blocks = (plain_bytes + kCryptPlainBlock - 1) / kCryptPlainBlock;
  return kCryptHeaderBytes + blocks * kCryptTagBytes + plain_bytes;
}

std::optional<uint64_t> crypt_plain_size(uint64_t sealed_bytes) {
  if (sealed_bytes < kCryptHeaderBytes) return std::nullopt;
  const uint64_t whole = (sealed_bytes - kCryptHeaderBytes) / kCryptSealedBlock;
  const uint64_t rest = (sealed_bytes - kCryptHeaderBytes) % kCryptSealedBlock;
  if (rest != 0 && rest <= kCryptTagBytes) return std::nullopt;
  return whole * kCryptPlainBlock + (rest == 0 ? 0 : rest - kCryptTagBytes);
}

CryptNonce CryptNonce::random() {
  CryptNonce nonce;
  ::randombytes_buf(nonce.bytes.data(), nonce.bytes.size());
  return nonce;
}

CryptNonce CryptNonce::of_block(uint64_t index) const {
  CryptNonce nonce = *this;
  uint64_t carry = 0;
  for (unsigned char& byte : nonce.bytes) {
    carry += byte + (index & 255U);
    byte = static_cast<unsigned char>(carry & 255U);
    carry >>= 8;
    index >>= 8;
  }
  return nonce;
}

std::string CryptNonce::hex() const {
  return shoebox::hex(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

std::optional<CryptNonce> CryptNonce::from_hex(std::string_view text) {
  CryptNonce nonce;
  size_t size = 0;
  if (text.size() != nonce.bytes.size() * 2 ||
      ::sodium_hex2bin(nonce.bytes.data(), nonce.bytes.size(), text.data(), text.size(), nullptr, &size,
                       nullptr) != 0 ||
      size != nonce.bytes.size()) {
    return std::nullopt;
  }
  return nonce;
}

std::string crypt_header(const CryptNonce& nonce) {
  return std::string(kMagic).append(reinterpret_cast<const char*>(nonce.bytes.data()), nonce.bytes.size());
}

Result<CryptNonce> parse_crypt_header(std::string_view header) {
  if (header.size() != kCryptHeaderBytes || !header.starts_with(kMagic)) {
    return Status(Code::kDataLoss, "it does not begin as an encrypted file does");
  }
  CryptNonce nonce;
  std::copy_n(octets(header) + kMagic.size(), nonce.bytes.size(), nonce.bytes.data());
  return nonce;
}

void crypt_seal(const CryptKeys& keys, const CryptNonce& nonce, uint64_t index, std::string_view plain,
                std::string& out) {
  const size_t at = out.size();
  out.resize(at + kCryptTagBytes + plain.size());
  ::crypto_secretbox_easy(reinterpret_cast<unsigned char*>(out.data()) + at, octets(plain), plain.size(),
                          nonce.of_block(index).bytes.data(), keys.data_key());
}

std::optional<std::string> crypt_open(const CryptKeys& keys, const CryptNonce& nonce, uint64_t index,
                                      std::string_view sealed) {
  if (sealed.size() <= kCryptTagBytes || sealed.size() > kCryptSealedBlock) return std::nullopt;
  std::string plain(sealed.size() - kCryptTagBytes, '\0');
  if (::crypto_secretbox_open_easy(reinterpret_cast<unsigned char*>(plain.data()), octets(sealed),
                                   sealed.size(), nonce.of_block(index).bytes.data(), keys.data_key()) != 0) {
    return std::nullopt;
  }
  return plain;
}

}  // namespace shoebox
