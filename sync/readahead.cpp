#include "sync/readahead.h"

#include <algorithm>

namespace shoebox {

namespace {

uint64_t align_down(uint64_t at) { return at / kBlockBytes * kBlockBytes; }

}  // namespace

ByteRange Readahead::plan_small(ByteRange wanted, uint64_t size, bool under_way) {
  const uint64_t begin = align_down(wanted.begin);
  if (!stream_.empty() && begin < stream_.begin) {
    stream_ = {0, size};  // backwards: not a request for each step
  } else if (stream_.empty() || !under_way) {
    stream_ = {begin, size};
  }
  return stream_;
}

// The stream goes on with a larger window; what is left of the one that is being read stays a part of it.
ByteRange Readahead::next_window(ByteRange wanted) {
  sequential_ = true;
  window_ = std::min(window_ * kGrowth, kMostWindowBytes);
  const uint64_t next = std::max(stream_.end, wanted.begin);
  const uint64_t behind = wanted.begin - std::min(wanted.begin, kBehindBytes);
  stream_ = {std::max(stream_.begin, behind), std::min(size_, std::max(wanted.end, next + window_))};
  mark_ = next + (stream_.end - next) / 4;
  return {next, stream_.end};
}

ByteRange Readahead::plan(ByteRange wanted, uint64_t size, bool under_way) {
  const auto align_up = [](uint64_t at) { return (at + kBlockBytes - 1) / kBlockBytes * kBlockBytes; };
  size_ = size;
  if (size <= kWholeBytes) return plan_small(wanted, size, under_way);
  wanted.begin = align_down(wanted.begin);
  wanted.end = std::min(size, align_up(wanted.end));
  const bool goes_on =
      !stream_.empty() && wanted.begin >= stream_.begin && wanted.begin <= stream_.end + kBlockBytes;
  if (!goes_on) {
    sequential_ = false;
    // Past the head, which is always here: whoever reads that far reads on, mostly.
    window_ = stream_.empty() && wanted.begin == 0 ? kFirstWindowBytes : kLeastWindowBytes;
    stream_ = {wanted.begin, std::min(size, std::max(wanted.end, wanted.begin + window_))};
    mark_ = stream_.end;
    return stream_;
  }
  if (wanted.end <= stream_.end && wanted.begin < mark_) return wanted;
  // Some way into what is on its way, or at its end: the next window is asked for before that one has come.
  return {wanted.begin, next_window(wanted).end};
}

ByteRange Readahead::plan_ahead(ByteRange found) {
  if (!wants_more(found)) return {};
  return next_window({align_down(found.begin), found.end});
}

}  // namespace shoebox
