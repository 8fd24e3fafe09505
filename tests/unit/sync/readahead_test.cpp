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

TEST(Readahead, TheRangeCoversTheReadAndEndsWithTheContent) {
  Readahead readahead;
  const uint64_t size = 100 * kMiB + 17;
  EXPECT_EQ(readahead.plan({size - 5, size}, size, false), (ByteRange{100 * kMiB, size}));
  EXPECT_EQ(readahead.plan({10 * kMiB + 1, 20 * kMiB}, size, false), (ByteRange{10 * kMiB, 20 * kMiB}));
}

}  // namespace
}  // namespace shoebox
