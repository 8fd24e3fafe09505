// What a crash leaves between the steps of a move, and what the next mount makes of it.
#include "store/catalog/keys.h"
#include "tests/unit/store/content/content_fixture.h"

namespace shoebox {
namespace {

using testing::ContentFixture;
using testing::random_bytes;

class ContentRecoverTest : public ContentFixture {
 protected:
  // The process ends here; what it had in memory is gone.
  void crash() {
    contents.reset();
    catalog.reset();
  }
};

TEST_F(ContentRecoverTest, StagingWithoutARecordGoesToRecovered) {
  const std::string bytes = random_bytes(5000, 1);
  const auto fd = contents->create_staging(ContentNo(777));
  ASSERT_TRUE(pwrite_full(fd->get(), bytes.data(), bytes.size(), 0));
  reopen();
  EXPECT_EQ(rescued, 1U);
  EXPECT_FALSE(in("staging", ContentNo(777)));
  EXPECT_EQ(all_of(library() + "/recovered/staging-777"), bytes);
  // A second file of that number does not replace the first.
  ASSERT_TRUE(contents->create_staging(ContentNo(777)));
  ASSERT_EQ(::truncate(path_of("staging", ContentNo(777)).c_str(), 3), 0);
  reopen();
  EXPECT_EQ(all_of(library() + "/recovered/staging-777"), bytes);
  EXPECT_EQ(all_of(library() + "/recovered/staging-777-2").size(), 3U);
}

TEST_F(ContentRecoverTest, NamesThatWereMadeAheadGo) {
  const ContentNo content = staged(random_bytes(5000, 2));
  const ContentNo given = contents->new_staging_no();
  // As a kill leaves them: the destructor would have taken them away.
  contents.reset();
  for (uint64_t number = given.value; number < given.value + 5; ++number) {
    std::ofstream(path_of("staging", ContentNo(number)));
  }
  reopen();
  EXPECT_EQ(rescued, 0U);
  EXPECT_TRUE(in("staging", content));
  EXPECT_EQ(files_in(library() + "/staging"), 1U);
}

TEST_F(ContentRecoverTest, StagingWithARecordStays) {
  const ContentNo content = staged(random_bytes(5000, 2));
  reopen();
  EXPECT_EQ(rescued, 0U);
  EXPECT_TRUE(in("staging", content));
}

TEST_F(ContentRecoverTest, ASealThatTheDiskLostIsDoneAgain) {
  const std::string bytes = random_bytes(5000, 3);
  const ContentNo content = sealed(bytes);
  crash();
  std::filesystem::rename(path_of("objects", content), path_of("staging", content));
  reopen();
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
}

TEST_F(ContentRecoverTest, AnEvictionBeforeItsCommitDidNotHappen) {
  const std::string bytes = random_bytes(1'000'000, 4);
  const ContentNo content = sealed(bytes);
  crash();
  std::ofstream(path_of("partial", content)) << std::string(bytes.size(), '\0');
  std::ofstream(path_of("partial", content) + ".blocks") << BlockSet(bytes.size()).encode();
  std::ofstream(path_of("partial", content) + ".tmp") << "half";
  reopen();
  EXPECT_EQ(files_in(library() + "/partial"), 0U);
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
  EXPECT_TRUE(contents->missing(content, {0, bytes.size()})->empty());
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
}

TEST_F(ContentRecoverTest, AnEvictionAfterItsCommitIsFinished) {
  const std::string bytes = random_bytes(1'000'000, 5);
  const ContentNo content = sealed(bytes);
  std::filesystem::copy_file(path_of("objects", content), library() + "/saved");
  ASSERT_TRUE(contents->evict(content));
  const uint64_t kept = contents->local_total_bytes();
  crash();
  std::filesystem::rename(library() + "/saved", path_of("objects", content));
  reopen();
  EXPECT_FALSE(in("objects", content));
  EXPECT_TRUE(contents->missing(content, {0, kHeadBytes})->empty());
  EXPECT_FALSE(contents->missing(content, {0, bytes.size()})->empty());
  EXPECT_EQ(contents->local_total_bytes(), kept);
}

TEST_F(ContentRecoverTest, ACompletionBeforeItsCommitIsFinished) {
  const std::string bytes = random_bytes(1'000'000, 6);
  const ContentNo content = sealed(bytes);
  crash();
  reopen();
  ContentRecord partial = record(content);
  partial.residence = Residence::kPartial;
  put_record(content, partial);
  reopen();
  EXPECT_EQ(record(content).residence, Residence::kLocal);
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
}

TEST_F(ContentRecoverTest, AnObjectThatTheCatalogCallsPartialIsTrustedOnlyWhereItsHashesAgree) {
  const std::string bytes = random_bytes(1'000'000, 7);
  const ContentNo content = sealed(bytes);
  ContentRecord partial = record(content);
  partial.residence = Residence::kPartial;
  put_record(content, partial);
  crash();
  spoil(path_of("objects", content), 2 * kBlockBytes);
  reopen();
  EXPECT_EQ(record(content).residence, Residence::kPartial);
  EXPECT_EQ(*contents->missing(content, {0, bytes.size()}),
            (std::vector<ByteRange>{{2 * kBlockBytes, 3 * kBlockBytes}}));
  EXPECT_EQ(contents->local_total_bytes(), bytes.size() - kBlockBytes);
}

TEST_F(ContentRecoverTest, RotFoundBeforeItsCommitBecomesPartial) {
  const std::string bytes = random_bytes(1'000'000, 8);
  const ContentNo content = sealed(bytes);
  BlockSet good(bytes.size());
  good.add({0, kBlockBytes});
  crash();
  std::filesystem::rename(path_of("objects", content), path_of("partial", content));
  std::ofstream(path_of("partial", content) + ".blocks") << good.encode();
  reopen();
  EXPECT_EQ(record(content).residence, Residence::kPartial);
  EXPECT_TRUE(contents->missing(content, {0, kBlockBytes})->empty());
  EXPECT_FALSE(contents->missing(content, {0, bytes.size()})->empty());
}

// A crash between the list of what stays and the file that has no more, or before the list of what came last.
TEST_F(ContentRecoverTest, WhatAListDoesNotNameTakesNoRoom) {
  const std::string bytes = random_bytes(4'000'000, 23);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  const uint64_t kept = contents->local_total_bytes();
  const std::string list = all_of(path_of("partial", content) + ".blocks");
  for (uint64_t index = 4; index < 8; ++index) {
    const std::string block = bytes.substr(index * kBlockBytes, kBlockBytes);
    ASSERT_TRUE(contents->store_block(content, index, block));
  }
  crash();
  std::ofstream(path_of("partial", content) + ".blocks") << list;
  reopen();
  struct stat st {};
  ASSERT_EQ(::stat(path_of("partial", content).c_str(), &st), 0);
  EXPECT_LT(static_cast<uint64_t>(st.st_blocks) * 512, kept + kBlockBytes);
  EXPECT_EQ(static_cast<uint64_t>(st.st_size), bytes.size());
  EXPECT_EQ(contents->local_total_bytes(), kept);
  EXPECT_EQ(contents->missing(content, {0, kHeadBytes})->size(), 0U);
  EXPECT_EQ(all_of(path_of("partial", content)).substr(0, kHeadBytes), bytes.substr(0, kHeadBytes));
  EXPECT_EQ(all_of(path_of("partial", content)).substr(bytes.size() - kTailBytes / 2),
            bytes.substr(bytes.size() - kTailBytes / 2));
}

TEST_F(ContentRecoverTest, FilesOfAnErasedContentGo) {
  const ContentNo object = sealed(random_bytes(1000, 20));
  const ContentNo partial = sealed(random_bytes(800'000, 21));
  const ContentNo kept = sealed(random_bytes(1000, 22));
  ASSERT_TRUE(contents->evict(partial));
  crash();
  auto opened = Catalog::open(library() + "/catalog", {});
  ASSERT_TRUE(opened);
  auto transaction = (*opened)->begin();
  ASSERT_TRUE(transaction->erase_content(object));
  ASSERT_TRUE(transaction->erase_content(partial));
  ASSERT_TRUE(transaction->commit());
  transaction.reset();
  opened->reset();
  reopen();
  EXPECT_EQ(rescued, 0U) << "their owner let them go";
  EXPECT_TRUE(std::filesystem::is_empty(library() + "/recovered"));
  EXPECT_FALSE(std::filesystem::exists(path_of("objects", object)));
  EXPECT_FALSE(std::filesystem::exists(path_of("partial", partial)));
  EXPECT_FALSE(std::filesystem::exists(path_of("partial", partial) + ".blocks"));
  EXPECT_TRUE(std::filesystem::exists(path_of("objects", kept)));
  EXPECT_EQ(contents->local_total_bytes(), 1000U);
  const std::string prefix = keys::meta(keys::kMetaErased);
  ASSERT_TRUE(catalog->scan(prefix, prefix, [](std::string_view key, std::string_view) {
    ADD_FAILURE() << "still noted: " << key;
    return true;
  }));
}

TEST_F(ContentRecoverTest, AnObjectWithoutARecordIsKeptAside) {
  const std::string bytes = random_bytes(1000, 9);
  const ContentNo content = sealed(bytes);
  crash();
  auto opened = Catalog::open(library() + "/catalog", {});
  ASSERT_TRUE(opened);
  auto transaction = (*opened)->begin();
  transaction->put_raw(keys::content(content), std::nullopt);  // lost, not erased
  ASSERT_TRUE(transaction->commit());
  transaction.reset();
  opened->reset();
  reopen();
  EXPECT_EQ(rescued, 1U);
  EXPECT_EQ(all_of(library() + "/recovered/object-" + std::to_string(content.value)), bytes);
}

TEST_F(ContentRecoverTest, RecoveringTwiceChangesNothing) {
  const std::string bytes = random_bytes(1'000'000, 10);
  const ContentNo object = sealed(bytes);
  const ContentNo partial = sealed(random_bytes(800'000, 11));
  const ContentNo staging = staged(random_bytes(100, 12));
  ASSERT_TRUE(contents->evict(partial));
  reopen();
  const uint64_t total = contents->local_total_bytes();
  reopen();
  EXPECT_EQ(contents->local_total_bytes(), total);
  EXPECT_TRUE(in("objects", object));
  EXPECT_TRUE(in("partial", partial));
  EXPECT_TRUE(in("staging", staging));
}

}  // namespace
}  // namespace shoebox
