#include "store/tree/trash_breaker.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

class TrashBreakerTest : public testing::Test {
 protected:
  Status admit(uint64_t photos, uint64_t minute) {
    return breaker_.admit(photos, 10, at(minute), [this] { return Result<uint64_t>(photos_); });
  }
  static Clock::Steady at(uint64_t minute) {
    return Clock::Steady{std::chrono::hours(1) + std::chrono::minutes(minute)};
  }
  TrashBreaker breaker_;
  uint64_t photos_ = 50'000;
};

TEST_F(TrashBreakerTest, LetsATenthGoWithinTenMinutes) {
  EXPECT_TRUE(admit(4'999, 0));
  EXPECT_EQ(admit(700, 1).code(), Code::kQuota);
  EXPECT_TRUE(admit(1, 1));
}

TEST_F(TrashBreakerTest, LetsAThousandGoHoweverFewThereAre) {
  photos_ = 10;
  EXPECT_TRUE(admit(1'000, 0));
  EXPECT_EQ(admit(1, 0).code(), Code::kQuota);
}

TEST_F(TrashBreakerTest, ForgetsWhatWasLongAgo) {
  EXPECT_TRUE(admit(5'000, 0));
  EXPECT_EQ(admit(5'000, 9).code(), Code::kQuota);
  EXPECT_TRUE(admit(5'000, 11));
}

TEST_F(TrashBreakerTest, IsLiftedForTenMinutes) {
  EXPECT_TRUE(admit(5'000, 0));
  breaker_.allow(at(1));
  EXPECT_TRUE(admit(40'000, 2));
  EXPECT_TRUE(admit(5'000, 12));
  EXPECT_EQ(admit(5'000, 12).code(), Code::kQuota);
}

TEST_F(TrashBreakerTest, CanBeSwitchedOff) {
  EXPECT_TRUE(breaker_.admit(1'000'000, 0, at(0), [] { return Result<uint64_t>(10); }));
}

}  // namespace
}  // namespace shoebox
