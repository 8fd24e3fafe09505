// Contents whose hashes nobody knows: parts of them come first, their hashes with the last block.
#include "tests/unit/store/content/content_fixture.h"

namespace shoebox {
namespace {

using testing::ContentFixture;
using testing::random_bytes;

constexpr size_t kSize = 1'000'000;

class ContentAdoptedTest : public ContentFixture {
 protected:
  // As adopting does: parts, then the record.
  ContentNo adopted(const std::string& bytes) {
    auto transaction = catalog->begin();
    const ContentNo content = transaction->new_content_no();
    std::vector<ContentStore::Part> parts;
    for (const ByteRange& range : kept_ranges(bytes.size()))
      parts.push_back({range.begin, bytes.substr(range.begin, range.size())});
    EXPECT_TRUE(contents->put_adopted(content, bytes.size(), parts));
    EXPECT_TRUE(contents->sync_adopted({}));
    ContentRecord now;
    now.state = ContentState::kAdopted;
    now.residence = Residence::kPartial;
    now.size = bytes.size();
    now.references = 1;
    transaction->put_content(content, now);
    transaction->put_copy(content, "nas", {"a.jpg", "etag", bytes.size(), 1, "Library/a.jpg"});
    EXPECT_TRUE(transaction->commit());
    return content;
  }
  [[nodiscard]] bool is_here(ContentNo content, ByteRange range) const {
    return contents->missing(content, range)->empty();
  }
};

TEST_F(ContentAdoptedTest, ItsHeadAndTailAreHereAndNothingElse) {
  const std::string bytes = random_bytes(kSize, 1);
  const ContentNo content = adopted(bytes);
  for (int round = 0; round < 2; ++round) {
    EXPECT_TRUE(is_here(content, {0, kHeadBytes}));
    EXPECT_TRUE(is_here(content, {kSize - kTailBytes, kSize}));
    EXPECT_FALSE(is_here(content, {0, kSize}));
    std::string head(kHeadBytes, '\0');
    const auto fd = contents->open_partial(content);
    ASSERT_TRUE(fd);
    ASSERT_TRUE(pread_full(fd->get(), head.data(), head.size(), 0));
    EXPECT_TRUE(head == bytes.substr(0, kHeadBytes));
    const uint64_t kept = kept_ranges(kSize)[0].size() + kept_ranges(kSize)[1].size();
    EXPECT_EQ(contents->local_total_bytes(), kept);
    reopen();
  }
}

TEST_F(ContentAdoptedTest, TheLastBlockMakesItsHashesKnown) {
  const std::string bytes = random_bytes(kSize, 2);
  const ContentNo content = adopted(bytes);
  store_all(content, bytes);
  const ContentRecord now = record(content);
  EXPECT_EQ(now.state, ContentState::kSealed);
  EXPECT_EQ(now.residence, Residence::kLocal);
  EXPECT_EQ(now.sha256, sha256(bytes));
  EXPECT_EQ(catalog->block_hashes(content)->size(), block_count(kSize));
  EXPECT_TRUE(all_of(path_of("objects", content)) == bytes);
  EXPECT_EQ(contents->local_total_bytes(), kSize);
  // From now on it is a content like any other.
  ASSERT_TRUE(contents->evict(content));
  EXPECT_EQ(store(content, random_bytes(kSize, 3), 1).code(), Code::kDataLoss);
  EXPECT_TRUE(store(content, bytes, 1));
}

TEST_F(ContentAdoptedTest, ACallbackDecidesWhatBecomesOfTheHashes) {
  std::vector<std::pair<ContentNo, ContentHash>> told;
  contents->on_hashed([&](ContentNo content, const ContentHashes& hashes, Residence residence) -> Status {
    EXPECT_EQ(residence, Residence::kLocal);
    told.emplace_back(content, hashes.whole);
    return {Code::kNotFound, "erased meanwhile"};
  });
  const std::string bytes = random_bytes(kSize, 4);
  const ContentNo content = adopted(bytes);
  store_all(content, bytes);
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0], std::make_pair(content, sha256(bytes)));
  EXPECT_FALSE(in("objects", content)) << "the files of what was erased meanwhile go";
  EXPECT_EQ(contents->local_total_bytes(), 0U);
}

TEST_F(ContentAdoptedTest, ACrashBeforeTheHashesWereWrittenCostsNoSecondFetch) {
  const std::string bytes = random_bytes(kSize, 5);
  const ContentNo content = adopted(bytes);
  contents->on_hashed([](ContentNo, const ContentHashes&, Residence) -> Status {
    return {Code::kIo, "the process ends here"};
  });
  for (uint64_t index = 0; index + 1 < block_count(kSize); ++index) ASSERT_TRUE(store(content, bytes, index));
  EXPECT_FALSE(store(content, bytes, block_count(kSize) - 1));
  reopen();
  EXPECT_EQ(record(content).state, ContentState::kSealed);
  EXPECT_EQ(record(content).sha256, sha256(bytes));
  EXPECT_TRUE(all_of(path_of("objects", content)) == bytes);
  EXPECT_EQ(contents->local_total_bytes(), kSize);
}

TEST_F(ContentAdoptedTest, ADamagedListOfBlocksMeansThatNothingIsHere) {
  const std::string bytes = random_bytes(kSize, 6);
  const ContentNo content = adopted(bytes);
  contents.reset();
  spoil(path_of("partial", content) + ".blocks", 20);
  reopen();
  EXPECT_FALSE(is_here(content, {0, 1}));
  store_all(content, bytes);
  EXPECT_EQ(record(content).sha256, sha256(bytes));
}

TEST_F(ContentAdoptedTest, HashesFromElsewhereMakeLaterBlocksVerified) {
  const std::string bytes = random_bytes(kSize, 7);
  const ContentNo content = adopted(bytes);
  ASSERT_TRUE(store(content, bytes, 1));
  BlockHasher hasher;
  hasher.update(bytes.data(), bytes.size());
  ASSERT_TRUE(contents->adopted_hashes(content, hasher.finish()));
  EXPECT_EQ(record(content).state, ContentState::kSealed);
  EXPECT_EQ(record(content).residence, Residence::kPartial);
  EXPECT_EQ(store(content, random_bytes(kSize, 8), 2).code(), Code::kDataLoss);
  EXPECT_TRUE(is_here(content, block_range(1, kSize))) << "what was fetched before stays";
  store_all(content, bytes);
  EXPECT_EQ(record(content).residence, Residence::kLocal);
}

TEST_F(ContentAdoptedTest, ASmallOneIsAnObjectAtOnce) {
  const std::string bytes = random_bytes(5000, 9);
  auto transaction = catalog->begin();
  const ContentNo content = transaction->new_content_no();
  ASSERT_TRUE(contents->put_adopted(content, bytes.size(), {{0, bytes}}));
  EXPECT_FALSE(in("objects", content));
  ASSERT_TRUE(contents->sync_adopted({content}));
  EXPECT_EQ(files_in(library() + "/partial"), 0U);
  EXPECT_TRUE(all_of(path_of("objects", content)) == bytes);
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
}

TEST_F(ContentAdoptedTest, PartsWithoutARecordGoAtTheNextMount) {
  const std::string bytes = random_bytes(kSize, 10);
  ASSERT_TRUE(contents->put_adopted(ContentNo(500), kSize, {{0, bytes.substr(0, kHeadBytes)}}));
  reopen();
  EXPECT_EQ(files_in(library() + "/partial"), 0U);
  EXPECT_EQ(rescued, 0U);
}

TEST_F(ContentAdoptedTest, EvictingOneThatWasNeverReadIsNothing) {
  const ContentNo content = adopted(random_bytes(kSize, 11));
  EXPECT_TRUE(contents->evict(content));
  EXPECT_TRUE(is_here(content, {0, kHeadBytes}));
}

}  // namespace
}  // namespace shoebox
