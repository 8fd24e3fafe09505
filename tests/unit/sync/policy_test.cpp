#include "sync/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shoebox {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kNoon = 12 * 60;

TEST(Policy, WithoutKeysNothingIsHeld) {
  EXPECT_THAT(held_by_policy({}, {.metered = true, .on_battery = true}, kNoon, false), IsEmpty());
  EXPECT_THAT(kept_back({}, MediaKind::kVideo, 1ULL << 40, 1ULL << 40), IsEmpty());
}

TEST(Policy, AMeteredConnectionHoldsEvenWhatWasAskedFor) {
  UploadPolicy policy;
  policy.on_metered = false;
  EXPECT_THAT(held_by_policy(policy, {.metered = true}, kNoon, true), HasSubstr("metered"));
  EXPECT_THAT(held_by_policy(policy, {.metered = false}, kNoon, false), IsEmpty());
}

TEST(Policy, BatteryManualAndHoursHoldUntilAskedFor) {
  UploadPolicy battery;
  battery.on_battery = false;
  UploadPolicy manual;
  manual.manual = true;
  UploadPolicy night;
  night.hours = {{22 * 60, 7 * 60}, {13 * 60, 14 * 60}};
  for (const UploadPolicy& policy : {battery, manual, night}) {
    EXPECT_FALSE(held_by_policy(policy, {.on_battery = true}, kNoon, false).empty());
    EXPECT_THAT(held_by_policy(policy, {.on_battery = true}, kNoon, true), IsEmpty());
  }
  EXPECT_EQ(held_by_policy(night, {}, kNoon, false), "outside of 22:00-07:00, 13:00-14:00");
  EXPECT_THAT(held_by_policy(night, {}, 13 * 60 + 30, false), IsEmpty());
}

TEST(Policy, VideosStayBackWherePhotosOnlyOrTheQuotaIsFull) {
  UploadPolicy photos;
  photos.photos_only = true;
  EXPECT_FALSE(kept_back(photos, MediaKind::kVideo, 1, 0).empty());
  EXPECT_THAT(kept_back(photos, MediaKind::kPhoto, 1, 0), IsEmpty());
  EXPECT_THAT(kept_back(photos, MediaKind::kOther, 1, 0), IsEmpty());
  UploadPolicy quota;
  quota.video_quota_bytes = 100;
  EXPECT_THAT(kept_back(quota, MediaKind::kVideo, 40, 60), IsEmpty());
  EXPECT_FALSE(kept_back(quota, MediaKind::kVideo, 41, 60).empty());
  EXPECT_FALSE(kept_back(quota, MediaKind::kVideo, 101, 0).empty());
  EXPECT_FALSE(kept_back(quota, MediaKind::kVideo, UINT64_MAX, 60).empty());
}

}  // namespace
}  // namespace shoebox
