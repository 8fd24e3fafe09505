#include "sync/fetcher.h"

#include <thread>

#include "tests/unit/sync/fetcher_fixture.h"

namespace shoebox {
namespace {

using testing::kMiB;
using testing::some_bytes;

class FetcherTest : public testing::FetcherFixture {};

TEST_F(FetcherTest, AnEvictedPhotoReadFromBeginningToEndCostsOneRequest) {
  const std::string bytes = some_bytes(4 * kMiB + 12345);
  const ContentNo content = add_evicted("a.jpg", bytes);
  for (uint64_t at = 0; at < bytes.size(); at += 128 * 1024) {
    ASSERT_TRUE(get(content, {at, std::min<uint64_t>(bytes.size(), at + 128 * 1024)}));
  }
  EXPECT_EQ(first_.gets().size(), 1U);
  EXPECT_TRUE(bytes_when_local(content) == bytes);
}

TEST_F(FetcherTest, WhoReadsTheLastBlockDoesNotWaitUntilAllIsHashedAndSynced) {
  const std::string bytes = some_bytes(4 * kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes);
  std::promise<void> go_on;
  first_.after_get = [going_on = go_on.get_future().share()] { going_on.wait(); };
  EXPECT_TRUE(fetch_and_wait(*fetcher_, content, {0, bytes.size()}, {}));
  EXPECT_NE((*catalog_->content(content))->residence, Residence::kLocal);
  go_on.set_value();
  EXPECT_TRUE(bytes_when_local(content) == bytes);
}

TEST_F(FetcherTest, AReadInTheMiddleOfAPhotoIsOneRequestThatBeginsThere) {
  const std::string bytes = some_bytes(4 * kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes);
  ASSERT_TRUE(get(content, {2 * kMiB + 5, 2 * kMiB + 10}));
  ASSERT_EQ(first_.gets().size(), 1U);
  EXPECT_EQ(first_.gets()[0].begin, 2 * kMiB);
  ASSERT_TRUE(get(content, {kMiB, kMiB + 1}));
  EXPECT_EQ(first_.gets().size(), 2U) << "all that was missing yet";
  EXPECT_TRUE(bytes_when_local(content) == bytes);
}

TEST_F(FetcherTest, HeadAndTailCostNoRequest) {
  const std::string bytes = some_bytes(4 * kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes);
  EXPECT_TRUE(get(content, {0, kHeadBytes}));
  EXPECT_TRUE(get(content, {bytes.size() - kTailBytes, bytes.size()}));
  EXPECT_TRUE(first_.gets().empty());
}

TEST_F(FetcherTest, AReadInAVideoFetchesOnlyItsRange) {
  const std::string bytes = some_bytes(20 * kMiB);
  const ContentNo content = add_evicted("v.mp4", bytes);
  ASSERT_TRUE(get(content, {10 * kMiB + 5, 10 * kMiB + 10}));
  ASSERT_EQ(first_.gets().size(), 1U);
  EXPECT_EQ(first_.gets()[0], (ByteRange{10 * kMiB, 10 * kMiB + kBlockBytes}));
}

TEST_F(FetcherTest, AVideoReadSequentiallyCostsFewRequests) {
  const std::string bytes = some_bytes(32 * kMiB);
  const ContentNo content = add_evicted("v.mp4", bytes);
  for (uint64_t at = 0; at < bytes.size(); at += kMiB) ASSERT_TRUE(get(content, {at, at + kMiB}));
  EXPECT_LE(first_.gets().size(), 12U);
  EXPECT_TRUE(bytes_when_local(content) == bytes);
}

TEST_F(FetcherTest, WhatASequentialReaderComesToIsBroughtBeforeItAsks) {
  const ContentNo content = add_evicted("v.mp4", some_bytes(32 * kMiB));
  ASSERT_TRUE(get(content, {0, kMiB}));
  fetcher_->found(content, {0, kMiB});
  ASSERT_TRUE(get(content, {kMiB, 5 * kMiB}));
  fetcher_->found(content, {kMiB, kMiB + 100});
  ASSERT_EQ(first_.gets().size(), 2U) << "far from the end of what was asked for";
  fetcher_->found(content, {4 * kMiB, 4 * kMiB + 100});
  first_.wait_for_calls(3);
  EXPECT_EQ(first_.gets().back(), (ByteRange{5 * kMiB, 21 * kMiB}));
  fetcher_->found(ContentNo(content.value + 1), {0, 1});  // never read
}

TEST_F(FetcherTest, ABadBlockFurtherOnTakesNothingFromWhoReadsBeforeIt) {
  const std::string bytes = some_bytes(32 * kMiB);
  const ContentNo content = add_evicted("v.mp4", bytes, /*on_second=*/false);
  std::string rotten = bytes;
  rotten[20 * kMiB] ^= 1;
  first_.place("Library/v.mp4", rotten);
  ASSERT_TRUE(get(content, {0, kMiB}));
  ASSERT_TRUE(get(content, {kMiB, 5 * kMiB}));
  fetcher_->found(content, {4 * kMiB, 4 * kMiB + 100});
  first_.wait_for_calls(3);
  for (int i = 0; i < 40; ++i) {
    const uint64_t at = 22 * kMiB + i * kBlockBytes;
    const Status read = get(content, {at, at + 1});
    ASSERT_TRUE(read) << read.message();
  }
  EXPECT_EQ(get(content, {20 * kMiB, 20 * kMiB + 1}).code(), Code::kDataLoss);
}

TEST_F(FetcherTest, IdenticalRangesAreFetchedOnce) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(4 * kMiB));
  first_.hold();
  std::vector<std::promise<Status>> answers(8);
  for (auto& answer : answers) {
    fetcher_->fetch(content, {kMiB, 2 * kMiB}, {}, [&](Status s) { answer.set_value(std::move(s)); });
  }
  first_.wait_for_calls(1);
  first_.release();
  for (auto& answer : answers) EXPECT_TRUE(answer.get_future().get());
  EXPECT_EQ(first_.gets().size(), 1U);
}

TEST_F(FetcherTest, ReadsGoToTheRemoteThatAnswersFastest) {
  const std::string bytes = some_bytes(40 * kMiB);  // more than is fetched whole
  const ContentNo content = add_evicted("v.mp4", bytes);
  first_.before_get = [this] { clock_.advance(4); };
  second_.before_get = [this] { clock_.advance(1); };
  ASSERT_TRUE(get(content, {10 * kMiB, 10 * kMiB + 1}));  // not measured yet: in order
  ASSERT_TRUE(get(content, {30 * kMiB, 30 * kMiB + 1}));
  ASSERT_TRUE(get(content, {20 * kMiB, 20 * kMiB + 1}));
  EXPECT_EQ(first_.gets().size(), 1U);
  EXPECT_EQ(second_.gets().size(), 2U);
  clock_.advance(3600);
  ASSERT_TRUE(get(content, {5 * kMiB, 5 * kMiB + 1}));
  EXPECT_EQ(first_.gets().size(), 2U) << "what was slow once is asked again some day";
}

TEST_F(FetcherTest, ACopyThatWasMovedWhileItIsReadIsFoundUnderItsNewKey) {
  const std::string bytes = some_bytes(kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes);
  bool moved = false;
  first_.before_get = [&] {
    if (std::exchange(moved, true)) return;
    first_.place("Library/b.jpg", bytes);
    EXPECT_TRUE(first_.remove("Library/a.jpg", {}));
    const auto txn = catalog_->begin();
    RemoteCopy copy = **txn->copy(content, "first");
    copy.key = "Library/b.jpg";
    txn->put_copy(content, "first", copy);
    EXPECT_TRUE(txn->commit());
  };
  ASSERT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_EQ(second_.gets().size(), 0U);
  EXPECT_TRUE(missing_.empty());
}

TEST_F(FetcherTest, WrongBytesAreFetchedAgainThenFromAnotherRemoteAndNeverServed) {
  const std::string bytes = some_bytes(kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes);
  first_.flip_bytes(true);
  ASSERT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_EQ(first_.gets().size(), 2U);
  EXPECT_EQ(second_.gets().size(), 1U);
  ASSERT_TRUE(get(content, {0, kMiB}));
  EXPECT_TRUE(bytes_when_local(content) == bytes);
}

TEST_F(FetcherTest, WhenNoRemoteHasTheRightBytesTheReadFailsAndSoDoRepeatsAtOnce) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB));
  first_.flip_bytes(true);
  second_.flip_bytes(true);
  EXPECT_EQ(get(content, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kDataLoss);
  const size_t asked = first_.gets().size() + second_.gets().size();
  EXPECT_EQ(get(content, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kDataLoss);
  EXPECT_EQ(first_.gets().size() + second_.gets().size(), asked);
  first_.flip_bytes(false);
  second_.flip_bytes(false);
  clock_.advance(11);
  EXPECT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1})) << "asked again after a while";
}

TEST_F(FetcherTest, AnAnswerThatEndsEarlyIsNeverTakenForTheWhole) {
  const std::string bytes = some_bytes(2 * kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes);
  first_.cut_short(true);
  ASSERT_TRUE(get(content, {0, bytes.size()}));
  EXPECT_TRUE(bytes_when_local(content) == bytes);
}

TEST_F(FetcherTest, AnOfflineRemoteIsLeftAloneAndTheNextOneAsked) {
  const ContentNo a = add_evicted("a.jpg", some_bytes(kMiB, 1));
  const ContentNo b = add_evicted("b.jpg", some_bytes(kMiB, 2));
  first_.set_down(true);
  EXPECT_TRUE(get(a, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_FALSE(fetcher_->online("first"));
  const size_t asked = first_.gets().size();
  EXPECT_TRUE(get(b, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_EQ(first_.gets().size(), asked);
}

TEST_F(FetcherTest, ARemoteThatCameBackIsAskedWhenTheOtherOneFails) {
  const ContentNo a = add_evicted("a.jpg", some_bytes(kMiB, 1));
  const ContentNo b = add_evicted("b.jpg", some_bytes(kMiB, 2));
  first_.set_down(true);
  EXPECT_TRUE(get(a, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_FALSE(fetcher_->online("first"));
  EXPECT_TRUE(get(a, {0, kMiB}));
  (void)bytes_when_local(a);  // nothing is under way any more
  first_.set_down(false);
  second_.set_down(true);
  EXPECT_TRUE(get(b, {kMiB / 2, kMiB / 2 + 1})) << "it counts as offline for some seconds yet";
}

TEST_F(FetcherTest, WhenAllAreOfflineReadsFailAtOnceUntilOneIsBack) {
  const ContentNo a = add_evicted("a.jpg", some_bytes(kMiB, 1), false);
  const ContentNo b = add_evicted("b.jpg", some_bytes(kMiB, 2), false);
  first_.set_down(true);
  EXPECT_EQ(get(a, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kUnavailable);
  const size_t asked = first_.gets().size();
  EXPECT_EQ(get(b, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kUnavailable);
  EXPECT_EQ(first_.gets().size(), asked);
  first_.set_down(false);
  clock_.advance(6);
  EXPECT_TRUE(get(a, {kMiB / 2, kMiB / 2 + 1}));
}

TEST_F(FetcherTest, AReadThatHangsFailsAtTheDeadlineAndRepeatsFailAtOnce) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB), false);
  first_.hold();
  std::promise<Status> answer;
  fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, {}, [&](Status s) { answer.set_value(std::move(s)); });
  first_.wait_for_calls(1);
  clock_.advance(30);
  EXPECT_EQ(answer.get_future().get().code(), Code::kTimeout);
  EXPECT_EQ(get(content, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kTimeout);
}

TEST_F(FetcherTest, ATransferThatStandsStillIsBrokenOffInTimeForAnotherRemote) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB));
  first_.hold();
  std::promise<Status> answer;
  fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, {}, [&](Status s) { answer.set_value(std::move(s)); });
  first_.wait_for_calls(1);
  clock_.advance(11);
  EXPECT_TRUE(answer.get_future().get());
  EXPECT_EQ(second_.gets().size(), 1U);
}

TEST_F(FetcherTest, AnInterruptedReadReturnsAtOnce) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB), false);
  first_.hold();
  const CancelToken cancel;
  std::promise<Status> answer;
  fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, cancel,
                  [&](Status s) { answer.set_value(std::move(s)); });
  first_.wait_for_calls(1);
  cancel.cancel();
  EXPECT_EQ(answer.get_future().get().code(), Code::kCancelled);
}

TEST_F(FetcherTest, StoppingAnswersEveryoneWhoWaits) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB), false);
  first_.hold();
  std::promise<Status> answer;
  fetcher_->fetch(content, {kMiB / 2, kMiB / 2 + 1}, {}, [&](Status s) { answer.set_value(std::move(s)); });
  first_.wait_for_calls(1);
  fetcher_->stop();
  EXPECT_EQ(answer.get_future().get().code(), Code::kUnavailable);
}

TEST_F(FetcherTest, AnObjectThatIsGoneIsReadFromTheOtherRemoteAndReported) {
  const ContentNo content = add_evicted("a.jpg", some_bytes(kMiB));
  ASSERT_TRUE(first_.remove("Library/a.jpg", {}));
  EXPECT_TRUE(get(content, {kMiB / 2, kMiB / 2 + 1}));
  EXPECT_EQ(missing_, std::vector<std::string>{"first"});
  EXPECT_TRUE(fetcher_->online("first"));
}

TEST_F(FetcherTest, AContentWithoutACopyIsUnavailable) {
  const ContentNo content = add("a.jpg", some_bytes(kMiB), {});
  ASSERT_TRUE(contents_->evict(content));
  EXPECT_EQ(get(content, {kMiB / 2, kMiB / 2 + 1}).code(), Code::kUnavailable);
  EXPECT_EQ(get(ContentNo(9999), {0, 1}).code(), Code::kNotFound);
}

TEST_F(FetcherTest, ACopyThatWasMissingAndIsReadAgainIsToldOfOnce) {
  const std::string bytes = some_bytes(kMiB);
  const ContentNo content = add_evicted("a.jpg", bytes, /*on_second=*/false);
  const ByteRange middle{kKeepWholeBytes, 2 * kKeepWholeBytes};
  ASSERT_TRUE(first_.remove("Library/a.jpg", {}));
  EXPECT_EQ(get(content, middle).code(), Code::kDataLoss);
  EXPECT_EQ(missing_, std::vector<std::string>{"first"});
  EXPECT_TRUE(found_.empty());
  first_.place("Library/a.jpg", bytes);
  clock_.advance(60);  // until then it is not asked again
  ASSERT_TRUE(get(content, middle));
  EXPECT_TRUE(get(content, {0, bytes.size()}));
  EXPECT_TRUE(bytes_when_local(content) == bytes);
  fetcher_->stop();  // what a transfer ends with is done
  EXPECT_EQ(found_, std::vector<std::string>{"first"});
}

}  // namespace
}  // namespace shoebox
