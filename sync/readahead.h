// How much of a content to fetch when a read misses: of a small one everything from there on, of a large one
// a window that grows while the misses are sequential.
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
  static constexpr uint64_t kGrowth = 4;                  // each step costs the way to the remote and back

  // The range to bring for a missed read of `wanted` in a content of `size` bytes: block-aligned,
  // covers `wanted`, ends at the end of the content at the latest. `under_way`: something of the content is
  // being fetched.
  ByteRange plan(ByteRange wanted, uint64_t size, bool under_way);

 private:
  ByteRange plan_small(ByteRange wanted, uint64_t size, bool under_way);

  uint64_t window_ = kLeastWindowBytes;
  ByteRange last_;           // the window planned before
  bool sequential_ = false;  // some read went on where a window ended
};

}  // namespace shoebox
