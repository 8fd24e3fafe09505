#include "store/content/block_set.h"

#include <algorithm>
#include <utility>

#include "store/base/coding.h"
#include "store/base/hash.h"

namespace shoebox {
namespace {

constexpr uint32_t kMagic = 0x53425042;  // "SBPB"
constexpr uint8_t kVersion = 1;

uint64_t divide_up(uint64_t value, uint64_t unit) { return value / unit + (value % unit != 0); }

}  // namespace

uint64_t block_count(uint64_t size) { return divide_up(size, kBlockBytes); }

ByteRange block_range(uint64_t index, uint64_t size) {
  const uint64_t begin = std::min(index * kBlockBytes, size);
  return {begin, std::min(begin + kBlockBytes, size)};
}

BlockSet::BlockSet(uint64_t size)
    : size_(size), pages_(divide_up(size, kPageBytes)), bits_(divide_up(pages_, 8), '\0') {}

void BlockSet::add(ByteRange range) {
  const uint64_t first = divide_up(range.begin, kPageBytes);
  const uint64_t last = range.end >= size_ ? pages_ : range.end / kPageBytes;
  for (uint64_t page = first; page < last; ++page) {
    if (test(page)) continue;
    bits_[page / 8] = static_cast<char>(bits_[page / 8] | 1 << (page % 8));
    ++present_;
  }
}

void BlockSet::remove(ByteRange range) {
  if (range.empty()) return;
  const uint64_t last = std::min(divide_up(range.end, kPageBytes), pages_);
  for (uint64_t page = range.begin / kPageBytes; page < last; ++page) {
    if (!test(page)) continue;
    bits_[page / 8] = static_cast<char>(bits_[page / 8] & ~(1 << (page % 8)));
    --present_;
  }
}

bool BlockSet::contains(ByteRange range) const {
  if (complete()) return true;
  range.end = std::min(range.end, size_);
  if (range.empty()) return true;
  const uint64_t last = divide_up(range.end, kPageBytes);
  for (uint64_t page = range.begin / kPageBytes; page < last; ++page) {
    if (!test(page)) return false;
  }
  return true;
}

std::vector<ByteRange> BlockSet::missing(ByteRange range) const {
  std::vector<ByteRange> gaps;
  range.end = std::min(range.end, size_);
  if (range.empty() || complete()) return gaps;
  const uint64_t last = divide_up(range.end, kPageBytes);
  for (uint64_t page = range.begin / kPageBytes; page < last; ++page) {
    if (test(page)) continue;
    const uint64_t begin = page * kPageBytes;
    const uint64_t end = std::min(begin + kPageBytes, size_);
    if (!gaps.empty() && gaps.back().end == begin) {
      gaps.back().end = end;
    } else {
      gaps.push_back({begin, end});
    }
  }
  return gaps;
}

std::vector<ByteRange> BlockSet::missing_blocks(ByteRange range) const {
  std::vector<ByteRange> blocks;
  for (const ByteRange& gap : missing(range)) {
    const ByteRange wide{gap.begin / kBlockBytes * kBlockBytes,
                         std::min(block_count(gap.end) * kBlockBytes, size_)};
    if (!blocks.empty() && wide.begin <= blocks.back().end) {
      blocks.back().end = std::max(blocks.back().end, wide.end);
    } else {
      blocks.push_back(wide);
    }
  }
  return blocks;
}

uint64_t BlockSet::bytes() const {
  uint64_t bytes = present_ * kPageBytes;
  if (pages_ > 0 && test(pages_ - 1)) bytes -= pages_ * kPageBytes - size_;
  return bytes;
}

std::string BlockSet::encode() const {
  std::string file;
  put_be32(file, kMagic);
  put_u8(file, kVersion);
  put_be64(file, size_);
  file += bits_;
  file += sha256(file).view();
  return file;
}

Result<BlockSet> BlockSet::decode(std::string_view file, uint64_t expected_size) {
  constexpr size_t kHashBytes = 32;
  const Status damaged(Code::kDataLoss, "the list of blocks on disk is damaged");
  if (file.size() < kHashBytes) return damaged;
  const std::string_view body = file.substr(0, file.size() - kHashBytes);
  if (sha256(body).view() != file.substr(body.size())) return damaged;
  Decoder decoder(body);
  if (decoder.be32() != kMagic || decoder.u8() != kVersion || decoder.be64() != expected_size) return damaged;
  BlockSet set(expected_size);
  const std::string_view bits = decoder.bytes(set.bits_.size());
  if (!decoder.done()) return damaged;
  set.bits_ = bits;
  for (uint64_t page = 0; page < set.pages_; ++page) set.present_ += set.test(page);
  return set;
}

}  // namespace shoebox
