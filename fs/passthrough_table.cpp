#include "fs/passthrough_table.h"

#include <algorithm>
#include <utility>

namespace shoebox {

int PassthroughTable::enter(InodeNo inode, const std::function<int()>& give) {
  const MutexLock lock(mutex_);
  Entry& entry = open_[inode];
  if (entry.handles++ == 0) entry.backing_id = std::max(0, give());
  return entry.backing_id;
}

void PassthroughTable::leave(InodeNo inode) {
  const MutexLock lock(mutex_);
  const auto found = open_.find(inode);
  if (found == open_.end() || --found->second.handles > 0) return;
  if (found->second.backing_id > 0) idle_.push_back(found->second.backing_id);
  open_.erase(found);
}

std::vector<int> PassthroughTable::take_idle() {
  const MutexLock lock(mutex_);
  return std::exchange(idle_, {});
}

}  // namespace shoebox
