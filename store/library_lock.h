// LIBRARY/lock: one process at a time. A flock, so that it goes with the process however that
// ends; the pid written into it is only for the message to the second comer.
#pragma once

#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

class LibraryLock {
 public:
  // kBusy names the holder's pid. On a disk that cannot be written a missing lock file is no
  // error: nobody else can write there either. REQUIRES: the process does not fork afterwards and
  // go on in the parent too, as both would hold the lock.
  static Result<LibraryLock> take(const std::string& library, bool read_only);

 private:
  explicit LibraryLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace shoebox
