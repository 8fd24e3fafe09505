#include "sync/readahead.h"

#include <algorithm>

namespace shoebox {

ByteRange Readahead::plan(ByteRange wanted, uint64_t size) {
  const auto align_down = [](uint64_t at) { return at / kBlockBytes * kBlockBytes; };
  const auto align_up = [](uint64_t at) { return (at + kBlockBytes - 1) / kBlockBytes * kBlockBytes; };
  if (size <= kWholeBytes) return {0, size};
  wanted.begin = align_down(wanted.begin);
  if (!last_.empty() && wanted.begin >= last_.begin && wanted.begin < last_.end) {
    // Inside what is on its way already: the kernel asks out of order. Nothing is known anew.
  } else if (!last_.empty() && wanted.begin >= last_.end && wanted.begin <= last_.end + kBlockBytes) {
    window_ = std::min(window_ * 2, kMostWindowBytes);
  } else {
    window_ = kLeastWindowBytes;
  }
  ByteRange planned;
  planned.begin = wanted.begin;
  planned.end = std::min(size, std::max(align_up(wanted.end), wanted.begin + window_));
  last_ = {std::min(planned.begin, planned.end), planned.end};
  return planned;
}

}  // namespace shoebox
