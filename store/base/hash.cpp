#include "store/base/hash.h"

#include <openssl/evp.h>

#include <algorithm>

#include "store/base/file_io.h"

namespace shoebox {

struct Sha256::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { restart(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_MD_CTX_free(context); }
  void restart() const { EVP_DigestInit_ex(context, EVP_sha256(), nullptr); }
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(const void* data, size_t bytes) { EVP_DigestUpdate(state_->context, data, bytes); }

ContentHash Sha256::finish() {
  ContentHash hash;
  unsigned int length = 0;
  EVP_DigestFinal_ex(state_->context, hash.bytes.data(), &length);
  state_->restart();
  return hash;
}

ContentHash sha256(std::string_view bytes) {
  ContentHash hash;
  unsigned int length = 0;
  EVP_Digest(bytes.data(), bytes.size(), hash.bytes.data(), &length, EVP_sha256(), nullptr);
  return hash;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

std::string ContentHash::hex() const { return shoebox::hex(view()); }

Result<ContentHash> parse_hash(std::string_view text) {
  const auto digit = [](char c) -> int {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  ContentHash hash;
  if (text.size() != 64) return Status(Code::kInvalid, "a SHA-256 has 64 hex digits");
  for (size_t i = 0; i < hash.bytes.size(); ++i) {
    const int high = digit(text[2 * i]);
    const int low = digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return Status(Code::kInvalid, "a SHA-256 has only hex digits");
    hash.bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return hash;
}

void BlockHasher::update(const void* data, size_t bytes) {
  const auto* position = static_cast<const char*>(data);
  whole_.update(position, bytes);
  while (bytes > 0) {
    const size_t step = std::min<uint64_t>(bytes, kBlockBytes - size_ % kBlockBytes);
    block_.update(position, step);
    position += step;
    bytes -= step;
    size_ += step;
    if (size_ % kBlockBytes == 0) blocks_.push_back(block_.finish());
  }
}

ContentHashes BlockHasher::finish() {
  if (size_ % kBlockBytes != 0) blocks_.push_back(block_.finish());
  ContentHashes hashes{whole_.finish(), std::move(blocks_), size_, 0};
  blocks_.clear();
  size_ = 0;
  return hashes;
}

Result<ContentHashes> hash_file(int fd) {
  BlockHasher hasher;
  std::vector<char> buffer(kBlockBytes);
  for (;;) {
    SHOEBOX_ASSIGN(const size_t n, pread_full(fd, buffer.data(), buffer.size(), hasher.size()));
    hasher.update(buffer.data(), n);
    if (n < buffer.size()) return hasher.finish();
  }
}

}  // namespace shoebox
