// Stops a runaway deletion: trashing more than a share of the photos (and at least 1,000) within
// 10 minutes is refused until somebody says `shoebox trash allow`.
//
// Owned by Tree. Thread-safe. Counts since the mount only: a breaker is no lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"

namespace shoebox {

class TrashBreaker {
 public:
  static constexpr std::chrono::minutes kWindow{10};
  static constexpr uint64_t kAtLeast = 1000;

  // Counts `photos` that are about to be trashed, or says kQuota. `count_photos` is asked only when
  // the window holds kAtLeast: it walks the catalog.
  Status admit(uint64_t photos, uint32_t percent, Clock::Steady now,
               const std::function<Result<uint64_t>()>& count_photos);
  void allow(Clock::Steady now);

 private:
  struct Burst {
    Clock::Steady at;
    uint64_t photos = 0;
  };
  Mutex mutex_;
  std::deque<Burst> bursts_ GUARDED_BY(mutex_);  // one a second at most
  uint64_t in_window_ GUARDED_BY(mutex_) = 0;
  uint64_t limit_ GUARDED_BY(mutex_) = 0;  // as counted when the window began; 0: not counted
  Clock::Steady allowed_until_ GUARDED_BY(mutex_){};
};

}  // namespace shoebox
