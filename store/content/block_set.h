// Which 4 KiB pages of a content are on this disk, and the bitmap file in which that is kept.
//
// Pages, not blocks: the head and tail that eviction keeps are parts of 256 KiB blocks, and the
// kernel asks for whole pages. A value without locks; owned by whoever holds it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class BlockSet {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  explicit BlockSet(uint64_t size = 0);

  [[nodiscard]] uint64_t size() const { return size_; }
  // Marks the pages that lie wholly in `range`; the last page of the content may be short.
  void add(ByteRange range);
  // Unmarks every page that `range` touches.
  void remove(ByteRange range);
  [[nodiscard]] bool contains(ByteRange range) const;
  [[nodiscard]] bool complete() const { return present_ == pages_; }
  // The parts of `range` that are not there, in whole pages, joined and in order.
  [[nodiscard]] std::vector<ByteRange> missing(ByteRange range) const;
  // The same in whole blocks, which is what can be verified and so fetched.
  [[nodiscard]] std::vector<ByteRange> missing_blocks(ByteRange range) const;
  [[nodiscard]] uint64_t bytes() const;  // that are there

  // The file N.blocks; LAYOUT.md describes it. A damaged one is kDataLoss.
  [[nodiscard]] std::string encode() const;
  static Result<BlockSet> decode(std::string_view file, uint64_t expected_size);

 private:
  [[nodiscard]] bool test(uint64_t page) const { return (bits_[page / 8] >> (page % 8)) & 1; }

  uint64_t size_ = 0;
  uint64_t pages_ = 0;
  uint64_t present_ = 0;
  std::string bits_;
};

// Number of blocks of a content of `size` bytes, and the bytes of block `index`.
uint64_t block_count(uint64_t size);
ByteRange block_range(uint64_t index, uint64_t size);

}  // namespace shoebox
