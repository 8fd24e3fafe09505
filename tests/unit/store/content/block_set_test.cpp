#include "store/content/block_set.h"

#include <gtest/gtest.h>

#include <random>

#include "store/content/content_store.h"

namespace shoebox {
namespace {

constexpr uint64_t kPage = BlockSet::kPageBytes;

TEST(KeptRanges, AreHeadAndTailWithTheTailStartingOnAPage) {
  const uint64_t size = 1'000'001;
  const std::vector<ByteRange> kept = kept_ranges(size);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0], (ByteRange{0, kHeadBytes}));
  EXPECT_EQ(kept[1].begin % kPage, 0U);
  EXPECT_LE(kept[1].begin, size - kTailBytes);
  EXPECT_GT(kept[1].begin + kPage, size - kTailBytes);
  EXPECT_EQ(kept[1].end, size);
}

TEST(KeptRanges, AreAllOfASmallContent) {
  EXPECT_EQ(kept_ranges(kKeepWholeBytes), (std::vector<ByteRange>{{0, kKeepWholeBytes}}));
  EXPECT_EQ(kept_ranges(kKeepWholeBytes + 1).size(), 2U);
  EXPECT_TRUE(kept_ranges(0).empty());
}

TEST(BlockSet, AddsOnlyPagesThatLieWhollyInTheRange) {
  BlockSet set(10 * kPage);
  set.add({1, 3 * kPage - 1});
  EXPECT_FALSE(set.contains({0, 1}));
  EXPECT_TRUE(set.contains({kPage, 2 * kPage}));
  EXPECT_FALSE(set.contains({2 * kPage, 2 * kPage + 1}));
  EXPECT_EQ(set.bytes(), kPage);
}

TEST(BlockSet, CountsAShortLastPage) {
  BlockSet set(2 * kPage + 10);
  set.add({2 * kPage, 2 * kPage + 10});
  EXPECT_EQ(set.bytes(), 10U);
  EXPECT_FALSE(set.complete());
  set.add({0, 2 * kPage});
  EXPECT_TRUE(set.complete());
  EXPECT_EQ(set.bytes(), 2 * kPage + 10);
}

TEST(BlockSet, MissingBlocksAreWholeBlocksWithinTheContent) {
  const uint64_t size = 3 * kBlockBytes + 100;
  BlockSet set(size);
  for (const ByteRange& range : kept_ranges(size)) set.add(range);
  EXPECT_TRUE(set.missing_blocks({0, kHeadBytes}).empty());
  EXPECT_EQ(set.missing_blocks({0, kHeadBytes + 1}), (std::vector<ByteRange>{{0, kBlockBytes}}));
  EXPECT_EQ(set.missing_blocks({0, size}), (std::vector<ByteRange>{{0, 3 * kBlockBytes}}));
  BlockSet none(size);
  EXPECT_EQ(none.missing_blocks({size - 1, size + 50}), (std::vector<ByteRange>{{3 * kBlockBytes, size}}));
}

TEST(BlockSet, AgreesWithASetOfPagesUnderRandomChanges) {
  std::mt19937_64 random(7);
  for (int round = 0; round < 50; ++round) {
    const uint64_t size = random() % (40 * kPage) + 1;
    BlockSet set(size);
    std::vector<bool> bytes(size, false);
    for (int step = 0; step < 40; ++step) {
      uint64_t begin = random() % (size + 10);
      uint64_t end = random() % (size + 10);
      if (begin > end) std::swap(begin, end);
      const bool add = random() % 3 != 0;
      add ? set.add({begin, end}) : set.remove({begin, end});
      for (uint64_t page = 0; page * kPage < size; ++page) {
        const uint64_t first = page * kPage;
        const uint64_t last = std::min(first + kPage, size);
        const bool inside = begin <= first && end >= last && begin < end;
        const bool touches = begin < last && end > first;
        if (add ? inside : touches) std::fill(bytes.begin() + first, bytes.begin() + last, add);
      }
      const auto count = static_cast<uint64_t>(std::count(bytes.begin(), bytes.end(), true));
      ASSERT_EQ(set.bytes(), count);
      ASSERT_EQ(set.complete(), count == size);
      std::vector<bool> gone(size, false);
      for (const ByteRange& gap : set.missing({0, size})) {
        std::fill(gone.begin() + static_cast<int64_t>(gap.begin),
                  gone.begin() + static_cast<int64_t>(gap.end), true);
      }
      for (uint64_t i = 0; i < size; ++i) ASSERT_NE(gone[i], bytes[i]) << i;
    }
    const auto again = BlockSet::decode(set.encode(), size);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->encode(), set.encode());
    EXPECT_EQ(again->bytes(), set.bytes());
  }
}

TEST(BlockSet, RefusesADamagedFile) {
  BlockSet set(100 * kPage);
  set.add({0, 50 * kPage});
  const std::string file = set.encode();
  EXPECT_EQ(BlockSet::decode(file, 99 * kPage).code(), Code::kDataLoss);
  EXPECT_EQ(BlockSet::decode("", 100 * kPage).code(), Code::kDataLoss);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string bad = file;
    bad[i] = static_cast<char>(bad[i] ^ 0x10);
    EXPECT_FALSE(BlockSet::decode(bad, 100 * kPage)) << i;
    EXPECT_FALSE(BlockSet::decode(file.substr(0, i), 100 * kPage)) << i;
  }
}

}  // namespace
}  // namespace shoebox
