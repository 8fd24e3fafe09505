// Reads from remotes that ask to be left alone for a while.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/unit/sync/fetcher_fixture.h"

namespace shoebox {
namespace {

using testing::kMiB;
using testing::some_bytes;

class FetcherThrottleTest : public testing::FetcherFixture {};

TEST_F(FetcherThrottleTest, AThrottledReadIsTriedAgain) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB), false);
  first_.fail_next(Status(Code::kThrottled, "slow down"), 3);
  EXPECT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
}

TEST_F(FetcherThrottleTest, ARemoteThatWantsToBeLeftAloneForLongerThanAReadMayTakeKeepsNobodyWaiting) {
  const ContentNo on_first = add_evicted("a.jpg", some_bytes(kMiB, 1), false);
  const ContentNo on_both = add_evicted("b.jpg", some_bytes(kMiB, 2));
  first_.set_retry_after(3600);
  first_.fail_next(Status(Code::kThrottled, "slow down"));
  EXPECT_EQ(get(on_first, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kThrottled);
  EXPECT_FALSE(fetcher_->online("first"));
  EXPECT_EQ(fetcher_->last_error("first"), "slow down");
  const size_t asked = first_.gets().size();
  EXPECT_EQ(get(on_first, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kUnavailable);
  EXPECT_TRUE(get(on_both, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_EQ(first_.gets().size(), asked);
  clock_.advance(61);
  EXPECT_TRUE(get(on_first, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_TRUE(fetcher_->online("first"));
}

TEST_F(FetcherThrottleTest, WhoReadsAfterOneWithoutTheTimeToWaitIsNotSentAway) {
  const ContentNo late = add_evicted("a.jpg", some_bytes(kMiB, 1), false);
  const ContentNo early = add_evicted("b.jpg", some_bytes(kMiB, 2), false);
  first_.set_retry_after(28);
  first_.fail_next(Status(Code::kThrottled, "slow down"));
  first_.hold();
  std::promise<Status> answer;
  fetcher_->fetch(late, {kMiB / 2, kMiB / 2 + 1}, {}, [&](Status s) { answer.set_value(std::move(s)); });
  first_.wait_for_calls(1);
  clock_.advance(5);
  first_.release();
  EXPECT_EQ(answer.get_future().get().code(), Code::kThrottled);
  EXPECT_TRUE(get(early, {kMiB / 2, kMiB / 2 + 1}));
}

TEST_F(FetcherThrottleTest, WhileOneRemoteAsksToWaitAnotherIsRead) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB));
  first_.set_retry_after(20);
  first_.fail_next(Status(Code::kThrottled, "slow down"));
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
  EXPECT_EQ(second_.gets().size(), 1U);
}

TEST_F(FetcherThrottleTest, OneThatAskedToWaitIsReadWhenTheOthersFail) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB));
  first_.set_retry_after(0.2);
  first_.fail_next(Status(Code::kThrottled, "slow down"), 2);
  second_.fail_next(Status(Code::kNotFound, "gone"), 10);
  EXPECT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
}

TEST_F(FetcherThrottleTest, ReadsThatWaitForOneRemoteKeepNoneOfAnotherWaiting) {
  constexpr int kThreads = 3;
  first_.set_retry_after(20);
  first_.fail_next(Status(Code::kThrottled, "slow down"), kThreads);
  const CancelToken cancel;
  std::atomic<int> answered = 0;
  for (int i = 0; i < kThreads; ++i) {
    const ContentNo content =
        add_evicted(std::to_string(i), some_bytes(kMiB, static_cast<uint32_t>(i)), false);
    fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, cancel, [&](const Status&) { ++answered; });
  }
  first_.wait_for_calls(kThreads);
  const ContentNo other = add_evicted("other", some_bytes(kMiB, 9));
  const auto txn = catalog_->begin();
  txn->erase_copy(other, "first");
  ASSERT_TRUE(txn->commit());
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(get(other, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(15));
  EXPECT_EQ(answered, 0) << "they have the time to wait";
  cancel.cancel();
  while (answered < kThreads) std::this_thread::yield();
}

TEST_F(FetcherThrottleTest, WhatNobodyReadsAnyMoreDoesNotWaitForARemoteThatAsksForAnHour) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB), false);
  const CancelToken cancel;
  std::promise<Status> answer;
  std::promise<void> go_on;
  first_.set_retry_after(3600);
  first_.fail_next(Status(Code::kThrottled, "slow down"));
  first_.before_get = [going_on = go_on.get_future().share()] { going_on.wait(); };
  fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, cancel,
                  [&](Status s) { answer.set_value(std::move(s)); });
  cancel.cancel();
  EXPECT_EQ(answer.get_future().get().code(), Code::kCancelled);
  go_on.set_value();
  while (first_.gets().empty()) std::this_thread::yield();
  first_.wait_for_calls(1);
  EXPECT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
}

TEST_F(FetcherThrottleTest, APauseThatARemoteAskedForEndsWithItsReader) {
  constexpr int kThreads = 3;
  first_.set_retry_after(28);
  first_.fail_next(Status(Code::kThrottled, "slow down"), kThreads);
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::future<Status>> answers;
  const CancelToken cancel;
  for (int i = 0; i < kThreads; ++i) {
    const ContentNo content =
        add_evicted(std::to_string(i), some_bytes(kMiB, static_cast<uint32_t>(i)), false);
    const auto answer = std::make_shared<std::promise<Status>>();
    answers.push_back(answer->get_future());
    fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, cancel,
                    [answer](Status s) { answer->set_value(std::move(s)); });
  }
  first_.wait_for_calls(kThreads);
  cancel.cancel();
  for (auto& answer : answers) EXPECT_EQ(answer.get().code(), Code::kCancelled);
  EXPECT_TRUE(get(add_evicted("next", some_bytes(kMiB, 9), false), {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace shoebox
