// What was fetched of originals that had left this disk, and leaves again.
#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;

class PartlyFetchedTest : public FilesFixture {
 protected:
  static constexpr uint64_t kSize = 4'000'000;
  const std::string bytes = random_bytes(kSize, 7);

  std::string read_piece(InodeNo inode, uint64_t offset, size_t size) {
    Handle handle = open(inode);
    const auto got = read(handle, offset, size);
    files->release(handle);
    return got ? *got : got.status().message();
  }
  [[nodiscard]] std::string piece(uint64_t offset, size_t size) const { return bytes.substr(offset, size); }
};

TEST_F(PartlyFetchedTest, WhatWasFetchedOfAnEvictedOriginalLeavesAgain) {
  const InodeNo inode = make_evicted("a.mp4", bytes);
  const uint64_t evicted = contents->local_total_bytes();
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), 0U);
  EXPECT_EQ(read_piece(inode, 1'500'000, 100), piece(1'500'000, 100));
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), kBlockBytes);
  EXPECT_EQ(contents->local_total_bytes(), evicted + kBlockBytes);
  const Evictor::Outcome outcome = evictor->evict_all(0, nullptr);
  EXPECT_EQ(outcome.evicted, 1U);
  EXPECT_EQ(outcome.freed_bytes, kBlockBytes);
  EXPECT_EQ(contents->local_total_bytes(), evicted);
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), 0U);
  const int requests = source->requests();
  EXPECT_EQ(read_piece(inode, 0, 1000), piece(0, 1000)) << "its head is here as before";
  EXPECT_EQ(read_piece(inode, kSize - 1000, 1000), piece(kSize - 1000, 1000)) << "and its tail";
  EXPECT_EQ(source->requests(), requests);
  EXPECT_EQ(read_piece(inode, 1'500'000, 100), piece(1'500'000, 100));
  EXPECT_EQ(source->requests(), requests + 1);
}

TEST_F(PartlyFetchedTest, ItCountsAsRoomThatCanBeMade) {
  const InodeNo inode = make_evicted("a.mp4", bytes);
  EXPECT_EQ(*evictor->count_evictable(), 0U);
  EXPECT_EQ(read_piece(inode, 1'500'000, 100), piece(1'500'000, 100));
  EXPECT_EQ(*evictor->count_evictable(), kBlockBytes);
  EXPECT_EQ(evictor->make_room(1).freed_bytes, kBlockBytes);
  EXPECT_EQ(evictor->evictable_bytes(), 0U);
}

TEST_F(PartlyFetchedTest, ItLeavesAfterANewMountToo) {
  const InodeNo inode = make_evicted("a.mp4", bytes);
  EXPECT_EQ(read_piece(inode, 1'500'000, 100), piece(1'500'000, 100));
  ASSERT_TRUE(contents->flush_partials());
  restart();
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), kBlockBytes);
  ASSERT_TRUE(evictor->evict(content_of(inode)));
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), 0U);
  restart();
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), 0U);
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(PartlyFetchedTest, WhatIsPinnedOrOpenIsKept) {
  const InodeNo inode = make_evicted("a.mp4", bytes);
  Handle reader = open(inode);
  EXPECT_EQ(*read(reader, 1'500'000, 100), piece(1'500'000, 100));
  EXPECT_EQ(evictor->evict(content_of(inode)).code(), Code::kBusy);
  files->release(reader);
  ASSERT_TRUE(evictor->pin(content_of(inode), true));
  EXPECT_EQ(evictor->evict(content_of(inode)).code(), Code::kBusy);
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), kBlockBytes);
}

TEST_F(PartlyFetchedTest, AReaderFromBeforeReadsWhatIsFetchedAfter) {
  const InodeNo inode = make_evicted("a.mp4", bytes);
  Handle reader = open(inode);
  EXPECT_EQ(*read(reader, 1'500'000, 100), piece(1'500'000, 100));
  // As when it opened the file just after the evictor had looked whether somebody has it open.
  ASSERT_TRUE(contents->evict(content_of(inode)));
  EXPECT_EQ(read_piece(inode, 2'500'000, 100), piece(2'500'000, 100));
  EXPECT_EQ(*read(reader, 2'500'000, 100), piece(2'500'000, 100));
  EXPECT_EQ(*read(reader, 1'500'000, 100), piece(1'500'000, 100));
  files->release(reader);
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(PartlyFetchedTest, AnOriginalThatWasReadWholeIsNoneOfThem) {
  const InodeNo inode = make_evicted("a.mp4", bytes);
  EXPECT_EQ(read_all(inode), bytes);
  EXPECT_EQ(contents->fetched_bytes(content_of(inode)), 0U);
  EXPECT_EQ(record(content_of(inode)).residence, Residence::kLocal);
}

}  // namespace
}  // namespace shoebox
