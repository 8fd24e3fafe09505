#include "store/catalog/backup_staged.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "store/catalog/backup_segment.h"
#include "tests/unit/temp_dir.h"

namespace shoebox::backup {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

std::string key_of(int number) { return "c" + std::to_string(10'000 + number); }

// Rows of these numbers; every third one is erased.
std::string segment(int begin, int end, const std::string& value) {
  SegmentWriter writer;
  for (int i = begin; i < end; ++i) {
    if (i % 3 == 0) {
      writer.erase(key_of(i));
    } else {
      writer.put(key_of(i), value + std::to_string(i));
    }
  }
  return *writer.finish();
}

Pairs all(StagedRows& rows, const std::string& prefix) {
  Pairs found;
  EXPECT_TRUE(rows.scan(prefix, [&](std::string_view key, std::optional<std::string_view> value) {
    found.emplace_back(key, value ? *value : "(erased)");
    return Status::ok();
  }));
  return found;
}

class StagedRowsTest : public ::testing::TestWithParam<size_t> {
 protected:
  testing::TempDir dir_;
  StagedRows::Options options_{dir_.path() + "/rows", GetParam()};
};

TEST_P(StagedRowsTest, LaterSegmentsReplaceRowsOfEarlierOnesWhereverTheyStand) {
  StagedRows rows(options_);
  ASSERT_TRUE(rows.add(segment(0, 600, "old ")));
  ASSERT_TRUE(rows.add(segment(300, 400, "new ")));
  EXPECT_EQ(*rows.find(key_of(1)), std::optional<StagedRows::Value>("old 1"));
  EXPECT_EQ(*rows.find(key_of(301)), std::optional<StagedRows::Value>("new 301"));
  const auto erased = *rows.find(key_of(300));
  ASSERT_TRUE(erased.has_value());
  EXPECT_FALSE(erased->has_value());
  EXPECT_FALSE(rows.find(key_of(600))->has_value()) << "no segment speaks of it";
  const Pairs found = all(rows, "c");
  ASSERT_EQ(found.size(), 600U);
  EXPECT_TRUE(std::is_sorted(found.begin(), found.end()));
  EXPECT_EQ(found[301].second, "new 301");
  EXPECT_EQ(found[303].second, "(erased)");
  EXPECT_TRUE(all(rows, "d").empty());
}

TEST_P(StagedRowsTest, ADamagedSegmentIsNotThere) {
  StagedRows rows(options_);
  std::string damaged = segment(0, 100, "x");
  damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
  EXPECT_EQ(rows.add(damaged).code(), Code::kDataLoss);
  EXPECT_TRUE(all(rows, "").empty());
}

INSTANTIATE_TEST_SUITE_P(Memory, StagedRowsTest, ::testing::Values(size_t{1000}, size_t{1} << 20),
                         [](const auto& one) { return one.param > 1000 ? "Enough" : "Scarce"; });

TEST(StagedRows, ManyStandOnTheDiskUntilItIsOver) {
  const testing::TempDir dir;
  const std::string folder = dir.path() + "/rows";
  {
    StagedRows left_by_a_crash({folder, 1000});
    ASSERT_TRUE(left_by_a_crash.add(segment(5000, 6000, "old ")));
    std::filesystem::copy(folder, folder + ".kept");
  }
  std::filesystem::rename(folder + ".kept", folder);
  {
    StagedRows rows({folder, 1000});
    for (int i = 0; i < 3000; i += 500) ASSERT_TRUE(rows.add(segment(i, i + 500, "value ")));
    EXPECT_LE(rows.most_bytes_held(), 1100U);
    EXPECT_EQ(all(rows, "c").size(), 3000U) << "and nothing of another run";
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(StagedRows, AFewNeedNoDisk) {
  const testing::TempDir dir;
  StagedRows rows({dir.path() + "/rows", 1 << 20});
  ASSERT_TRUE(rows.add(segment(0, 100, "value ")));
  EXPECT_EQ(all(rows, "c").size(), 100U);
  EXPECT_FALSE(std::filesystem::exists(dir.path() + "/rows"));
}

}  // namespace
}  // namespace shoebox::backup
