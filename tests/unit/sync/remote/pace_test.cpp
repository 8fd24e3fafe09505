#include "sync/remote/pace.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "sync/remote/remote.h"

namespace shoebox {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// A clock whose hands move by nanoseconds.
class FineClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override { return {now_ns_.load() / 1'000'000'000, 0}; }
  [[nodiscard]] Steady steady() const override { return Steady(std::chrono::nanoseconds(now_ns_.load())); }
  void advance(std::chrono::nanoseconds by) { now_ns_ += by.count(); }

 private:
  std::atomic<int64_t> now_ns_{1'000'000'000'000};
};

constexpr uint64_t kRate = 100'000;

TEST(Pace, OverTimeNoMoreGoesThanTheLimit) {
  FineClock clock;
  Pace pace(clock, kRate);
  uint64_t sent = 0;
  const Clock::Steady begin = clock.steady();
  Clock::Steady due = pace.reserve(pace.piece());
  while (clock.steady() - begin < seconds(60)) {
    if (pace.is_due(due)) {
      sent += pace.piece();
      due = pace.reserve(pace.piece());
    }
    clock.advance(milliseconds(1));
  }
  EXPECT_LE(sent, 61 * kRate);
  EXPECT_GE(sent, 59 * kRate);
}

TEST(Pace, WhatWasNotSentWhileNothingWaitedIsNotMadeUpFor) {
  FineClock clock;
  Pace pace(clock, kRate);
  (void)pace.reserve(1000);
  clock.advance(seconds(3600));
  uint64_t at_once = 0;
  while (pace.is_due(pace.reserve(1000))) at_once += 1000;
  EXPECT_LE(at_once, kRate / 5) << "no more than a fraction of a second's worth goes in one burst";
}

TEST(Pace, WhoAskTogetherShareEvenly) {
  FineClock clock;
  Pace pace(clock, kRate);
  struct Sender {
    Clock::Steady due;
    uint64_t sent = 0;
  };
  std::vector<Sender> senders(3);
  for (Sender& sender : senders) sender.due = pace.reserve(pace.piece());
  for (int tick = 0; tick < 30'000; ++tick, clock.advance(milliseconds(1))) {
    for (Sender& sender : senders) {  // always looked at in the same order
      if (!pace.is_due(sender.due)) continue;
      sender.sent += pace.piece();
      sender.due = pace.reserve(pace.piece());
    }
  }
  for (const Sender& sender : senders) {
    EXPECT_GE(sender.sent, 9 * kRate);
    EXPECT_LE(sender.sent, 11 * kRate);
  }
}

TEST(Pace, PiecesAreSmallAgainstASecond) {
  const SystemClock clock;
  EXPECT_LE(Pace(clock, 2 << 20).piece(), (2U << 20) / 20);
  EXPECT_LE(Pace(clock, 1024).piece(), 1024U);
  EXPECT_GT(Pace(clock, 1024).piece(), 0U);
}

TEST(Pace, TheLimitFollowsTheHours) {
  FineClock clock;
  // From now on for an hour, in whichever zone this machine is.
  const int minute = local_minute_of_day(clock.now().seconds);
  BandwidthPlan plan;
  plan.spans = {{{minute, (minute + 60) % (24 * 60)}, kRate}};
  Pace pace(clock, plan);
  EXPECT_EQ(pace.bytes_s(), kRate);
  EXPECT_LE(pace.piece(), kRate / 20);
  for (int i = 0; i < 3; ++i) (void)pace.reserve(kRate);
  EXPECT_TRUE(pace.holding());
  EXPECT_FALSE(pace.is_due(pace.reserve(1)));
  clock.advance(std::chrono::hours(2));
  EXPECT_EQ(pace.bytes_s(), 0U);
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(pace.is_due(pace.reserve(uint64_t{1} << 40))) << "full speed at night";
  EXPECT_FALSE(pace.holding());
  EXPECT_GT(pace.piece(), kRate);
  clock.advance(std::chrono::hours(22));
  (void)pace.reserve(kRate);
  EXPECT_FALSE(pace.is_due(pace.reserve(1))) << "and the next day as before";
}

TEST(Pace, ItSaysWhetherItHolds) {
  FineClock clock;
  Pace pace(clock, kRate);
  EXPECT_FALSE(pace.holding());
  for (int i = 0; i < 3; ++i) (void)pace.reserve(kRate);
  EXPECT_TRUE(pace.holding());
  clock.advance(seconds(4));
  EXPECT_FALSE(pace.holding());
}

TEST(Pace, WhoNoLongerWaitsIsLetGoAtOnce) {
  FineClock clock;  // stands still: nothing ever becomes due
  Pace pace(clock, kRate);
  (void)pace.reserve(1000 * kRate);
  RequestContext cancelled;
  std::atomic<int> looked{0};
  std::thread waiter([&] { EXPECT_EQ(pace.wait(1, cancelled, [&] { ++looked; }).code(), Code::kCancelled); });
  while (looked == 0) std::this_thread::yield();
  cancelled.cancel.cancel();
  waiter.join();
  RequestContext late;
  late.deadline = SystemClock().steady() + milliseconds(30);
  EXPECT_EQ(pace.wait(1, late).code(), Code::kTimeout);
}

TEST(Pace, HugeAmountsDoNotOverflow) {
  FineClock clock;
  Pace pace(clock, 1024);
  (void)pace.reserve(uint64_t{1} << 40);
  const auto left = pace.left_until(pace.reserve(1));
  EXPECT_GT(left, std::chrono::hours(24 * 365 * 30));
}

}  // namespace
}  // namespace shoebox
