// Work after the last close: commits of dirty handles and seals. Jobs may wait a little, so that a
// file that is opened and appended to again and again is not sealed, and copied, each time.
//
// Owned by Files. Thread-safe. Stops by finishing the jobs at hand and dropping the rest: what must
// not be lost stands in the catalog.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <thread>
#include <vector>

#include "store/base/mutex.h"

namespace shoebox {

class SealQueue {
 public:
  explicit SealQueue(size_t threads);
  ~SealQueue();
  void post(std::chrono::milliseconds delay, std::function<void()> job);
  // Runs everything now, whatever its delay, and returns when nothing is left.
  void drain();
  void stop();
  [[nodiscard]] bool draining() const;
  [[nodiscard]] size_t pending() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  void run();

  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::multimap<Time, std::function<void()>> jobs_ GUARDED_BY(mutex_);
  size_t running_ GUARDED_BY(mutex_) = 0;
  size_t drains_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace shoebox
