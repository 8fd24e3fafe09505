#include "sync/kept_answer.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

using std::chrono::seconds;

constexpr Clock::Steady kStart{seconds(1'000)};

TEST(KeptAnswer, WhereNobodyEverAnsweredItIsNo) {
  KeptAnswer answer;
  EXPECT_FALSE(answer.note(Asked::kAbsent, kStart));
  EXPECT_FALSE(answer.note(Asked::kSilent, kStart + seconds(10)));
}

TEST(KeptAnswer, AServiceThatIsRestartedHasNotTakenBackWhatItSaid) {
  KeptAnswer answer;
  EXPECT_TRUE(answer.note(Asked::kYes, kStart));
  EXPECT_TRUE(answer.note(Asked::kAbsent, kStart + seconds(100)));
  EXPECT_TRUE(answer.note(Asked::kAbsent, kStart + seconds(110)));
  EXPECT_TRUE(answer.note(Asked::kYes, kStart + seconds(120)));
  EXPECT_TRUE(answer.note(Asked::kAbsent, kStart + seconds(170)));  // counted from here
  EXPECT_TRUE(answer.note(Asked::kAbsent, kStart + seconds(180)));
  EXPECT_FALSE(answer.note(Asked::kNo, kStart + seconds(190)));
}

TEST(KeptAnswer, ANetworkManagerThatDoesNotKnowYetHasNotTakenBackWhatItSaid) {
  KeptAnswer answer;
  EXPECT_TRUE(answer.note(metered(1), kStart));
  EXPECT_TRUE(answer.note(metered(0), kStart + seconds(10)));
  EXPECT_TRUE(answer.note(metered(3), kStart + seconds(20)));
  EXPECT_FALSE(answer.note(metered(4), kStart + seconds(30)));
  EXPECT_FALSE(answer.note(metered(0), kStart + seconds(40)));
  EXPECT_TRUE(answer.note(metered(1), kStart + seconds(50)));
  EXPECT_FALSE(answer.note(metered(2), kStart + seconds(60)));
}

TEST(KeptAnswer, OneThatIsGoneForGoodHoldsNothing) {
  KeptAnswer answer;
  EXPECT_TRUE(answer.note(Asked::kYes, kStart));
  EXPECT_TRUE(answer.note(Asked::kAbsent, kStart + seconds(10)));
  EXPECT_FALSE(answer.note(Asked::kAbsent, kStart + seconds(10) + KeptAnswer::kKept));
  EXPECT_FALSE(answer.note(Asked::kSilent, kStart + seconds(100)));
}

TEST(KeptAnswer, OneThatHangsGoesOnSayingWhatItSaid) {
  KeptAnswer answer;
  EXPECT_TRUE(answer.note(Asked::kYes, kStart));
  EXPECT_TRUE(answer.note(Asked::kSilent, kStart + seconds(10'000)));
}

}  // namespace
}  // namespace shoebox
