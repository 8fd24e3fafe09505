#include "sync/readahead.h"

#include <gtest/gtest.h>

#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::kMiB;

TEST(Readahead, APhotoIsFetchedWhole) {
  Readahead readahead;
  EXPECT_EQ(readahead.plan({128 << 10, 130 << 10}, 4 * kMiB, false), (ByteRange{0, 4 * kMiB}));
}

TEST(Readahead, WhoReadsTheMiddleOfAPhotoWaitsForNothingBeforeIt) {
  Readahead readahead;
  const uint64_t size = 4 * kMiB;
  const ByteRange second_half{2 * kMiB, size};
  EXPECT_EQ(readahead.plan({2 * kMiB + 5, 2 * kMiB + 6}, size, false), second_half);
  EXPECT_EQ(readahead.plan({3 * kMiB, 3 * kMiB + 1}, size, true), second_half) << "it is on its way";
  EXPECT_EQ(readahead.plan({kMiB, kMiB + 1}, size, false), (ByteRange{0, size})) << "backwards, at once";
  EXPECT_EQ(readahead.plan({2 * kMiB, 2 * kMiB + 1}, size, false), second_half) << "evicted, and read anew";
}

TEST(Readahead, TheWindowGrowsWhileReadsAreSequentialAndResetsOnASeek) {
  Readahead readahead;
  const uint64_t size = 1024 * kMiB;
  uint64_t at = 0, last = 0;
  for (int i = 0; i < 10; ++i) {
    const ByteRange range = readahead.plan({at, at + kBlockBytes}, size, false);
    EXPECT_EQ(range.begin, at);
    EXPECT_GE(range.size(), last);
    last = range.size();
    at = range.end;
  }
  EXPECT_EQ(last, Readahead::kMostWindowBytes);
  EXPECT_EQ(readahead.plan({500 * kMiB, 500 * kMiB + 1}, size, false).size(), Readahead::kLeastWindowBytes);
}

TEST(Readahead, AVideoReadFromItsBeginningIsAskedForInFewSteps) {
  Readahead readahead;
  const uint64_t size = 500 * kMiB;
  uint64_t steps = 0;
  for (uint64_t at = 0; at < size; ++steps) at = readahead.plan({at, at + 128 * 1024}, size, false).end;
  EXPECT_LE(steps, 3 + size / Readahead::kMostWindowBytes);
}

TEST(Readahead, TheNextWindowIsAskedForWhileTheLastOneIsStillOnItsWay) {
  Readahead readahead;
  const uint64_t size = 500 * kMiB;
  const uint64_t begin = readahead.plan({0, kBlockBytes}, size, false).end;
  const uint64_t end = readahead.plan({begin, begin + kBlockBytes}, size, false).end;
  EXPECT_EQ(readahead.plan({begin, begin + kBlockBytes}, size, false).end, begin + kBlockBytes)
      << "nothing more yet";
  const uint64_t quarter = begin + (end - begin) / 4;
  EXPECT_GT(readahead.plan({quarter, quarter + kBlockBytes}, size, false).end, end);
}

TEST(Readahead, WhatFollowsIsAskedForAlsoWhenEveryReadFindsWhatItWants) {
  Readahead readahead;
  const uint64_t size = 200 * kMiB;
  uint64_t end = readahead.plan({0, kBlockBytes}, size, false).end;
  EXPECT_TRUE(readahead.plan_ahead({end - kBlockBytes, end}).empty()) << "nothing tells yet that it reads on";
  end = readahead.plan({end, end + kBlockBytes}, size, false).end;
  uint64_t misses = 0, windows = 0;
  for (uint64_t at = end / 2; at < size; at += kBlockBytes) {
    if (at >= end) ++misses;
    const ByteRange more = readahead.plan_ahead({at, at + kBlockBytes});
    if (more.empty()) continue;
    EXPECT_EQ(more.begin, end) << "no gap, nothing twice";
    end = more.end;
    ++windows;
  }
  EXPECT_EQ(misses, 0u);
  EXPECT_EQ(end, size);
  EXPECT_LE(windows, 2 + size / Readahead::kMostWindowBytes);
}

TEST(Readahead, AStreamThatWaitsForEachBlockKeepsItsWindows) {
  Readahead readahead;
  const uint64_t size = 200 * kMiB;
  uint64_t end = 0, windows = 0;
  for (uint64_t at = 0; at < size; at += kBlockBytes) {
    const ByteRange range = readahead.plan({at, at + kBlockBytes}, size, true);
    EXPECT_EQ(range.begin, at);
    EXPECT_LE(range.end, end + Readahead::kMostWindowBytes);
    if (range.end > end) ++windows;
    end = std::max(end, range.end);
  }
  EXPECT_LE(windows, 3 + size / Readahead::kMostWindowBytes) << "none is given up half-way";
}

TEST(Readahead, ReadsThatArriveOutOfOrderAreOneStream) {
  Readahead readahead;
  const uint64_t size = 200 * kMiB;
  uint64_t end = 0, windows = 0;
  for (uint64_t at = 0; at < size; at += 4 * kBlockBytes) {
    for (const uint64_t step : {0, 2, 1, 3}) {
      const uint64_t from = at + step * kBlockBytes;
      const ByteRange range = readahead.plan({from, from + kBlockBytes}, size, true);
      if (range.end > end) ++windows;
      end = std::max(end, range.end);
    }
  }
  EXPECT_EQ(end, size);
  EXPECT_LE(windows, 4 + size / Readahead::kMostWindowBytes);
}

TEST(Readahead, ASeekEndsTheStream) {
  Readahead readahead;
  const uint64_t size = 500 * kMiB;
  uint64_t at = 0;
  for (int i = 0; i < 4; ++i) at = readahead.plan({at, at + kBlockBytes}, size, false).end;
  readahead.plan({300 * kMiB, 300 * kMiB + 1}, size, false);
  EXPECT_TRUE(readahead.plan_ahead({at - kBlockBytes, at}).empty());
  EXPECT_TRUE(readahead.plan_ahead({300 * kMiB, 300 * kMiB + kBlockBytes}).empty());
}

TEST(Readahead, TheRangeCoversTheReadAndEndsWithTheContent) {
  Readahead readahead;
  const uint64_t size = 100 * kMiB + 17;
  EXPECT_EQ(readahead.plan({size - 5, size}, size, false), (ByteRange{100 * kMiB, size}));
  EXPECT_EQ(readahead.plan({10 * kMiB + 1, 20 * kMiB}, size, false), (ByteRange{10 * kMiB, 20 * kMiB}));
}

}  // namespace
}  // namespace shoebox
