#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;
using FilesEvictedTest = FilesFixture;

TEST_F(FilesEvictedTest, HeadAndTailCostNoRequest) {
  const std::string bytes = random_bytes(2'000'001, 1);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  Handle handle = open(inode);
  EXPECT_FALSE(files->complete_local(*handle));
  EXPECT_EQ(*read(handle, 0, kHeadBytes), bytes.substr(0, kHeadBytes));
  EXPECT_EQ(*read(handle, bytes.size() - kTailBytes, kTailBytes), bytes.substr(bytes.size() - kTailBytes));
  EXPECT_EQ(source->requests(), 0);
  files->release(handle);
}

TEST_F(FilesEvictedTest, ReadingInTheMiddleFetchesOnlyItsBlocks) {
  const std::string bytes = random_bytes(3'000'000, 2);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  Handle handle = open(inode);
  EXPECT_EQ(*read(handle, 1'000'000, 1000), bytes.substr(1'000'000, 1000));
  EXPECT_EQ(source->requests(), 1);
  EXPECT_EQ(*read(handle, 1'000'100, 1000), bytes.substr(1'000'100, 1000));
  EXPECT_EQ(source->requests(), 1);
  ASSERT_EQ(source->all_found().size(), 1U) << "the second read, which waited for nothing";
  EXPECT_EQ(source->all_found()[0].second, (ByteRange{1'000'100, 1'001'100}));
  EXPECT_LT(*contents->local_bytes(content_of(inode)), 3 * kBlockBytes);
  files->release(handle);
}

TEST_F(FilesEvictedTest, ReadingAllMakesItLocalAgain) {
  source->use_threads();
  const std::string bytes = random_bytes(1'500'000, 3);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  Handle handle = open(inode);
  EXPECT_EQ(*read(handle, 0, bytes.size()), bytes);
  EXPECT_TRUE(files->complete_local(*handle));
  files->release(handle);
  EXPECT_EQ(record(content_of(inode)).residence, Residence::kLocal);
}

TEST_F(FilesEvictedTest, AReadThatCannotBeServedFails) {
  const std::string bytes = random_bytes(1'500'000, 4);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  Handle handle = open(inode);
  source->fail_with(Status(Code::kUnavailable, "offline"));
  EXPECT_EQ(read(handle, 500'000, 100).code(), Code::kUnavailable);
  files->set_source(nullptr);
  EXPECT_EQ(read(handle, 500'000, 100).code(), Code::kUnavailable);
  EXPECT_EQ(*read(handle, 0, 100), bytes.substr(0, 100));
  files->release(handle);
}

TEST_F(FilesEvictedTest, WritingFetchesTheRestFirst) {
  const std::string bytes = random_bytes(1'500'000, 5);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  Handle handle = open(inode, for_writing());
  EXPECT_EQ(source->requests(), 0) << "open alone reads nothing";
  write(handle, 700'000, "changed");
  close(handle);
  files->drain();
  std::string expected = bytes;
  expected.replace(700'000, 7, "changed");
  EXPECT_EQ(read_all(inode), expected);
}

TEST_F(FilesEvictedTest, OpenAsyncForWritingFetchesBeforeItAnswers) {
  source->use_threads();
  const std::string bytes = random_bytes(10'000'000, 6);
  const InodeNo inode = make_evicted("a.mp4", bytes);
  std::promise<Result<Handle>> answer;
  files->open_async(inode, for_writing(), CancelToken(),
                    [&](auto handle) { answer.set_value(std::move(handle)); });
  Result<Handle> handle = answer.get_future().get();
  ASSERT_TRUE(handle) << handle.status().message();
  EXPECT_TRUE(files->complete_local(**handle));
  EXPECT_EQ(source->requests(), 2);
  files->release(*handle);
}

TEST_F(FilesEvictedTest, OpenAsyncFailsWithTheSource) {
  const InodeNo inode = make_evicted("a.mp4", random_bytes(1'000'000, 7));
  source->fail_with(Status(Code::kTimeout, "too slow"));
  Code code = Code::kOk;
  files->open_async(inode, for_writing(), CancelToken(), [&](auto handle) { code = handle.code(); });
  EXPECT_EQ(code, Code::kTimeout);
  EXPECT_FALSE(files->is_open(inode));
}

TEST_F(FilesEvictedTest, TruncatingAnEvictedFileFetchesNothing) {
  const InodeNo inode = make_evicted("a.jpg", random_bytes(1'500'000, 8));
  Handle handle = open(inode, truncating());
  write(handle, 0, "new");
  close(handle);
  files->drain();
  EXPECT_EQ(source->requests(), 0);
  EXPECT_EQ(read_all(inode), "new");
}

TEST_F(FilesEvictedTest, RotFoundWhileAFileIsOpenIsNotServed) {
  const std::string bytes = random_bytes(1'500'000, 9);
  const InodeNo inode = make("a.jpg", bytes);
  const ContentNo content = content_of(inode);
  mark_decoded(content);
  confirm(content);
  Handle handle = open(inode);
  EXPECT_EQ(*read(handle, 600'000, 10), bytes.substr(600'000, 10));
  spoil(path_of("objects", content), 600'000);
  EXPECT_EQ(*contents->discard_rotten(content), 1U);
  EXPECT_EQ(*read(handle, 600'000, 10), bytes.substr(600'000, 10));
  EXPECT_EQ(source->requests(), 1);
  files->release(handle);
}

TEST_F(FilesEvictedTest, AnOriginalThatVanishedFromTheDiskIsFetched) {
  const std::string bytes = random_bytes(900'000, 10);
  const InodeNo inode = make("a.jpg", bytes);
  confirm(content_of(inode));
  std::filesystem::remove(path_of("objects", content_of(inode)));
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(FilesEvictedTest, AnOriginalThatTheDiskCutShortIsFetched) {
  const std::string bytes = random_bytes(900'000, 12);
  const InodeNo inode = make("a.jpg", bytes);
  confirm(content_of(inode));
  std::filesystem::resize_file(path_of("objects", content_of(inode)), 300'000);
  EXPECT_EQ(read_all(inode), bytes);
  EXPECT_EQ(record(content_of(inode)).residence, Residence::kLocal) << "whole again";
}

TEST_F(FilesEvictedTest, OfAnOriginalThatWasCutShortAndIsNowhereElseWhatIsMissingIsAnError) {
  const std::string bytes = random_bytes(900'000, 13);
  const InodeNo inode = make("a.jpg", bytes);
  std::filesystem::resize_file(path_of("objects", content_of(inode)), 300'000);
  Handle handle = open(inode);
  EXPECT_EQ(*read(handle, 299'000, 1000), bytes.substr(299'000, 1000));
  EXPECT_EQ(read(handle, 299'001, 1000).code(), Code::kDataLoss);
  EXPECT_EQ(read(handle, 600'000, 1000).code(), Code::kDataLoss);
  EXPECT_FALSE(files->complete_local(*handle)) << "the kernel does not read it by itself";
  files->release(handle);
}

// As fsck --repair leaves it.
TEST_F(FilesEvictedTest, AnOriginalThatWasCutShortAndIsReadFromARemoteFromNowOnIsFetched) {
  const std::string bytes = random_bytes(900'000, 14);
  const InodeNo inode = make("a.jpg", bytes);
  const ContentNo content = content_of(inode);
  confirm(content);
  std::filesystem::resize_file(path_of("objects", content), 300'000);
  {
    const auto txn = catalog->begin();
    ContentRecord now = record(content);
    now.residence = Residence::kPartial;
    txn->put_content(content, now);
    ASSERT_TRUE(txn->commit());
  }
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(FilesEvictedTest, SeekSeesDataWhereBytesAreNotHere) {
  const std::string bytes = random_bytes(1'500'000, 11);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  Handle handle = open(inode);
  EXPECT_EQ(*files->seek(handle, 700'000, SEEK_DATA), 700'000U);
  EXPECT_EQ(*files->seek(handle, 0, SEEK_HOLE), bytes.size());
  EXPECT_GE(files->blocks_of(inode, inode_record(inode)), (kHeadBytes + kTailBytes) / 512);
  files->release(handle);
}

TEST_F(FilesEvictedTest, ReadsThatRaceEvictionAndFetchAreExact) {
  source->use_threads();
  const std::string bytes = random_bytes(1'100'000, 12);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  const ContentNo content = content_of(inode);
  std::atomic<bool> stop{false};
  std::atomic<int> wrong{0};
  std::atomic<int> failed{0};
  std::atomic<int> exact{0};
  std::vector<std::thread> threads;
  for (int reader = 0; reader < 3; ++reader) {
    threads.emplace_back([&, reader] {
      std::mt19937_64 random(static_cast<uint64_t>(reader));
      while (!stop) {
        const auto handle = files->open(inode, {});
        if (!handle) {
          ++failed;
          continue;
        }
        for (int i = 0; i < 4; ++i) {
          const uint64_t offset = random() % (bytes.size() - 30'000);
          const auto got = read(*handle, offset, 30'000);
          if (!got) {
            ++failed;
          } else if (*got != bytes.substr(offset, 30'000)) {
            ++wrong;
          } else {
            ++exact;
          }
        }
        files->release(*handle);
      }
    });
  }
  // Without the evictor's check, which would leave a file that is open.
  threads.emplace_back([&] {
    while (!stop) (void)contents->evict(content);
  });
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (std::chrono::steady_clock::now() < end && wrong == 0) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
  source->join();
  EXPECT_EQ(wrong, 0);
  EXPECT_GT(exact, 0);
  // Losing every race four times is an error, not wrong bytes, and rare.
  EXPECT_LE(failed, exact / 10 + 1);
}

}  // namespace
}  // namespace shoebox
