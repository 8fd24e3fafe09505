// How much of a content to fetch when a read misses: of a small one everything from there on, of a large one
// a window that grows while reads are sequential, the next one being asked for before they reach it.
//
// One per content; owned and locked by Fetcher.
#pragma once

#include "store/base/ids.h"

namespace shoebox {

class Readahead {
 public:
  // A photo: one request for all of it costs less than two for parts. But nobody who reads its middle waits
  // for what stands before that: this is asked for when something of it is read.
  static constexpr uint64_t kWholeBytes = 8 << 20;
  static constexpr uint64_t kLeastWindowBytes = 256 << 10;
  static constexpr uint64_t kFirstWindowBytes = 1 << 20;  // of a read that begins at the beginning
  static constexpr uint64_t kMostWindowBytes = 16 << 20;  // 20 ms of a fast line several times over
  static constexpr uint64_t kBehindBytes = 2 << 20;       // reads of one stream arrive out of order
  static constexpr uint64_t kGrowth = 4;                  // each step costs the way to the remote and back

  // The range to bring for a missed read of `wanted` in a content of `size` bytes: block-aligned,
  // covers `wanted`, ends at the end of the content at the latest. `under_way`: something of the content is
  // being fetched.
  ByteRange plan(ByteRange wanted, uint64_t size, bool under_way);

  // The range to bring because `found`, which was here, is being read: empty but for a sequential reader who
  // is about to reach the end of what was asked for. Without it, a line as fast as the reader would stand
  // idle at each window's end.
  ByteRange plan_ahead(ByteRange found);
  // Whether that would be something.
  [[nodiscard]] bool wants_more(ByteRange found) const {
    return sequential_ && found.begin >= mark_ && found.begin < stream_.end && stream_.end < size_;
  }
  // Of the content, as last told to plan().
  [[nodiscard]] uint64_t size() const { return size_; }

 private:
  ByteRange plan_small(ByteRange wanted, uint64_t size, bool under_way);
  ByteRange next_window(ByteRange wanted);

  uint64_t size_ = 0;
  uint64_t window_ = kLeastWindowBytes;
  ByteRange
      stream_;  // where reads count as sequential: from the window that is being read to the last asked for
  uint64_t mark_ = 0;        // a sequential read from there on asks for the next window
  bool sequential_ = false;  // some read went on where a window ended
};

}  // namespace shoebox
