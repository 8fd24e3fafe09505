// Where bytes come from that are not on this disk. The store declares it, sync implements it.
#pragma once

#include <functional>

#include "store/base/cancel.h"
#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class ContentSource {
 public:
  virtual ~ContentSource() = default;

  // Brings the blocks that cover `range` into the content store (ContentStore::store_block, which
  // verifies each) and then calls `done`, once, on any thread, possibly before this returns.
  // Never blocks. Identical ranges are fetched once. Fails with kTimeout within 30 s, at once
  // with kUnavailable when the remotes are known to be offline, with kDataLoss when no remote
  // has the right bytes, with kCancelled when `cancel` was raised first.
  virtual void fetch(ContentNo content, ByteRange range, CancelToken cancel,
                     std::function<void(Status)> done) = 0;
  // A read found `range` of a content here that is here in parts: what follows may be brought in time. Called
  // for each such read; never blocks.
  virtual void found(ContentNo content, ByteRange range) = 0;
};

// What is fetched for its own sake is asked for in pieces of this size, each of which has the 30 s for
// itself: in time even on a line of 3 Mbit/s.
inline constexpr uint64_t kFetchPieceBytes = 8 << 20;

// As fetch(), and waits for the answer: for threads that may wait for the network.
Status fetch_and_wait(ContentSource& source, ContentNo content, ByteRange range, const CancelToken& cancel);
// All of a content of `size` bytes so, piece by piece. ContentStore::settle_fetched() makes an object of it.
Status fetch_pieces_and_wait(ContentSource& source, ContentNo content, uint64_t size,
                             const CancelToken& cancel);

}  // namespace shoebox
