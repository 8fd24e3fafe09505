#include "sync/readahead.h"

#include <algorithm>

namespace shoebox {

ByteRange Readahead::plan(ByteRange wanted, uint64_t size) {
  const auto align_down = [](uint64_t at) { return at / kBlockBytes * kBlockBytes; };
  const auto align_up = [](uint64_t at) { return (at + kBlockBytes - 1) / kBlockBytes * kBlockBytes; };
  if (size <= kWholeBytes) return {0, size};
  wanted.begin = align_down(wanted.begin);
  wanted.end = std::min(size, align_up(wanted.end));
  const bool inside = wanted.begin >= last_.begin && wanted.end <= last_.end;
  if (inside && (!sequential_ || wanted.begin < last_.begin + last_.size() / 4)) return wanted;
  const bool goes_on =
      !last_.empty() && wanted.begin >= last_.begin && wanted.begin <= last_.end + kBlockBytes;
  if (!goes_on) {
    sequential_ = false;
    // Past the head, which is always here: whoever reads that far reads on, mostly.
    window_ = last_.empty() && wanted.begin == 0 ? kFirstWindowBytes : kLeastWindowBytes;
    last_ = {wanted.begin, std::min(size, std::max(wanted.end, wanted.begin + window_))};
    return last_;
  }
  // Some way into what is on its way, or at its end: the next window is asked for before that one has come.
  sequential_ = true;
  window_ = std::min(window_ * kGrowth, kMostWindowBytes);
  const uint64_t next = std::max(last_.end, wanted.begin);
  last_ = {next, std::min(size, std::max(wanted.end, next + window_))};
  return {wanted.begin, last_.end};
}

}  // namespace shoebox
