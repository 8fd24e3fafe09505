#include "sync/remote/crypt_eme.h"

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <new>
#include <vector>

namespace shoebox {
namespace {

using Block = std::array<uint8_t, kEmeBlockBytes>;

// AES-256 on single blocks.
class Aes {
 public:
  Aes(const unsigned char* key, bool encrypt) : context_(::EVP_CIPHER_CTX_new(), ::EVP_CIPHER_CTX_free) {
    if (!context_ || ::EVP_CipherInit_ex(context_.get(), ::EVP_aes_256_ecb(), nullptr, key, nullptr,
                                         encrypt ? 1 : 0) != 1) {
      throw std::bad_alloc();
    }
    ::EVP_CIPHER_CTX_set_padding(context_.get(), 0);
  }
  void transform(Block& block) const {
    Block out;
    int size = 0;
    if (::EVP_CipherUpdate(context_.get(), out.data(), &size, block.data(), kEmeBlockBytes) != 1) {
      throw std::bad_alloc();
    }
    block = out;
  }

 private:
  std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> context_;
};

void add(Block& to, const Block& what) {
  for (size_t i = 0; i < to.size(); ++i) to[i] ^= what[i];
}

// Doubling in GF(2^128), low byte first.
void twice(Block& block) {
  uint8_t carry = 0;
  for (uint8_t& byte : block) {
    const uint8_t out = byte >> 7;
    byte = static_cast<uint8_t>(byte << 1 | carry);
    carry = out;
  }
  if (carry != 0) block[0] ^= 0x87;
}

}  // namespace

void eme_transform(const CryptKeys& keys, bool encrypt, std::string& text) {
  const size_t count = text.size() / kEmeBlockBytes;
  std::vector<Block> blocks(count);
  for (size_t j = 0; j < count; ++j) {
    std::copy_n(text.data() + j * kEmeBlockBytes, kEmeBlockBytes, reinterpret_cast<char*>(blocks[j].data()));
  }
  Block tweak;
  std::copy_n(keys.name_tweak(), kEmeBlockBytes, tweak.data());

  // 2L, 4L, 8L, …: L is always made by enciphering.
  std::vector<Block> masks(count);
  Block mask{};
  Aes(keys.name_key(), true).transform(mask);
  for (Block& one : masks) {
    twice(mask);
    one = mask;
  }

  const Aes aes(keys.name_key(), encrypt);
  for (size_t j = 0; j < count; ++j) {
    add(blocks[j], masks[j]);
    aes.transform(blocks[j]);
  }
  Block sum = tweak;  // MP
  for (const Block& block : blocks) add(sum, block);
  Block mixed = sum;  // MC
  aes.transform(mixed);
  Block spread = sum;  // M
  add(spread, mixed);
  Block first = tweak;
  add(first, mixed);
  for (size_t j = 1; j < count; ++j) {
    twice(spread);
    add(blocks[j], spread);
    add(first, blocks[j]);
  }
  blocks[0] = first;
  for (size_t j = 0; j < count; ++j) {
    aes.transform(blocks[j]);
    add(blocks[j], masks[j]);
    std::copy_n(reinterpret_cast<const char*>(blocks[j].data()), kEmeBlockBytes,
                text.data() + j * kEmeBlockBytes);
  }
}

}  // namespace shoebox
