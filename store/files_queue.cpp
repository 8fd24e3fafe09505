#include "store/files_queue.h"

#include <pthread.h>

namespace shoebox {

SealQueue::SealQueue(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

SealQueue::~SealQueue() { stop(); }

void SealQueue::post(std::chrono::milliseconds delay, std::function<void()> job) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    jobs_.emplace(std::chrono::steady_clock::now() + delay, std::move(job));
  }
  changed_.notify_all();
}

void SealQueue::drain() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex_);
  ++drains_;
  changed_.notify_all();
  changed_.wait(mutex_, [this]() REQUIRES(mutex_) { return stopping_ || (jobs_.empty() && running_ == 0); });
  --drains_;
}

bool SealQueue::draining() const {
  MutexLock lock(mutex_);
  return drains_ > 0 || stopping_;
}

size_t SealQueue::pending() const {
  MutexLock lock(mutex_);
  return jobs_.size() + running_;
}

void SealQueue::stop() {
  std::multimap<Time, std::function<void()>> dropped;  // destroyed without the lock
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    dropped.swap(jobs_);
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void SealQueue::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "sealer");
  mutex_.lock();
  while (!stopping_) {
    if (jobs_.empty()) {
      changed_.wait(mutex_);
      continue;
    }
    const auto first = jobs_.begin();
    if (drains_ == 0 && first->first > std::chrono::steady_clock::now()) {
      const Time due = first->first;  // the job may be gone when the wait ends
      changed_.wait_until(mutex_, due);
      continue;
    }
    std::function<void()> job = std::move(first->second);
    jobs_.erase(first);
    ++running_;
    mutex_.unlock();
    job();
    job = nullptr;
    mutex_.lock();
    --running_;
    changed_.notify_all();
  }
  mutex_.unlock();
}

}  // namespace shoebox
