#include "sync/remote/pace.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "sync/remote/checks.h"

namespace shoebox {
namespace {

// What an idle line may make up for: the thread that sends wakes up a little late each time.
constexpr std::chrono::milliseconds kBurst{100};
constexpr uint64_t kPiecesPerS = 20;
constexpr uint64_t kLeastPiece = 512;           // less is mostly headers
constexpr uint64_t kMostPiece = 256 * 1024;     // what a transfer reads from its file at once
constexpr std::chrono::milliseconds kLook{20};  // a raised CancelToken is seen this late

std::chrono::nanoseconds time_of(uint64_t bytes, uint64_t bytes_s) {
  // In two steps: nanoseconds of many gigabytes at a crawl do not fit otherwise.
  return std::chrono::seconds(bytes / bytes_s) +
         std::chrono::nanoseconds(
             static_cast<int64_t>(static_cast<double>(bytes % bytes_s) * 1e9 / static_cast<double>(bytes_s)));
}

}  // namespace

Pace::Pace(const Clock& clock, uint64_t bytes_s)
    : Pace(clock, BandwidthPlan{.bytes_s = std::max<uint64_t>(1, bytes_s), .spans = {}}) {}

Pace::Pace(const Clock& clock, BandwidthPlan plan) : clock_(clock), plan_(std::move(plan)) {}

uint64_t Pace::bytes_s() const {
  return plan_.spans.empty() ? plan_.bytes_s : plan_.at(local_minute_of_day(clock_.now().seconds));
}

size_t Pace::piece() const {
  const uint64_t limit = bytes_s();
  return limit == 0 ? kMostPiece : std::clamp(limit / kPiecesPerS, kLeastPiece, kMostPiece);
}

Clock::Steady Pace::reserve(uint64_t bytes) {
  const Clock::Steady now = clock_.steady();
  const uint64_t limit = bytes_s();
  const MutexLock lock(mutex_);
  if (limit == 0) {
    free_at_ = Clock::Steady::min();  // what was reserved at another time of day holds nobody up
    return now;
  }
  const Clock::Steady begin = std::max(free_at_, now - kBurst);
  free_at_ = begin + time_of(bytes, limit);
  return begin;
}

bool Pace::holding() const {
  const Clock::Steady now = clock_.steady();
  const MutexLock lock(mutex_);
  return free_at_ > now;
}

Status Pace::wait(uint64_t bytes, const RequestContext& context, const std::function<void()>& still_waiting) {
  const Clock::Steady when = reserve(bytes);
  for (;;) {
    SHOEBOX_TRY(check_wanted(context));
    const std::chrono::nanoseconds left = left_until(when);
    if (left.count() <= 0) return Status::ok();
    std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(left, kLook));
    if (still_waiting) still_waiting();
  }
}

}  // namespace shoebox
