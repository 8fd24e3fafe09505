#include "sync/backoff.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(Backoff, TheRangeDoublesUpToTheCap) {
  Backoff backoff{.base_s = 1, .cap_s = 60, .random = [] { return 0.5; }};
  EXPECT_DOUBLE_EQ(backoff.delay_s(1), 0.5);
  EXPECT_DOUBLE_EQ(backoff.delay_s(2), 1);
  EXPECT_DOUBLE_EQ(backoff.delay_s(4), 4);
  EXPECT_DOUBLE_EQ(backoff.delay_s(1000), 30);
}

TEST(Backoff, TheJitterIsFullButNeverNothing) {
  Backoff backoff{.base_s = 8, .cap_s = 60, .random = [] { return 0.0; }};
  EXPECT_GT(backoff.delay_s(5), 0);
  EXPECT_LT(backoff.delay_s(5), 0.1);
}

TEST(Backoff, WhatTheRemoteAskedForIsTheLeast) {
  Backoff backoff{.base_s = 1, .cap_s = 60, .random = [] { return 0.5; }};
  EXPECT_DOUBLE_EQ(backoff.delay_s(1, 120), 120);
  EXPECT_LE(backoff.delay_s(1, 1e9), 3600);
}

}  // namespace
}  // namespace shoebox
