// SHA-256: running hashes, and the block hashes by which fetched bytes are verified.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

ContentHash sha256(std::string_view bytes);
std::string hex(std::string_view bytes);
// Reads 64 hex digits; nothing else is a hash.
Result<ContentHash> parse_hash(std::string_view text);

// A SHA-256 that is fed piece by piece. Not thread-safe.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void update(const void* data, size_t bytes);
  // The hash so far; the object starts anew.
  ContentHash finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Hash of the whole and of each kBlockBytes block, in one pass. Not thread-safe.
struct ContentHashes {
  ContentHash whole;
  std::vector<ContentHash> blocks;  // ceil(size / kBlockBytes)
  uint64_t size = 0;
  uint64_t disk_bytes = 0;  // what the file occupies; 0: not known
};
class BlockHasher {
 public:
  void update(const void* data, size_t bytes);
  [[nodiscard]] uint64_t size() const { return size_; }
  ContentHashes finish();

 private:
  Sha256 whole_;
  Sha256 block_;
  std::vector<ContentHash> blocks_;
  uint64_t size_ = 0;
};

// Reads the whole file behind `fd` once.
Result<ContentHashes> hash_file(int fd);

}  // namespace shoebox
