// Fetches the segments of a backup, several at a time, and gives them in their order: one at a time they cost
// a way to the remote and back each.
//
// What is fetched and not taken yet is bounded in number and bytes. Used by one thread; has threads of its
// own.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/catalog/backup_head.h"

namespace shoebox {

class SegmentsAhead {
 public:
  static constexpr size_t kAtOnce = 4;
  static constexpr uint64_t kMostBytesAhead = 32 << 20;  // segments are cut at some megabytes

  // Fetches one; on any of several threads, but never one of the same bytes twice at once. It ends early
  // when `allowed` gives an error.
  using Fetch =
      std::function<Result<std::string>(const backup::Segment&, const std::function<Status()>& allowed)>;
  SegmentsAhead(std::vector<backup::Segment> wanted, Fetch fetch, size_t at_once = kAtOnce);
  ~SegmentsAhead();  // breaks off what is on its way
  SegmentsAhead(const SegmentsAhead&) = delete;
  SegmentsAhead& operator=(const SegmentsAhead&) = delete;

  // The next one, or why it could not be had; those behind it come all the same.
  // REQUIRES: it was called less often than there are segments.
  Result<std::string> next();

 private:
  void work();
  [[nodiscard]] bool may_begin() const REQUIRES(mutex_);
  [[nodiscard]] Status allowed() const EXCLUDES(mutex_);

  const std::vector<backup::Segment> wanted_;
  const Fetch fetch_;
  const size_t at_once_;
  mutable Mutex mutex_;  // leaf
  ConditionVariable changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  size_t begun_ GUARDED_BY(mutex_) = 0;
  size_t taken_ GUARDED_BY(mutex_) = 0;
  uint64_t bytes_ahead_ GUARDED_BY(mutex_) = 0;         // begun and not taken
  std::set<std::string> under_way_ GUARDED_BY(mutex_);  // by their hashes
  std::map<size_t, Result<std::string>> done_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace shoebox
