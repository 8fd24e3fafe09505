// A few threads that run jobs in the order they came. Stops by finishing the job at hand and
// dropping the rest: what must not be lost stands in the catalog, not here.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "store/base/mutex.h"

namespace shoebox {

class WorkerQueue {
 public:
  using Job = std::function<void()>;
  WorkerQueue(std::string name, size_t threads);
  ~WorkerQueue();  // stop()
  WorkerQueue(const WorkerQueue&) = delete;
  WorkerQueue& operator=(const WorkerQueue&) = delete;

  // Thread-safe. Dropped after stop().
  void post(Job job);
  // Waits for running jobs; queued ones are dropped. Idempotent; not from a job.
  void stop();
  // Waits until nothing is queued or running. For tests and orderly ends.
  void drain();
  [[nodiscard]] size_t pending() const;

 private:
  void run();

  std::string name_;
  mutable Mutex mutex_;
  ConditionVariable changed_;
  std::deque<Job> jobs_ GUARDED_BY(mutex_);
  size_t running_ GUARDED_BY(mutex_) = 0;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace shoebox
