#include "store/tree/trash_breaker.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {

Status TrashBreaker::admit(uint64_t photos, uint32_t percent, Clock::Steady now,
                           const std::function<Result<uint64_t>()>& count_photos) {
  if (percent == 0) return Status::ok();
  const MutexLock lock(mutex_);
  if (now < allowed_until_) return Status::ok();
  while (!bursts_.empty() && now - bursts_.front().at > kWindow) {
    in_window_ -= bursts_.front().photos;
    bursts_.pop_front();
    limit_ = 0;
  }
  if (in_window_ + photos > kAtLeast) {
    if (limit_ == 0) {
      SHOEBOX_ASSIGN(const uint64_t total, count_photos());
      limit_ = std::max(kAtLeast, (total + in_window_) * percent / 100);
    }
    if (in_window_ + photos > limit_)
      return Status(
          Code::kQuota,
          fmt::format("trash: more than {} photos within {} minutes; `shoebox trash allow` lifts this",
                      limit_, kWindow.count()));
  }
  in_window_ += photos;
  if (!bursts_.empty() && now - bursts_.back().at < std::chrono::seconds(1))
    bursts_.back().photos += photos;
  else
    bursts_.push_back({now, photos});
  return Status::ok();
}

void TrashBreaker::allow(Clock::Steady now) {
  const MutexLock lock(mutex_);
  allowed_until_ = now + kWindow;
  bursts_.clear();
  in_window_ = 0;
  limit_ = 0;
}

}  // namespace shoebox
