// When written bytes are hashed: large files as they come, photos when they are sealed, never wrongly.
#include <atomic>
#include <thread>

#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;
using FilesHashTest = FilesFixture;

TEST_F(FilesHashTest, AnEditWhileALargeFileIsHashedAsItComesIsNotMissed) {
  std::string bytes = random_bytes(18'000'000, 6);
  const InodeNo inode = create("a.mp4");
  Handle handle = open(inode, for_writing());
  write_all(handle, std::string_view(bytes).substr(0, 17'000'000));
  write(handle, 5'000'000, "edited");
  bytes.replace(5'000'000, 6, "edited");
  for (uint64_t at = 17'000'000; at < bytes.size(); at += 100'000) {
    write(handle, at, std::string_view(bytes).substr(at, 100'000));
  }
  close(handle);
  files->drain();
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes));
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(FilesHashTest, APhotoIsHashedWhenItIsSealed) {
  const std::string bytes = random_bytes(1'000'000, 5);
  const InodeNo inode = make("a.jpg", bytes);
  EXPECT_EQ(files->counters().hashed_again, bytes.size()) << "once, and not twice";
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes));
  EXPECT_EQ(catalog->block_hashes(content_of(inode))->size(), 4U);
  EXPECT_EQ(sealed_contents, (std::vector<ContentNo>{content_of(inode)}));
}

TEST_F(FilesHashTest, WritesOfSeveralThreadsAreHashedAsTheyStand) {
  const InodeNo inode = create("a.jpg");
  constexpr size_t kPieces = 1900;  // more than is left to be hashed later
  const std::string bytes = random_bytes(kPieces * 10'000, 9);
  Handle handle = open(inode, for_writing());
  std::atomic<size_t> next{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (size_t piece = next++; piece < kPieces; piece = next++) {
        write(handle, piece * 10'000, std::string_view(bytes).substr(piece * 10'000, 10'000));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  close(handle);
  files->drain();
  EXPECT_EQ(read_all(inode), bytes);
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes));
}

TEST_F(FilesHashTest, BytesAreAcknowledgedBeforeTheyAreHashed) {
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  int calls = 0;
  files->write(handle, 0, "first", [&](const Result<size_t>& written) {
    ++calls;
    EXPECT_EQ(*written, 5U);
    EXPECT_EQ(*read(handle, 0, 10), "first");
  });
  const Handle reader = open(inode, {});
  files->write(reader, 0, "no", [&](const Result<size_t>& written) {
    ++calls;
    EXPECT_EQ(written.code(), Code::kAccess);
  });
  EXPECT_EQ(calls, 2);
  files->release(reader);
  close(handle);
  files->drain();
  EXPECT_EQ(record(content_of(inode)).sha256, sha256("first"));
}

TEST_F(FilesHashTest, BytesWrittenInOrderAreNotReadAgainToSealThem) {
  const std::string bytes = random_bytes(18'000'000, 5);
  const InodeNo inode = make("a.jpg", bytes);
  EXPECT_EQ(files->counters().hashed_again, 0U);
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes));
  EXPECT_EQ(catalog->block_hashes(content_of(inode))->size(), 69U);
}

}  // namespace
}  // namespace shoebox
