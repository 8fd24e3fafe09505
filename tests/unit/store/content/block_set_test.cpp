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
    std::vector<bool> pages((size + kPage - 1) / kPage, false);
    const auto page_range = [&](uint64_t page) {
      return ByteRange{page * kPage, std::min((page + 1) * kPage, size)};
    };
    for (int step = 0; step < 40; ++step) {
      uint64_t begin = random() % (size + 10);
      uint64_t end = random() % (size + 10);
      if (begin > end) std::swap(begin, end);
      const bool add = random() % 3 != 0;
      add ? set.add({begin, end}) : set.remove({begin, end});
      uint64_t count = 0;
      for (uint64_t page = 0; page < pages.size(); ++page) {
        const ByteRange range = page_range(page);
        const bool inside = begin <= range.begin && end >= range.end && begin < end;
        const bool touches = begin < range.end && end > range.begin;
        if (add ? inside : touches) pages[page] = add;
        if (pages[page]) count += range.size();
      }
      ASSERT_EQ(set.bytes(), count);
      ASSERT_EQ(set.complete(), count == size);
      std::vector<bool> present(pages.size(), true);
      for (const ByteRange& gap : set.missing({0, size})) {
        for (uint64_t page = gap.begin / kPage; page * kPage < gap.end; ++page) present[page] = false;
      }
      ASSERT_EQ(present, pages);
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
