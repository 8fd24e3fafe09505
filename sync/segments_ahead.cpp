#include "sync/segments_ahead.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <system_error>

namespace shoebox {

SegmentsAhead::SegmentsAhead(std::vector<backup::Segment> wanted, Fetch fetch, size_t at_once)
    : wanted_(std::move(wanted)), fetch_(std::move(fetch)), at_once_(std::max<size_t>(1, at_once)) {
  const size_t threads = std::min(at_once_, wanted_.size());
  for (size_t i = 0; i < threads; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error&) {
      if (i == 0) throw;
      break;  // those that run do it
    }
  }
}

SegmentsAhead::~SegmentsAhead() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool SegmentsAhead::may_begin() const {
  const backup::Segment& segment = wanted_[begun_];
  if (under_way_.contains(segment.sha256.hex())) return false;
  if (begun_ == taken_) return true;  // somebody waits for it, however large it is
  return begun_ < taken_ + at_once_ && bytes_ahead_ + segment.bytes <= kMostBytesAhead;
}

Status SegmentsAhead::allowed() const {
  const MutexLock lock(mutex_);
  return stopping_ ? Status(Code::kCancelled, "not wanted any more") : Status::ok();
}

void SegmentsAhead::work() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "segments");
  MutexLock lock(mutex_);
  for (;;) {
    changed_.wait(mutex_, [&]() NO_THREAD_SAFETY_ANALYSIS {
      return stopping_ || begun_ == wanted_.size() || may_begin();
    });
    if (stopping_ || begun_ == wanted_.size()) return;
    const size_t index = begun_++;
    const backup::Segment& segment = wanted_[index];
    bytes_ahead_ += segment.bytes;
    under_way_.insert(segment.sha256.hex());
    mutex_.unlock();
    Result<std::string> file = Status(Code::kIo, "out of memory");
    try {
      file = fetch_(segment, [this] { return allowed(); });
    } catch (const std::exception& e) {
      file = Status(Code::kIo, e.what());
    }
    mutex_.lock();
    under_way_.erase(segment.sha256.hex());
    done_.emplace(index, std::move(file));
    changed_.notify_all();
  }
}

Result<std::string> SegmentsAhead::next() NO_THREAD_SAFETY_ANALYSIS {
  const MutexLock lock(mutex_);
  changed_.wait(mutex_, [&]() NO_THREAD_SAFETY_ANALYSIS { return done_.contains(taken_); });
  Result<std::string> file = std::move(done_.at(taken_));
  done_.erase(taken_);
  bytes_ahead_ -= wanted_[taken_].bytes;
  ++taken_;
  changed_.notify_all();
  return file;
}

}  // namespace shoebox
