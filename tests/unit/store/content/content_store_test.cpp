#include "store/content/content_store.h"

#include <future>
#include <thread>

#include "tests/unit/store/content/content_fixture.h"

namespace shoebox {
namespace {

using testing::ContentFixture;
using testing::random_bytes;
using ContentStoreTest = ContentFixture;

TEST_F(ContentStoreTest, SealingMovesStagingToObjectsAndMayBeRepeated) {
  const std::string bytes = random_bytes(10'000, 1);
  const ContentNo content = staged(bytes);
  EXPECT_TRUE(in("staging", content));
  ASSERT_TRUE(contents->seal(content));
  EXPECT_FALSE(in("staging", content));
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
  ASSERT_TRUE(contents->seal(content));
  const auto fd = contents->open_local(content);
  ASSERT_TRUE(fd);
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
}

TEST_F(ContentStoreTest, OneSyncOfTheFolderServesTheNextFiles) {
  const ContentNo first = staged(random_bytes(1000, 1));
  EXPECT_GT(files_in(library() + "/staging"), 1U);
  const ContentNo next = contents->new_staging_no();
  EXPECT_TRUE(in("staging", next)) << "made ahead";
  EXPECT_NE(contents->new_staging_no(), next);
  EXPECT_GT(catalog->begin()->new_content_no().value, next.value) << "nobody else gets its number";
  const auto fd = contents->create_staging(next);
  ASSERT_TRUE(fd) << fd.status().message();
  ASSERT_TRUE(pwrite_full(fd->get(), "x", 1, 0));
  EXPECT_TRUE(contents->sync_staging(next, fd->get()));
  EXPECT_EQ(contents->create_staging(next).code(), Code::kExists) << "each number once";
  contents.reset();
  EXPECT_TRUE(in("staging", first));
  EXPECT_EQ(files_in(library() + "/staging"), 2U) << "what nobody took goes at the end";
}

TEST_F(ContentStoreTest, CloningCopiesBytesAndHoles) {
  const std::string bytes = random_bytes(300'000, 2);
  const ContentNo content = sealed(bytes);
  const ContentNo copy(content.value + 1000);
  const auto fd = contents->clone_to_staging(content, copy);
  ASSERT_TRUE(fd) << fd.status().message();
  ASSERT_TRUE(pwrite_full(fd->get(), "x", 1, 0));
  EXPECT_EQ(all_of(path_of("staging", copy)).substr(1), bytes.substr(1));
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
}

TEST_F(ContentStoreTest, CloningAnEvictedContentIsRefusedUntilItIsFetched) {
  const std::string bytes = random_bytes(600'000, 3);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  EXPECT_EQ(contents->clone_to_staging(content, ContentNo(5000)).code(), Code::kUnavailable);
  store_all(content, bytes);
  EXPECT_TRUE(contents->clone_to_staging(content, ContentNo(5000)));
}

TEST_F(ContentStoreTest, EvictionKeepsHeadAndTailAndReadingThemMissesNothing) {
  const std::string bytes = random_bytes(1'000'001, 4);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  EXPECT_FALSE(in("objects", content));
  EXPECT_EQ(record(content).residence, Residence::kPartial);
  EXPECT_EQ(contents->open_local(content).code(), Code::kNotFound);
  const std::string partial = all_of(path_of("partial", content));
  ASSERT_EQ(partial.size(), bytes.size());
  uint64_t kept = 0;
  for (const ByteRange& range : kept_ranges(bytes.size())) {
    EXPECT_TRUE(contents->missing(content, range)->empty());
    EXPECT_EQ(partial.substr(range.begin, range.size()), bytes.substr(range.begin, range.size()));
    kept += range.size();
  }
  EXPECT_EQ(contents->local_total_bytes(), kept);
  EXPECT_EQ(*contents->missing(content, {0, bytes.size()}), (std::vector<ByteRange>{{0, bytes.size()}}));
}

TEST_F(ContentStoreTest, SmallContentsAreNotEvicted) {
  const ContentNo content = sealed(random_bytes(kKeepWholeBytes, 5));
  ASSERT_TRUE(contents->evict(content));
  EXPECT_TRUE(in("objects", content));
  EXPECT_EQ(record(content).residence, Residence::kLocal);
}

TEST_F(ContentStoreTest, ContentsThatAreBeingWrittenAreNotEvicted) {
  const ContentNo content = staged(random_bytes(1'000'000, 6));
  EXPECT_EQ(contents->evict(content).code(), Code::kBusy);
  EXPECT_TRUE(in("staging", content));
}

TEST_F(ContentStoreTest, ACheckThatRefusesLeavesTheObjectUntouched) {
  const std::string bytes = random_bytes(1'000'000, 7);
  const ContentNo content = sealed(bytes);
  int asked = 0;
  const Status refused = contents->evict(content, [&](const CatalogReader&, const ContentRecord&) {
    // Passes the first look and refuses inside the transaction.
    return ++asked < 2 ? Status::ok() : Status(Code::kBusy, "a job came in between");
  });
  EXPECT_EQ(refused.code(), Code::kBusy);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
  EXPECT_EQ(files_in(library() + "/partial"), 0U);
  EXPECT_TRUE(contents->missing(content, {0, bytes.size()})->empty());
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
}

TEST_F(ContentStoreTest, BlocksThatDoNotMatchTheirHashAreNotStored) {
  const std::string bytes = random_bytes(1'000'000, 8);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  std::string wrong = bytes;
  wrong[kBlockBytes + 5] = static_cast<char>(wrong[kBlockBytes + 5] ^ 1);
  EXPECT_EQ(store(content, wrong, 1).code(), Code::kDataLoss);
  EXPECT_EQ(contents->store_block(content, 1, "short").code(), Code::kDataLoss);
  EXPECT_EQ(contents->store_block(content, 99, "beyond").code(), Code::kInvalid);
  EXPECT_FALSE(contents->missing(content, {kBlockBytes, 2 * kBlockBytes})->empty());
}

TEST_F(ContentStoreTest, TheLastBlockMakesItAnObjectAgain) {
  const std::string bytes = random_bytes(1'000'001, 9);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  store_all(content, bytes);
  EXPECT_EQ(record(content).residence, Residence::kLocal);
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
  EXPECT_EQ(files_in(library() + "/partial"), 0U);
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
  EXPECT_TRUE(store(content, bytes, 0)) << "a block that came twice is no error";
}

TEST_F(ContentStoreTest, WhatIsStillBeingWrittenIsSettled) {
  const ContentNo content = contents->new_staging_no();
  ASSERT_TRUE(contents->create_staging(content));
  const auto transaction = catalog->begin();
  transaction->put_content(content, {.state = ContentState::kStaging, .size = 5});
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(contents->settle_fetched(content));
}

TEST_F(ContentStoreTest, TheLastBlockMayBeReadBeforeAllOfItIsHashed) {
  const std::string bytes = random_bytes(2 * kBlockBytes, 5);
  const ContentNo content = sealed(bytes);
  put_copy(content, "nas");
  ASSERT_TRUE(contents->evict(content));
  for (uint64_t index = 0; index < block_count(bytes.size()); ++index) {
    ASSERT_TRUE(contents->store_block(content, index,
                                      std::string_view(bytes).substr(index * kBlockBytes, kBlockBytes)));
  }
  EXPECT_TRUE(contents->missing(content, {0, bytes.size()})->empty());
  EXPECT_EQ(record(content).residence, Residence::kPartial);
  ASSERT_TRUE(contents->settle_fetched(content));
  EXPECT_EQ(record(content).residence, Residence::kLocal);
  EXPECT_TRUE(contents->open_local(content));
  EXPECT_TRUE(contents->settle_fetched(content)) << "nothing is left to do";
}

TEST_F(ContentStoreTest, AContentOfWhichNothingIsHereIsFetchedFromTheFirstBlockOn) {
  const std::string bytes = random_bytes(700'000, 10);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  contents.reset();
  std::filesystem::remove_all(library() + "/partial");
  reopen();
  EXPECT_EQ(*contents->missing(content, {0, bytes.size()}), (std::vector<ByteRange>{{0, bytes.size()}}));
  store_all(content, bytes);
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
}

TEST_F(ContentStoreTest, FetchedBlocksOutliveARestart) {
  const std::string bytes = random_bytes(2'000'000, 11);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  ASSERT_TRUE(store(content, bytes, 3));
  reopen();
  EXPECT_TRUE(contents->missing(content, block_range(3, bytes.size()))->empty());
  EXPECT_FALSE(contents->missing(content, block_range(4, bytes.size()))->empty());
}

TEST_F(ContentStoreTest, ALostListOfBlocksIsMadeAnewFromTheHashes) {
  const std::string bytes = random_bytes(2'000'000, 12);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  ASSERT_TRUE(store(content, bytes, 3));
  contents.reset();
  spoil(path_of("partial", content) + ".blocks", 20);
  reopen();
  EXPECT_TRUE(contents->missing(content, block_range(3, bytes.size()))->empty());
  EXPECT_FALSE(contents->missing(content, {0, 4096})->empty()) << "half blocks cannot be checked";
}

TEST_F(ContentStoreTest, RotInAnObjectIsDroppedWhenARemoteHasACopy) {
  const std::string bytes = random_bytes(1'000'000, 13);
  const ContentNo content = sealed(bytes);
  put_copy(content, "nas");
  EXPECT_EQ(*contents->discard_rotten(content), 0U);
  const uint64_t generation = contents->generation();
  spoil(path_of("objects", content), kBlockBytes + 100);
  EXPECT_EQ(*contents->discard_rotten(content), 1U);
  EXPECT_NE(contents->generation(), generation) << "readers must open it again";
  EXPECT_EQ(record(content).residence, Residence::kPartial);
  EXPECT_EQ(*contents->missing(content, {0, bytes.size()}),
            (std::vector<ByteRange>{{kBlockBytes, 2 * kBlockBytes}}));
  ASSERT_TRUE(store(content, bytes, 1));
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
}

TEST_F(ContentStoreTest, RotWithoutACopyIsKept) {
  const std::string bytes = random_bytes(1'000'000, 14);
  const ContentNo content = sealed(bytes);
  spoil(path_of("objects", content), 5);
  EXPECT_EQ(*contents->discard_rotten(content), 1U);
  EXPECT_TRUE(in("objects", content));
  EXPECT_EQ(record(content).residence, Residence::kLocal);
}

TEST_F(ContentStoreTest, AnObjectCutShortLosesOnlyItsEnd) {
  const std::string bytes = random_bytes(1'000'000, 15);
  const ContentNo content = sealed(bytes);
  put_copy(content, "nas");
  ASSERT_EQ(::truncate(path_of("objects", content).c_str(), 600'000), 0);
  EXPECT_EQ(*contents->discard_rotten(content), 2U);
  EXPECT_EQ(*contents->missing(content, {0, bytes.size()}),
            (std::vector<ByteRange>{{2 * kBlockBytes, bytes.size()}}));
}

TEST_F(ContentStoreTest, RotInAPartialIsFetchedAgain) {
  const std::string bytes = random_bytes(2'000'000, 16);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  ASSERT_TRUE(store(content, bytes, 3));
  ASSERT_TRUE(store(content, bytes, 4));
  spoil(path_of("partial", content), 3 * kBlockBytes);
  EXPECT_EQ(*contents->discard_rotten(content), 1U);
  EXPECT_FALSE(contents->missing(content, block_range(3, bytes.size()))->empty());
  EXPECT_TRUE(contents->missing(content, block_range(4, bytes.size()))->empty());
}

TEST_F(ContentStoreTest, RotThatAppearsWhileFetchingNeverBecomesAnObject) {
  const std::string bytes = random_bytes(1'000'000, 17);
  const ContentNo content = sealed(bytes);
  ASSERT_TRUE(contents->evict(content));
  ASSERT_TRUE(store(content, bytes, 0));
  spoil(path_of("partial", content), 17);
  for (uint64_t index = 1; index < block_count(bytes.size()); ++index)
    ASSERT_TRUE(store(content, bytes, index));
  EXPECT_FALSE(in("objects", content));
  EXPECT_EQ(*contents->missing(content, {0, bytes.size()}), (std::vector<ByteRange>{{0, kBlockBytes}}));
  ASSERT_TRUE(store(content, bytes, 0));
  EXPECT_EQ(all_of(path_of("objects", content)), bytes);
}

TEST_F(ContentStoreTest, EvictionDoesNotCarryRotOver) {
  const std::string bytes = random_bytes(1'000'000, 18);
  const ContentNo content = sealed(bytes);
  spoil(path_of("objects", content), 100);
  ASSERT_TRUE(contents->evict(content));
  EXPECT_FALSE(contents->missing(content, {0, 4096})->empty());
  EXPECT_TRUE(contents->missing(content, {bytes.size() - 1, bytes.size()})->empty());
}

TEST_F(ContentStoreTest, ANumberThatMeansOtherBytesShowsNoneOfTheFormerOnes) {
  const std::string former = random_bytes(kBlockBytes + 5000, 1);
  const std::string other = random_bytes(former.size(), 2);  // as long: nothing but the hash tells
  for (const bool open_partly : {false, true}) {
    const ContentNo content = sealed(former);
    put_copy(content, "nas");
    if (open_partly) {
      ASSERT_TRUE(contents->evict(content));
      ASSERT_TRUE(contents->open_partial(content));
    }
    auto until = contents->replace_bytes({content});
    ASSERT_TRUE(until) << until.status().message();
    EXPECT_EQ(record(content).residence, Residence::kPartial);
    EXPECT_EQ(contents->open_local(content).code(), Code::kNotFound);
    EXPECT_EQ(contents->discard_rotten(content).code(), Code::kBusy) << "who has a claim does not wait";
    auto opened = std::async(std::launch::async, [&] { return contents->open_partial(content).is_ok(); });
    EXPECT_EQ(opened.wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
    mark_sealed(content, other);
    until->reset();
    EXPECT_TRUE(opened.get());
    const ByteRange all{0, other.size()};
    EXPECT_EQ(*contents->missing(content, all), std::vector<ByteRange>{all});
    for (uint64_t index = 0; index < block_count(other.size()); ++index)
      ASSERT_TRUE(store(content, other, index));
    const auto fd = contents->open_local(content);
    ASSERT_TRUE(fd);
    std::string bytes(other.size(), '\0');
    ASSERT_TRUE(pread_full(fd->get(), bytes.data(), bytes.size(), 0));
    EXPECT_TRUE(bytes == other);
  }
}

TEST_F(ContentStoreTest, FilesOfErasedContentsGo) {
  const ContentNo object = sealed(random_bytes(500'000, 19));
  const ContentNo partial = sealed(random_bytes(600'000, 20));
  ASSERT_TRUE(contents->evict(partial));
  auto transaction = catalog->begin();
  ASSERT_TRUE(transaction->erase_content(object));
  ASSERT_TRUE(transaction->erase_content(partial));
  ASSERT_TRUE(transaction->commit());
  contents->drain_removals();
  EXPECT_FALSE(in("objects", object));
  EXPECT_EQ(files_in(library() + "/partial"), 0U);
  EXPECT_EQ(contents->local_total_bytes(), 0U);
}

TEST_F(ContentStoreTest, ReadersOfAContentThatMovesToAndFroSeeOnlyItsBytes) {
  // Readers open first and ask missing() then, as Files does, while one thread evicts and another
  // fetches: what missing() calls present must be right in what they have open.
  const std::string bytes = random_bytes(600'000, 21);
  const ContentNo content = sealed(bytes);
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> exact{0};
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937_64 random(static_cast<uint64_t>(reader));
      std::string buffer(20'000, '\0');
      while (!stop) {
        const uint64_t offset = random() % (bytes.size() - buffer.size());
        bool complete = true;
        Result<UniqueFd> fd = contents->open_local(content);
        if (!fd) {
          complete = false;
          fd = contents->open_partial(content);
        }
        if (!fd) continue;  // moved between the two looks
        if (!complete) {
          const auto gaps = contents->missing(content, {offset, offset + buffer.size()});
          if (!gaps || !gaps->empty()) continue;
        }
        const auto got = pread_full(fd->get(), buffer.data(), buffer.size(), offset);
        if (!got || *got != buffer.size() || buffer != bytes.substr(offset, buffer.size())) ++wrong;
        ++exact;
      }
    });
  }
  threads.emplace_back([&] {
    while (!stop) (void)contents->evict(content);
  });
  threads.emplace_back([&] {
    std::mt19937_64 random(99);
    while (!stop) (void)store(content, bytes, random() % block_count(bytes.size()));
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end && wrong == 0) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(exact, 0U);
}

}  // namespace
}  // namespace shoebox
