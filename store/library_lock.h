// LIBRARY/lock: one process at a time. A flock, so that it goes with the process however that
// ends; the pid written into it is only for the second comer: for its message, and so that it
// waits for a process that says that it is ending.
#pragma once

#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

class LibraryLock {
 public:
  // kBusy names the holder's pid; of one that is ending, after some 20 s. On a disk that cannot be written a
  // missing lock file is no error: nobody else can write there either. REQUIRES: the process does not fork
  // afterwards and go on in the parent too, as both would hold the lock.
  static Result<LibraryLock> take(const std::string& library, bool read_only);
  // Whoever comes now waits: it will not be long.
  void mark_ending();

 private:
  explicit LibraryLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace shoebox
