#include <linux/falloc.h>

#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;
using FilesWriteTest = FilesFixture;

TEST_F(FilesWriteTest, WrittenBytesAreReadBeforeAndAfterSealing) {
  const std::string bytes = random_bytes(700'001, 1);
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write_all(handle, bytes);
  EXPECT_EQ(*read(handle, 0, bytes.size() + 10), bytes);
  EXPECT_EQ(*read(handle, 700'000, 100), bytes.substr(700'000));
  EXPECT_EQ(*read(handle, 700'001, 100), "");
  close(handle);
  files->drain();
  EXPECT_EQ(read_all(inode), bytes);
  EXPECT_TRUE(in("objects", content_of(inode)));
}

TEST_F(FilesWriteTest, FlushCommitsInodeContentAndUploadJobsAtOnce) {
  add_remote("s3");
  const std::string bytes = random_bytes(1000, 2);
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write(handle, 0, bytes);
  EXPECT_EQ(inode_record(inode).size, 0U) << "not yet";
  ASSERT_TRUE(files->flush(handle));
  EXPECT_EQ(inode_record(inode).size, bytes.size());
  const ContentNo content = content_of(inode);
  EXPECT_EQ(record(content).state, ContentState::kStaging);
  EXPECT_EQ(record(content).references, 1U);
  EXPECT_EQ(catalog->jobs_of_content(content)->size(), 2U);
  files->release(handle);
}

TEST_F(FilesWriteTest, WhatFlushAcknowledgedSurvivesTheProcess) {
  const std::string bytes = random_bytes(300'000, 3);
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write_all(handle, bytes);
  ASSERT_TRUE(files->flush(handle));
  files->release(handle);  // its seal is dropped by the restart, or not: both must do
  restart();
  EXPECT_EQ(rescued, 0U);
  EXPECT_EQ(read_all(inode), bytes);
  files->drain();
  EXPECT_EQ(record(content_of(inode)).state, ContentState::kSealed);
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes));
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(FilesWriteTest, BytesWrittenAfterTheLastFlushAreKeptAsTheyWereFound) {
  const std::string bytes = random_bytes(300'000, 4);
  const InodeNo inode = create("a.log");
  Handle handle = open(inode, for_writing());
  write(handle, 0, std::string_view(bytes).substr(0, 100'000));
  ASSERT_TRUE(files->flush(handle));
  write(handle, 100'000, std::string_view(bytes).substr(100'000));
  handle = nullptr;
  restart();
  files->drain();
  EXPECT_EQ(inode_record(inode).size, bytes.size());
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(FilesWriteTest, BytesThatWereNeverFlushedGoToRecovered) {
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write(handle, 0, "never acknowledged");
  handle = nullptr;
  restart();
  EXPECT_EQ(rescued, 1U);
  EXPECT_EQ(files_in(library() + "/recovered"), 1U);
  EXPECT_EQ(read_all(inode), "");
}

TEST_F(FilesWriteTest, ACleanHandleCommitsNothing) {
  const InodeNo inode = make("a.jpg", "bytes");
  const uint64_t commits = files->counters().commits;
  Handle handle = open(inode, for_writing());
  close(handle);
  Handle reader = open(inode);
  close(reader);
  files->drain();
  EXPECT_EQ(files->counters().commits, commits);
  EXPECT_EQ(files->counters().clones, 0U);
}

TEST_F(FilesWriteTest, BytesWrittenInAnyOrderAreHashedRight) {
  std::string bytes(400'000, '\0');
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  std::mt19937_64 random(6);
  for (int i = 0; i < 60; ++i) {
    const uint64_t offset = random() % 390'000;
    const std::string piece = random_bytes(random() % 9000 + 1, random());
    bytes.replace(offset, piece.size(), piece);
    write(handle, offset, piece);
  }
  InodeRecord live = inode_record(inode);
  files->overlay(inode, live);
  bytes.resize(live.size);
  close(handle);
  files->drain();
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes));
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(FilesWriteTest, WritingToASealedFileCopiesItAndLeavesTheObjectAlone) {
  const std::string bytes = random_bytes(300'000, 7);
  const InodeNo inode = make("notes.txt", bytes);
  const ContentNo old = content_of(inode);
  Handle reader = open(inode);
  Handle writer = open(inode, for_writing());
  write(writer, 10, "changed");
  std::string expected = bytes;
  expected.replace(10, 7, "changed");
  EXPECT_EQ(*read(reader, 0, bytes.size()), expected) << "one inode, one truth";
  EXPECT_EQ(all_of(path_of("objects", old)), bytes) << "sealed bytes are never written";
  close(writer);
  close(reader);
  files->drain();
  EXPECT_NE(content_of(inode), old);
  EXPECT_EQ(read_all(inode), expected);
  EXPECT_EQ(files->counters().clones, 1U);
}

TEST_F(FilesWriteTest, ReplacedBytesOfAPhotoBecomeAVersion) {
  const std::string bytes = random_bytes(300'000, 8);
  const InodeNo inode = make("a.jpg", bytes);
  const ContentNo old = content_of(inode);
  mark_decoded(old);
  const PhotoId photo = inode_record(inode).photo;
  ASSERT_TRUE(photo);
  Handle writer = open(inode, truncating());
  write(writer, 0, "edited");
  close(writer);
  files->drain();
  EXPECT_EQ(read_all(inode), "edited");
  const auto versions = *catalog->versions(photo);
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_EQ(versions[0].content, old);
  contents->drain_removals();
  EXPECT_EQ(all_of(path_of("objects", old)), bytes);
  EXPECT_FALSE(catalog->jobs_of_content(old)->empty()) << "what was not sent yet is still sent";
}

TEST_F(FilesWriteTest, ReplacedBytesOfOtherFilesGo) {
  const InodeNo inode = make(".hidden", random_bytes(300'000, 9));
  const ContentNo old = content_of(inode);
  Handle writer = open(inode, truncating());
  write(writer, 0, "new");
  close(writer);
  files->drain();
  contents->drain_removals();
  EXPECT_FALSE(in("objects", old));
  EXPECT_EQ(read_all(inode), "new");
}

TEST_F(FilesWriteTest, TruncatingWithoutAWriteIsCommitted) {
  const InodeNo inode = make("a.txt", "some bytes");
  Handle handle = open(inode, truncating());
  close(handle);
  files->drain();
  restart();
  EXPECT_EQ(inode_record(inode).size, 0U);
  EXPECT_FALSE(content_of(inode));
  EXPECT_EQ(read_all(inode), "");
}

TEST_F(FilesWriteTest, TruncateByPathShrinksAndGrowsWithZeros) {
  const InodeNo inode = make("a.txt", "0123456789");
  ASSERT_TRUE(files->truncate(inode, 4));
  files->drain();
  EXPECT_EQ(read_all(inode), "0123");
  ASSERT_TRUE(files->truncate(inode, 6));
  files->drain();
  EXPECT_EQ(read_all(inode), std::string("0123\0\0", 6));
  ASSERT_TRUE(files->truncate(inode, 0));
  files->drain();
  EXPECT_EQ(inode_record(inode).size, 0U);
  ASSERT_TRUE(files->truncate(inode, 1 << 20));
  files->drain();
  EXPECT_EQ(read_all(inode), std::string(1 << 20, '\0'));
  EXPECT_LT(files->blocks_of(inode, inode_record(inode)), 3000U);
}

TEST_F(FilesWriteTest, TheRecordTellsWhatASparseFileOccupies) {
  const InodeNo inode = create("sparse.img");
  Handle handle = open(inode, for_writing());
  write(handle, (4 << 20) - 1, "x");
  close(handle);
  files->drain();
  const ContentNo content = content_of(inode);
  struct stat st {};
  ASSERT_EQ(::stat(path_of("objects", content).c_str(), &st), 0);
  EXPECT_EQ(record(content).disk_bytes, static_cast<uint64_t>(st.st_blocks) * 512);
  EXPECT_LT(record(content).disk_bytes, 1U << 20);
  EXPECT_EQ(files->blocks_of(inode, inode_record(inode)), static_cast<uint64_t>(st.st_blocks));
}

TEST_F(FilesWriteTest, TruncateThenWriteNeverMixesOldBytesIn) {
  const InodeNo inode = make("a.txt", std::string(1000, 'x'));
  Handle handle = open(inode, for_writing());
  ASSERT_TRUE(files->truncate(inode, 0));
  write(handle, 500, "y");
  close(handle);
  files->drain();
  EXPECT_EQ(read_all(inode), std::string(500, '\0') + "y");
}

TEST_F(FilesWriteTest, AppendersWriteAtTheEndWhereverTheyAre) {
  const InodeNo inode = create("a.log");
  Handle one = open(inode, appending());
  Handle two = open(inode, appending());
  write(one, 0, "1");
  write(two, 0, "22");
  write(one, 0, "333");
  close(one);
  close(two);
  files->drain();
  EXPECT_EQ(read_all(inode), "122333");
}

TEST_F(FilesWriteTest, JunkAndTemporaryNamesAreNotUploaded) {
  for (const char* name : {".hidden", "a.jpg.part", "backup~", ".DS_Store"}) {
    const InodeNo inode = make(name, std::string("bytes of ") + name);
    EXPECT_TRUE(catalog->jobs_of_content(content_of(inode))->empty()) << name;
  }
}

TEST_F(FilesWriteTest, EqualBytesUnderAnotherNameAreStoredOnce) {
  const std::string bytes = random_bytes(500'000, 10);
  const InodeNo first = make("a.jpg", bytes);
  const InodeNo second = make("b.jpg", bytes);
  EXPECT_NE(first, second);
  EXPECT_EQ(content_of(first), content_of(second));
  contents->drain_removals();
  EXPECT_EQ(contents->local_total_bytes(), bytes.size());
  EXPECT_EQ(read_all(second), bytes);
  ASSERT_EQ(sealed_contents.size(), 2U);
  EXPECT_EQ(sealed_contents[1], content_of(first));
}

TEST_F(FilesWriteTest, AReaderOfATwinThatWasTakenOverReadsOn) {
  const std::string bytes = random_bytes(500'000, 11);
  make("a.jpg", bytes);
  const InodeNo second = create("b.jpg");
  Handle writer = open(second, for_writing());
  write_all(writer, bytes);
  close(writer);
  Handle reader = open(second);
  ASSERT_TRUE(files->commit_all());
  contents->drain_removals();
  EXPECT_EQ(*read(reader, 0, bytes.size()), bytes);
  close(reader);
}

TEST_F(FilesWriteTest, MtimeIsThatOfTheLastWriteUnlessItWasGiven) {
  const InodeNo inode = create("a.txt");
  Handle handle = open(inode, for_writing());
  clock.advance(100);
  write(handle, 0, "x");
  close(handle);
  files->drain();
  EXPECT_EQ(inode_record(inode).mtime, clock.now());
  EXPECT_FALSE(inode_record(inode).mtime_was_set);

  const Timestamp given{1'500'000'000, 123};
  handle = open(inode, for_writing());
  write(handle, 0, "y");
  AttributeChange change;
  change.mtime = given;
  ASSERT_TRUE(tree->setattr(inode, change, {}));
  files->mtime_set(inode, given);
  clock.advance(50);
  close(handle);
  files->drain();
  EXPECT_EQ(inode_record(inode).mtime, given);
  EXPECT_TRUE(inode_record(inode).mtime_was_set);

  handle = open(inode, for_writing());
  write(handle, 0, "z");
  close(handle);
  files->drain();
  EXPECT_EQ(inode_record(inode).mtime, clock.now());
}

// cp -p sets the mtime after close: whether the seal has begun by then or not, it must come to an end.
TEST_F(FilesWriteTest, AFileIsSealedThoughItsMtimeIsSetWhileItWaitsForThat) {
  for (int round = 0; round < 50; ++round) {
    const InodeNo inode = create("p" + std::to_string(round) + ".jpg");
    Handle handle = open(inode, for_writing());
    write(handle, 0, "bytes of " + std::to_string(round));
    close(handle);
    AttributeChange change;
    change.mtime = Timestamp{1'500'000'000 + round, 0};
    ASSERT_TRUE(tree->setattr(inode, change, {}));
    files->mtime_set(inode, *change.mtime);
    files->drain();
    const auto content = catalog->content(inode_record(inode).content);
    ASSERT_TRUE(content.is_ok() && content->has_value());
    EXPECT_EQ((*content)->state, ContentState::kSealed) << round;
    EXPECT_EQ(inode_record(inode).mtime, *change.mtime);
  }
}

TEST_F(FilesWriteTest, OverlayShowsWhatIsNotCommittedYet) {
  const InodeNo inode = create("a.txt");
  Handle handle = open(inode, for_writing());
  clock.advance(10);
  write(handle, 0, "12345");
  InodeRecord live = inode_record(inode);
  files->overlay(inode, live);
  EXPECT_EQ(live.size, 5U);
  EXPECT_EQ(live.mtime, clock.now());
  EXPECT_GE(files->blocks_of(inode, live), 1U);
  EXPECT_TRUE(files->is_open(inode));
  close(handle);
  EXPECT_FALSE(files->is_open(inode));
}

TEST_F(FilesWriteTest, HolesArePunchedZeroedKeptAndFound) {
  const std::string bytes(1 << 20, 'x');
  const InodeNo inode = make("disk.img", bytes);
  Handle handle = open(inode, for_writing());
  ASSERT_TRUE(files->fallocate(handle, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 65536, 131072));
  std::string expected = bytes;
  expected.replace(65536, 131072, 131072, '\0');
  EXPECT_EQ(*read(handle, 0, bytes.size()), expected);
  EXPECT_EQ(*files->seek(handle, 0, SEEK_HOLE), 65536U);
  EXPECT_EQ(*files->seek(handle, 65536, SEEK_DATA), 65536U + 131072U);
  EXPECT_EQ(files->seek(handle, 2 << 20, SEEK_DATA).code(), Code::kNoSuchAddress);
  ASSERT_TRUE(files->fallocate(handle, 0, 1 << 20, 4096));
  InodeRecord live = inode_record(inode);
  files->overlay(inode, live);
  EXPECT_EQ(live.size, (1U << 20) + 4096);
  ASSERT_TRUE(files->fallocate(handle, FALLOC_FL_KEEP_SIZE, 2 << 20, 4096));
  files->overlay(inode, live);
  EXPECT_EQ(live.size, (1U << 20) + 4096);
  EXPECT_EQ(files->fallocate(handle, FALLOC_FL_COLLAPSE_RANGE, 0, 4096).code(), Code::kNotSupported);
  close(handle);
  files->drain();
  expected += std::string(4096, '\0');
  EXPECT_EQ(read_all(inode), expected);
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(expected));
}

TEST_F(FilesWriteTest, AnUnlinkedFileLivesUntilItsLastClose) {
  const InodeNo inode = create(".scratch");
  Handle handle = open(inode, for_writing());
  write(handle, 0, "before");
  ASSERT_TRUE(tree->unlink(kLibraryInode, ".scratch", {}));
  write(handle, 6, " after");
  EXPECT_EQ(*read(handle, 0, 100), "before after");
  EXPECT_TRUE(files->flush(handle));
  files->release(handle);
  files->drain();
  contents->drain_removals();
  EXPECT_EQ(files_in(library() + "/staging"), 0U);
  EXPECT_FALSE(*catalog->inode(inode));
}

TEST_F(FilesWriteTest, ADirtyReleaseIsCommitted) {
  // A mmap's pages arrive as writes after FLUSH.
  const InodeNo inode = create("a.db");
  Handle handle = open(inode, for_writing());
  ASSERT_TRUE(files->flush(handle));
  write(handle, 0, "late");
  files->release(handle);
  files->drain();
  EXPECT_EQ(inode_record(inode).size, 4U);
  EXPECT_EQ(record(content_of(inode)).state, ContentState::kSealed);
}

TEST_F(FilesWriteTest, WithDurabilityFsyncOnlyFsyncSyncsData) {
  settings.durability = Durability::kFsync;
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write(handle, 0, "x");
  ASSERT_TRUE(files->flush(handle));
  EXPECT_EQ(files->counters().data_syncs, 0U);
  EXPECT_EQ(inode_record(inode).size, 1U);
  ASSERT_TRUE(files->fsync(handle, false));
  EXPECT_EQ(files->counters().data_syncs, 1U);
  files->release(handle);
}

TEST_F(FilesWriteTest, CommitAllKeepsWhatIsStillOpen) {
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write(handle, 0, "open at unmount");
  ASSERT_TRUE(files->commit_all());
  EXPECT_EQ(record(content_of(inode)).state, ContentState::kSealed);
  write(handle, 0, "OPEN");
  close(handle);
  files->drain();
  EXPECT_EQ(read_all(inode), "OPEN at unmount");
}

TEST_F(FilesWriteTest, ManyWritersOfManyFilesAllKeepTheirBytes) {
  std::vector<std::thread> threads;
  std::vector<InodeNo> inodes;
  for (int i = 0; i < 4; ++i) inodes.push_back(create("t" + std::to_string(i) + ".jpg"));
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 15; ++round) {
        auto handle =
            files->open(inodes[static_cast<size_t>(i)], round % 3 == 0 ? truncating() : for_writing());
        ASSERT_TRUE(handle);
        const std::string bytes = random_bytes(50'000, static_cast<uint64_t>(i * 100 + round));
        ASSERT_TRUE(files->write(*handle, 0, bytes));
        ASSERT_TRUE(files->flush(*handle));
        files->release(*handle);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  files->drain();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(read_all(inodes[static_cast<size_t>(i)]),
              random_bytes(50'000, static_cast<uint64_t>(i * 100 + 14)));
  }
}

}  // namespace
}  // namespace shoebox
