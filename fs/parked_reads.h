// Reads that wait for bytes from a remote: how many there may be, and what of them was refused.
//
// The kernel keeps at most max_background reads of its read-ahead in flight and queues the others,
// local ones too. So the number of those that wait is capped well below. A read that is refused is
// no loss: read-ahead that failed is asked again, page by page and outside of that limit, when
// somebody really wants the bytes; then it has been refused before, and waits.
//
// Threads: any.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>

#include "store/base/ids.h"
#include "store/base/mutex.h"

namespace shoebox {

inline constexpr unsigned kMaxBackground = 256;
inline constexpr int kMaxParkedReads = 192;

class ParkedReads {
 public:
  // Counts one more; false when that is more than may wait (it is counted all the same).
  bool enter() { return count_.fetch_add(1, std::memory_order_relaxed) < kMaxParkedReads; }
  void leave() { count_.fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] int count() const { return count_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int> count_{0};
};

// The last few ranges that one open file was refused.
class RefusedReads {
 public:
  void add(ByteRange range);
  // Part of it was refused before: this one is wanted.
  [[nodiscard]] bool touches(ByteRange range) const;

 private:
  mutable Mutex mutex_;
  std::array<ByteRange, 8> ranges_ GUARDED_BY(mutex_);  // kernel read-ahead keeps two or three in flight
  size_t next_ GUARDED_BY(mutex_) = 0;
};

}  // namespace shoebox
