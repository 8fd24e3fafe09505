// A directory that somebody reads: a list of its names as they were when reading began.
//
// Names come in the order of a hash of them, and the hash is the offset that telldir(3) tells. So
// an offset means the same in every handle and after every change: what stood there all the time is
// listed once, whatever comes and goes meanwhile, and though the kernel mixes its cache of one
// handle's listing with the reading of another.
//
// Owned by Filesystem. Threads: any; the list is replaced, never changed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/ids.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class Tree;

// One name and the offset at which reading goes on behind it.
struct DirectoryRow {
  int64_t offset = 0;
  InodeNo inode;
  uint32_t type = 0;  // S_IFMT bits
  std::string name;
};

// "." and ".." have the first offsets, names the others.
inline constexpr int64_t kDotOffset = 1;
inline constexpr int64_t kDotDotOffset = 2;
inline constexpr int64_t kFirstNameOffset = 16;

class OpenDirectory {
 public:
  using Rows = std::vector<DirectoryRow>;
  OpenDirectory(InodeNo inode, InodeRecord when_opened)
      : inode_(inode), when_opened_(std::move(when_opened)) {}
  [[nodiscard]] InodeNo inode() const { return inode_; }
  // What fstat answers once the folder is removed, but for its link count.
  [[nodiscard]] const InodeRecord& when_opened() const { return when_opened_; }

  // The list; made anew when reading starts at the beginning (rewinddir shows what is new).
  Result<std::shared_ptr<const Rows>> rows(const Tree& tree, int64_t from_offset);
  // Position in `rows` of the first name behind `offset`.
  static size_t position_after(const Rows& rows, int64_t offset);
  // Gives each its offset and puts them in order. For rows() and tests.
  static void number_and_sort(Rows& rows);

 private:
  const InodeNo inode_;
  const InodeRecord when_opened_;
  Mutex mutex_;
  std::shared_ptr<const Rows> rows_ GUARDED_BY(mutex_);  // shared: replaced while others read it
};

}  // namespace shoebox
