#include "store/base/worker_queue.h"

#include <pthread.h>

namespace shoebox {

WorkerQueue::WorkerQueue(std::string name, size_t threads) : name_(std::move(name)) {
  threads_.reserve(threads);
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerQueue::~WorkerQueue() { stop(); }

void WorkerQueue::post(Job job) {
  {
    MutexLock lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_all();
}

void WorkerQueue::stop() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void WorkerQueue::drain() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex_);
  changed_.wait(mutex_, [this]() REQUIRES(mutex_) { return stopping_ || (jobs_.empty() && running_ == 0); });
}

size_t WorkerQueue::pending() const {
  MutexLock lock(mutex_);
  return jobs_.size() + running_;
}

void WorkerQueue::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
  mutex_.lock();
  for (;;) {
    changed_.wait(mutex_, [this]() REQUIRES(mutex_) { return stopping_ || !jobs_.empty(); });
    if (stopping_) break;
    Job job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    mutex_.unlock();
    job();
    job = nullptr;  // what it captured goes before the job counts as done
    mutex_.lock();
    --running_;
    changed_.notify_all();
  }
  mutex_.unlock();
}

}  // namespace shoebox
