// The bytes of an encrypted object, as rclone's crypt writes them:
//
//   "RCLONE\0\0"  24 bytes of nonce  then for each 64 KiB of the original: 16 bytes of tag, the bytes
//
// Each block is a NaCl secretbox (XSalsa20, Poly1305) under the nonce plus the number of the block, added
// as a little-endian number. An empty original is the header alone.
//
// Pure functions; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/crypt_keys.h"

namespace shoebox {

inline constexpr uint64_t kCryptHeaderBytes = 32;
inline constexpr uint64_t kCryptTagBytes = 16;
inline constexpr uint64_t kCryptPlainBlock = 64 * 1024;  // of the original
inline constexpr uint64_t kCryptSealedBlock = kCryptTagBytes + kCryptPlainBlock;

// Bytes of the object that holds so many of the original.
uint64_t crypt_sealed_size(uint64_t plain_bytes);
// The reverse; nothing for a size that no such object has.
std::optional<uint64_t> crypt_plain_size(uint64_t sealed_bytes);

struct CryptNonce {
  std::array<unsigned char, 24> bytes{};
  auto operator<=>(const CryptNonce&) const = default;

  static CryptNonce random();
  // That of one block.
  [[nodiscard]] CryptNonce of_block(uint64_t index) const;
  [[nodiscard]] std::string hex() const;
  static std::optional<CryptNonce> from_hex(std::string_view text);
};

std::string crypt_header(const CryptNonce& nonce);
// kDataLoss: not the header of an encrypted file.
Result<CryptNonce> parse_crypt_header(std::string_view header);

// Appends the sealed block to `out`. REQUIRES: 1 to 64 KiB of plain bytes.
void crypt_seal(const CryptKeys& keys, const CryptNonce& nonce, uint64_t index, std::string_view plain,
                std::string& out);
// The bytes of a sealed block; nothing when they are not those that were sealed as this block.
std::optional<std::string> crypt_open(const CryptKeys& keys, const CryptNonce& nonce, uint64_t index,
                                      std::string_view sealed);

}  // namespace shoebox
