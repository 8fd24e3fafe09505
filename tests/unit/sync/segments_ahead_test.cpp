#include "sync/segments_ahead.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "store/base/hash.h"

namespace shoebox {
namespace {

constexpr auto kPatience = std::chrono::seconds(60);

std::vector<backup::Segment> some(size_t count, uint64_t bytes = 100) {
  std::vector<backup::Segment> segments(count);
  for (size_t i = 0; i < count; ++i) {
    segments[i].sha256 = sha256(std::to_string(i));
    segments[i].bytes = bytes;
  }
  return segments;
}

// Counts those that are fetched at the same time; they wait for one another.
class Fetches {
 public:
  explicit Fetches(int expected) : expected_(expected) {}
  Result<std::string> fetch(const backup::Segment& segment) {
    std::unique_lock lock(mutex_);
    ++begun_;
    most_ = std::max(most_, ++at_once_);
    changed_.notify_all();
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return begun_ >= expected_; }));
    --at_once_;
    return segment.sha256.hex();
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

 private:
  const int expected_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int begun_ = 0, at_once_ = 0, most_ = 0;
};

TEST(SegmentsAhead, SeveralAreFetchedAtOnceAndComeInTheirOrder) {
  const auto wanted = some(20);
  Fetches fetches(3);
  SegmentsAhead ahead(
      wanted, [&](const backup::Segment& one, const auto&) { return fetches.fetch(one); }, 3);
  for (const backup::Segment& segment : wanted) EXPECT_EQ(*ahead.next(), segment.sha256.hex());
  EXPECT_EQ(fetches.most(), 3);
}

TEST(SegmentsAhead, NoMoreAreFetchedThanWereTakenAndAFewAhead) {
  Fetches fetches(0);
  {
    SegmentsAhead ahead(
        some(20), [&](const backup::Segment& one, const auto&) { return fetches.fetch(one); }, 3);
    ASSERT_TRUE(ahead.next());
    ASSERT_TRUE(ahead.next());
  }
  EXPECT_LE(fetches.begun(), 5);
}

TEST(SegmentsAhead, LargeOnesAreFetchedOneByOne) {
  const auto wanted = some(5, SegmentsAhead::kMostBytesAhead);
  Fetches fetches(0);
  SegmentsAhead ahead(
      wanted, [&](const backup::Segment& one, const auto&) { return fetches.fetch(one); }, 4);
  for (const backup::Segment& segment : wanted) EXPECT_EQ(*ahead.next(), segment.sha256.hex());
  EXPECT_EQ(fetches.most(), 1);
}

TEST(SegmentsAhead, EqualOnesAreNotFetchedAtTheSameTime) {
  auto wanted = some(4);
  for (backup::Segment& segment : wanted) segment.sha256 = wanted.front().sha256;
  Fetches fetches(0);
  SegmentsAhead ahead(
      wanted, [&](const backup::Segment& one, const auto&) { return fetches.fetch(one); }, 4);
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_TRUE(ahead.next());
  EXPECT_EQ(fetches.most(), 1);
}

TEST(SegmentsAhead, OneThatCannotBeHadHoldsNoneBack) {
  const auto wanted = some(4);
  SegmentsAhead ahead(
      wanted,
      [&](const backup::Segment& one, const auto&) -> Result<std::string> {
        if (one.sha256 == wanted[1].sha256) return Status(Code::kDataLoss, "damaged");
        return std::string("whole");
      },
      2);
  EXPECT_TRUE(ahead.next());
  EXPECT_EQ(ahead.next().code(), Code::kDataLoss);
  EXPECT_TRUE(ahead.next());
  EXPECT_TRUE(ahead.next());
}

TEST(SegmentsAhead, WhatIsNotWantedAnyMoreIsBrokenOff) {
  std::mutex mutex;
  std::condition_variable changed;
  bool begun = false;
  {
    SegmentsAhead ahead(some(3), [&](const backup::Segment&, const auto& allowed) -> Result<std::string> {
      {
        const std::lock_guard lock(mutex);
        begun = true;
      }
      changed.notify_all();
      while (allowed()) std::this_thread::yield();
      return allowed();
    });
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, kPatience, [&] { return begun; }));
  }
}

}  // namespace
}  // namespace shoebox
