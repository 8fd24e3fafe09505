#include "fs/parked_reads.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(ParkedReads, LeaveRoomInTheKernelsQueueForLocalOnes) {
  ParkedReads reads;
  int let_in = 0;
  for (unsigned i = 0; i < kMaxBackground; ++i) let_in += reads.enter() ? 1 : 0;
  EXPECT_EQ(let_in, kMaxParkedReads);
  EXPECT_LT(static_cast<unsigned>(kMaxParkedReads), kMaxBackground);
  for (unsigned i = 0; i < kMaxBackground; ++i) reads.leave();
  EXPECT_TRUE(reads.enter());
  EXPECT_EQ(reads.count(), 1);
}

TEST(RefusedReads, WhatIsAskedForAgainIsKnown) {
  RefusedReads refused;
  EXPECT_FALSE(refused.touches({0, 1 << 20}));
  refused.add({131072, 262144});
  EXPECT_TRUE(refused.touches({131072, 135168}));
  EXPECT_TRUE(refused.touches({258048, 262144}));
  EXPECT_FALSE(refused.touches({0, 131072}));
  EXPECT_FALSE(refused.touches({262144, 266240}));
}

TEST(RefusedReads, OnlyTheLastFewAreKept) {
  RefusedReads refused;
  for (uint64_t i = 0; i < 100; ++i) refused.add({i * 4096, (i + 1) * 4096});
  EXPECT_FALSE(refused.touches({0, 4096}));
  EXPECT_TRUE(refused.touches({99 * 4096, 100 * 4096}));
}

}  // namespace
}  // namespace shoebox
