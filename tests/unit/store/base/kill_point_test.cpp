#include "store/base/kill_point.h"

#include <gtest/gtest.h>

#include <csignal>
#include <set>

namespace shoebox {
namespace {

TEST(KillPoint, NothingHappensUnlessItIsAskedFor) {
  ASSERT_TRUE(arm_kill_point(nullptr));
  ASSERT_TRUE(arm_kill_point(""));
  kill_point("staging-synced");
}

TEST(KillPoint, TheProcessDiesAtThePassageThatWasAskedFor) {
  EXPECT_EXIT(
      {
        (void)arm_kill_point("tidy-copied:2");
        kill_point("staging-synced");
        kill_point("tidy-copied");
        std::fputs("once\n", stderr);
        kill_point("tidy-copied");
        std::fputs("twice\n", stderr);
      },
      ::testing::KilledBySignal(SIGKILL), "once\nkilled at tidy-copied\n$");
}

TEST(KillPoint, WhatIsNoPointIsRefused) {
  for (const char* wrong :
       {"no-such-point", "tidy-copied:", "tidy-copied:0", "tidy-copied:x", "tidy-copied:1x"}) {
    EXPECT_EQ(arm_kill_point(wrong).code(), Code::kInvalid) << wrong;
  }
  kill_point("tidy-copied");
}

TEST(KillPoint, NamesAreThereOnceAndTellWhatStands) {
  std::set<std::string_view> names;
  for (const KillPoint& point : kKillPoints) {
    EXPECT_TRUE(names.insert(point.name).second) << point.name;
    EXPECT_FALSE(point.done.empty() || point.next.empty()) << point.name;
  }
}

}  // namespace
}  // namespace shoebox
