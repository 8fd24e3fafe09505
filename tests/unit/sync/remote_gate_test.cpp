#include "sync/remote_gate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Turn = RemoteGate::Turn;

class RemoteGateTest : public ::testing::Test {
 protected:
  RemoteGate gate(UploadPolicy policy = {}) {
    Backoff backoff;
    backoff.random = [] { return 1.0; };
    return {"nas", "", clock_, std::move(policy), std::move(backoff)};
  }
  testing::FakeClock clock_;
};

TEST_F(RemoteGateTest, ThePolicyClosesAndOpensIt) {
  UploadPolicy policy;
  policy.on_battery = false;
  RemoteGate gate = this->gate(policy);
  EXPECT_EQ(gate.look(false), Turn::kNone);
  EXPECT_TRUE(gate.is_open());
  gate.set_surroundings({.on_battery = true});
  EXPECT_EQ(gate.look(false), Turn::kClosed);
  EXPECT_EQ(gate.look(false), Turn::kNone);
  EXPECT_EQ(gate.why_closed(), "on battery");
  EXPECT_EQ(gate.look(true), Turn::kOpened) << "asked for";
  EXPECT_TRUE(gate.is_open());
}

TEST_F(RemoteGateTest, APauseStandsBeforeEverything) {
  RemoteGate gate = this->gate();
  gate.set_paused(true);
  EXPECT_FALSE(gate.is_open());
  EXPECT_EQ(gate.why_closed(), "paused");
  gate.reopen();
  EXPECT_FALSE(gate.is_open());
}

TEST_F(RemoteGateTest, AnOutageClosesItForTheBackOffAndSuccessEndsIt) {
  RemoteGate gate = this->gate();
  const auto verdict = gate.judge(Status(Code::kUnavailable, "down"), 1, 0, "x");
  EXPECT_TRUE(verdict.closed);
  EXPECT_FALSE(gate.online());
  EXPECT_FALSE(gate.is_open());
  EXPECT_THAT(gate.why_closed(), HasSubstr("cannot be reached, retry in"));
  clock_.advance(static_cast<int64_t>(verdict.delay_s) + 1);
  EXPECT_TRUE(gate.is_open());
  (void)gate.judge(Status::ok(), 1, 0, "x");
  EXPECT_TRUE(gate.online());
  EXPECT_EQ(gate.report().last_error, "down");
}

TEST_F(RemoteGateTest, WhatIsAskedForByTheRemoteIsKept) {
  RemoteGate gate = this->gate();
  const auto verdict = gate.judge(Status(Code::kThrottled, "503"), 1, 100, "x");
  EXPECT_TRUE(verdict.throttled);
  EXPECT_GE(verdict.delay_s, 100);
  clock_.advance(99);
  EXPECT_FALSE(gate.is_open());
  EXPECT_TRUE(gate.online());
}

TEST_F(RemoteGateTest, WhatWasUnderWayTogetherAndFailsTogetherIsOneFailure) {
  RemoteGate gate = this->gate();
  for (int i = 0; i < 8; ++i) (void)gate.judge(Status(Code::kThrottled, "503"), 1, 1, "x");
  clock_.advance(1);
  EXPECT_TRUE(gate.is_open()) << gate.why_closed();
  EXPECT_EQ(gate.judge(Status(Code::kThrottled, "503"), 1, 1, "x").delay_s, 2) << "the second in a row";
}

TEST_F(RemoteGateTest, ARefusalIsRememberedUntilSomebodyAsksOrItSucceeds) {
  RemoteGate gate = this->gate();
  (void)gate.judge(Status(Code::kUnauthorized, "no"), 1, 0, "x");
  EXPECT_FALSE(gate.report().refused);
  EXPECT_FALSE(gate.is_open());
  gate.reopen();
  EXPECT_TRUE(gate.report().refused);
  EXPECT_TRUE(gate.is_open());
}

TEST_F(RemoteGateTest, ALateSuccessOfAnEarlierRequestHidesNoRefusal) {
  RemoteGate gate = this->gate();
  const auto verdict = gate.judge(Status(Code::kUnauthorized, "no"), 1, 0, "x");
  (void)gate.judge(Status::ok(), 1, 0, "check");
  EXPECT_FALSE(gate.report().refused);
  clock_.advance(static_cast<int64_t>(verdict.delay_s) + 1);
  (void)gate.judge(Status::ok(), 1, 0, "x");
  EXPECT_TRUE(gate.report().refused);
}

TEST_F(RemoteGateTest, AFailureOfOneThingClosesNothing) {
  RemoteGate gate = this->gate();
  const auto verdict = gate.judge(Status(Code::kDataLoss, "short"), 3, 0, "x");
  EXPECT_FALSE(verdict.closed);
  EXPECT_GT(verdict.delay_s, 0);
  EXPECT_TRUE(gate.is_open());
  EXPECT_THAT(gate.why_closed(), IsEmpty());
}

}  // namespace
}  // namespace shoebox
