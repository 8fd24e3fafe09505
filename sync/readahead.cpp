#include "sync/readahead.h"

#include <algorithm>

namespace shoebox {

namespace {

uint64_t align_down(uint64_t at) { return at / kBlockBytes * kBlockBytes; }

}  // namespace

ByteRange Readahead::plan_small(ByteRange wanted, uint64_t size, bool under_way) {
  const uint64_t begin = align_down(wanted.begin);
  if (!last_.empty() && begin < last_.begin) {
    last_ = {0, size};  // backwards: not a request for each step
  } else if (last_.empty() || !under_way) {
    last_ = {begin, size};
  }
  return last_;
}

ByteRange Readahead::plan(ByteRange wanted, uint64_t size, bool under_way) {
  const auto align_up = [](uint64_t at) { return (at + kBlockBytes - 1) / kBlockBytes * kBlockBytes; };
  if (size <= kWholeBytes) return plan_small(wanted, size, under_way);
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
