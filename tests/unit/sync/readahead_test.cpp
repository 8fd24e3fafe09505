#include "sync/readahead.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

constexpr uint64_t kMiB = 1 << 20;

TEST(Readahead, APhotoIsFetchedWhole) {
  Readahead readahead;
  EXPECT_EQ(readahead.plan({kMiB, kMiB + 1}, 4 * kMiB), (ByteRange{0, 4 * kMiB}));
}

TEST(Readahead, TheWindowGrowsWhileReadsAreSequentialAndResetsOnASeek) {
  Readahead readahead;
  const uint64_t size = 1024 * kMiB;
  uint64_t at = 0, last = 0;
  for (int i = 0; i < 10; ++i) {
    const ByteRange range = readahead.plan({at, at + kBlockBytes}, size);
    EXPECT_EQ(range.begin, at);
    EXPECT_GE(range.size(), last);
    last = range.size();
    at = range.end;
  }
  EXPECT_EQ(last, Readahead::kMostWindowBytes);
  EXPECT_EQ(readahead.plan({500 * kMiB, 500 * kMiB + 1}, size).size(), Readahead::kLeastWindowBytes);
}

TEST(Readahead, AVideoReadFromItsBeginningIsAskedForInFewSteps) {
  Readahead readahead;
  const uint64_t size = 500 * kMiB;
  uint64_t steps = 0;
  for (uint64_t at = 0; at < size; ++steps) at = readahead.plan({at, at + 128 * 1024}, size).end;
  EXPECT_LE(steps, 3 + size / Readahead::kMostWindowBytes);
}

TEST(Readahead, TheNextWindowIsAskedForWhileTheLastOneIsStillOnItsWay) {
  Readahead readahead;
  const uint64_t size = 500 * kMiB;
  const uint64_t begin = readahead.plan({0, kBlockBytes}, size).end;
  const uint64_t end = readahead.plan({begin, begin + kBlockBytes}, size).end;
  EXPECT_EQ(readahead.plan({begin, begin + kBlockBytes}, size).end, begin + kBlockBytes)
      << "nothing more yet";
  const uint64_t quarter = begin + (end - begin) / 4;
  EXPECT_GT(readahead.plan({quarter, quarter + kBlockBytes}, size).end, end);
}

TEST(Readahead, TheRangeCoversTheReadAndEndsWithTheContent) {
  Readahead readahead;
  const uint64_t size = 100 * kMiB + 17;
  EXPECT_EQ(readahead.plan({size - 5, size}, size), (ByteRange{100 * kMiB, size}));
  EXPECT_EQ(readahead.plan({10 * kMiB + 1, 20 * kMiB}, size), (ByteRange{10 * kMiB, 20 * kMiB}));
}

}  // namespace
}  // namespace shoebox
