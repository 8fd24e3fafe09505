#include "sync/policy.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {

std::string held_by_policy(const UploadPolicy& policy, const Surroundings& around, int minute,
                           bool asked_for) {
  if (!policy.on_metered && around.metered) return "the connection is metered";
  if (asked_for) return {};
  if (!policy.on_battery && around.on_battery) return "on battery";
  if (policy.manual) return "manual: run shoebox backup now";
  const bool open = policy.hours.empty() ||
                    std::any_of(policy.hours.begin(), policy.hours.end(),
                                [minute](const HourWindow& window) { return window.contains(minute); });
  if (open) return {};
  std::string windows;
  for (const HourWindow& window : policy.hours) windows += (windows.empty() ? "" : ", ") + hours_text(window);
  return "outside of " + windows;
}

std::string kept_back(const UploadPolicy& policy, MediaKind kind, uint64_t size, uint64_t video_bytes_there) {
  if (kind != MediaKind::kVideo) return {};
  if (policy.photos_only) return "videos are not sent there";
  if (policy.video_quota_bytes &&
      (size > *policy.video_quota_bytes || video_bytes_there > *policy.video_quota_bytes - size)) {
    return "the quota for videos is full";
  }
  return {};
}

}  // namespace shoebox
