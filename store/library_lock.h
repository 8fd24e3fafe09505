// LIBRARY/lock: one process at a time. A flock, so that it goes with the process however that
// ends; the pid written into it is only for the second comer: for its message, and so that it
// waits for a process that says that it is ending.
#pragma once

#include <functional>
#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

class LibraryLock {
 public:
  // Whether a library that is in use is worth waiting for; asked again and again.
  using WorthWaiting = std::function<bool(const std::string& library)>;

  // Waits for a holder that said that it is ending, and for any while `worth_waiting` says so, for half a
  // minute at most; then kBusy, which names its pid. On a disk that cannot be written a missing lock file is
  // no error: nobody else can write there either. REQUIRES: the process does not fork afterwards and go on in
  // the parent too, as both would hold the lock.
  static Result<LibraryLock> take(const std::string& library, bool read_only,
                                  const WorthWaiting& worth_waiting = nullptr);
  // Whoever comes now waits: it will not be long.
  void mark_ending();

 private:
  explicit LibraryLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace shoebox
