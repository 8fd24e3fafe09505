// How fast transfers may go together in one direction: a token bucket over the monotonic clock, in the form
// that gives each asker a time (GCRA). Who asks first goes first, and all ask for small pieces, so that
// transfers share evenly and none waits for long.
//
// The limit may depend on the time of day; where there is none at this time, everything may go at once.
//
// Owned by PacedRemote. Thread-safe; nothing is held while anybody waits.
#pragma once

#include <cstdint>
#include <functional>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/policy_settings.h"

namespace shoebox {

struct RequestContext;

class Pace {
 public:
  // REQUIRES: bytes_s > 0.
  Pace(const Clock& clock, uint64_t bytes_s);
  Pace(const Clock& clock, BandwidthPlan plan);

  // Takes a place for so many bytes (piece() at most, for an even flow) and tells when they may go. What is
  // reserved and not sent is lost to the others.
  [[nodiscard]] Clock::Steady reserve(uint64_t bytes);
  [[nodiscard]] bool is_due(Clock::Steady when) const { return clock_.steady() >= when; }
  [[nodiscard]] std::chrono::nanoseconds left_until(Clock::Steady when) const {
    return when - clock_.steady();
  }
  // reserve(), then blocks until that time. kCancelled or kTimeout as soon as nobody waits any more.
  // `still_waiting` is called now and then meanwhile; may be empty.
  Status wait(uint64_t bytes, const RequestContext& context,
              const std::function<void()>& still_waiting = nullptr);

  // What to ask for at once: a twentieth of a second, within what is sensible for a write.
  [[nodiscard]] size_t piece() const;
  [[nodiscard]] uint64_t bytes_s() const;  // at this time of day; 0: no limit
  [[nodiscard]] uint64_t slowest_bytes_s() const { return plan_.slowest_bytes_s(); }
  // Whether who asks now has to wait.
  [[nodiscard]] bool holding() const;

 private:
  const Clock& clock_;
  const BandwidthPlan plan_;
  mutable Mutex mutex_;                                              // leaf
  Clock::Steady free_at_ GUARDED_BY(mutex_) = Clock::Steady::min();  // all that was reserved is through then
};

// Both directions of a remote; null: no limit.
struct Bandwidth {
  Pace* up = nullptr;
  Pace* down = nullptr;
};

}  // namespace shoebox
