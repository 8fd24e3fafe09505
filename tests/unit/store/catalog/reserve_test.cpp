#include "store/catalog/reserve.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

constexpr uint64_t kKiB = 1 << 10;

class ReserveTest : public ::testing::Test {
 protected:
  [[nodiscard]] uint64_t allocated() const {
    struct stat st {};
    return ::stat(dir_.path("reserve").c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_blocks) * 512 : 0;
  }

  testing::TempDir dir_;
};

TEST_F(ReserveTest, WhatIsGivenBackIsKeptFreeForTheCatalogUntilItIsTakenAgain) {
  Reserve reserve(dir_.path(), 1024 * kKiB);
  EXPECT_TRUE(reserve.make_room_to_open());
  reserve.open();
  EXPECT_EQ(reserve.bytes(), 1024 * kKiB);
  EXPECT_GE(allocated(), 1024 * kKiB);
  EXPECT_EQ(reserve.given_back(), 0u);

  EXPECT_TRUE(reserve.give_back(300 * kKiB));
  EXPECT_EQ(reserve.bytes(), 724 * kKiB);
  EXPECT_EQ(reserve.given_back(), 300 * kKiB);
  EXPECT_LT(allocated(), 1024 * kKiB);

  reserve.fill();
  EXPECT_EQ(reserve.given_back(), 0u);
  EXPECT_GE(allocated(), 1024 * kKiB);

  EXPECT_TRUE(reserve.give_back(reserve.bytes()));
  EXPECT_EQ(reserve.given_back(), 1024 * kKiB);
  EXPECT_FALSE(reserve.give_back(1)) << "there is none left";
}

TEST_F(ReserveTest, OfASmallDiskOnlyAPartIsWantedAndWhatOpeningNeedsAtLeast) {
  const auto space = disk_space(dir_.path());
  ASSERT_TRUE(space);
  Reserve reserve(dir_.path(), UINT64_MAX);
  EXPECT_TRUE(reserve.make_room_to_open());
  EXPECT_EQ(reserve.wanted_bytes(), std::max(space->total_bytes / 8, kOpenBytes));
}

TEST_F(ReserveTest, WhatStandsThereFromBeforeCounts) {
  {
    Reserve reserve(dir_.path(), 1024 * kKiB);
    reserve.open();
    EXPECT_TRUE(reserve.give_back(1000 * kKiB));
  }
  ASSERT_EQ(::truncate(dir_.path("reserve").c_str(), 2048 * kKiB), 0);  // a hole, no room
  Reserve reserve(dir_.path(), 1024 * kKiB);
  reserve.open();
  EXPECT_GE(allocated(), 1024 * kKiB);
  EXPECT_EQ(reserve.given_back(), 0u);
}

}  // namespace
}  // namespace shoebox
