// Which inodes the kernel reads by itself: for each that is open, whether it does and through which
// registered file.
//
// The kernel wants one answer for all handles of an inode at a time: the first open decides, until the last
// close. A second registered file of the same inode, or a handle that is passed through beside one that is
// not, makes the open fail with EIO.
//
// Owned by Filesystem. Threads: any; a leaf mutex.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "store/base/ids.h"
#include "store/base/mutex.h"

namespace shoebox {

class PassthroughTable {
 public:
  // One more handle of `inode`. The id under which the kernel knows the file that it reads; 0: it asks us.
  // Only for the first handle `give` is called, under the mutex: registers the file, <= 0 where that cannot
  // be.
  int enter(InodeNo inode, const std::function<int()>& give);
  // One handle less, after the kernel let go of it. With the last one its file waits for take_idle().
  void leave(InodeNo inode);
  // Files that nobody reads any more; the caller takes them back from the kernel.
  std::vector<int> take_idle();

 private:
  struct Entry {
    int backing_id = 0;
    uint64_t handles = 0;
  };
  Mutex mutex_;
  std::unordered_map<InodeNo, Entry> open_ GUARDED_BY(mutex_);
  std::vector<int> idle_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
