#include "fs/parked_reads.h"

namespace shoebox {

void RefusedReads::add(ByteRange range) {
  MutexLock lock(mutex_);
  ranges_[next_] = range;
  next_ = (next_ + 1) % ranges_.size();
}

bool RefusedReads::touches(ByteRange range) const {
  MutexLock lock(mutex_);
  for (const ByteRange& refused : ranges_) {
    if (range.begin < refused.end && refused.begin < range.end) return true;
  }
  return false;
}

}  // namespace shoebox
