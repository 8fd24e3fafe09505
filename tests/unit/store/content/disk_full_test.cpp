// A full disk, on a small tmpfs; skipped where mounting one is not permitted.
#include <fmt/format.h>
#include <sys/mount.h>

#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;

// Shared by the fixture's store and the catalog, which stands elsewhere.
class DiskFullTest : public FilesFixture {
 protected:
  void SetUp() override {
    if (::mount("tmpfs", library().c_str(), "tmpfs", 0, "size=16m,mode=0700") != 0) {
      GTEST_SKIP() << "mounting a tmpfs is not permitted here";
    }
    mounted_ = true;
    catalog_path = catalog_folder.path() + "/catalog";
    FilesFixture::SetUp();
    files->on_disk_full([this](uint64_t bytes) { return evictor->make_room(bytes).freed_bytes; });
  }
  void TearDown() override {
    if (!mounted_) return;
    FilesFixture::TearDown();
    ::umount2(library().c_str(), MNT_DETACH);
  }
  // Fills what is left, but for `spare` bytes.
  void fill_disk(uint64_t spare) {
    const auto space = disk_space(library());
    ASSERT_TRUE(space);
    const auto fd = open_file(library() + "/filler", O_RDWR | O_CREAT);
    ASSERT_TRUE(fd);
    if (space->free_bytes > spare) {
      ASSERT_EQ(::posix_fallocate(fd->get(), 0, static_cast<off_t>(space->free_bytes - spare)), 0);
    }
  }

  testing::TemporaryFolder catalog_folder;
  bool mounted_ = false;
};

TEST_F(DiskFullTest, AWriterGetsNoSpaceAndKeepsWhatWasAcknowledged) {
  const std::string bytes = random_bytes(12 << 20, 1);
  const InodeNo inode = create("a.jpg");
  Handle handle = open(inode, for_writing());
  write(handle, 0, std::string_view(bytes).substr(0, 1 << 20));
  fill_disk(2 << 20);
  uint64_t acknowledged = 1 << 20;
  Code code = Code::kOk;
  while (code == Code::kOk && acknowledged < bytes.size()) {
    const auto written =
        files->write(handle, acknowledged, std::string_view(bytes).substr(acknowledged, 131072));
    code = written.code();
    if (written) acknowledged += *written;
  }
  EXPECT_EQ(code, Code::kNoSpace);
  EXPECT_EQ(*read(handle, 0, bytes.size()), bytes.substr(0, acknowledged));
  close(handle);
  files->drain();
  EXPECT_EQ(read_all(inode), bytes.substr(0, acknowledged));
  EXPECT_EQ(record(content_of(inode)).sha256, sha256(bytes.substr(0, acknowledged)));
}

TEST_F(DiskFullTest, AFullDiskEvictsFirst) {
  const std::string old = random_bytes(6 << 20, 2);
  const InodeNo sent = make("sent.jpg", old);
  mark_decoded(content_of(sent));
  confirm(content_of(sent));
  fill_disk(0);
  const std::string bytes = random_bytes(3 << 20, 3);
  const InodeNo inode = create("new.jpg");
  Handle handle = open(inode, for_writing());
  write_all(handle, bytes);
  close(handle);
  files->drain();
  EXPECT_EQ(record(content_of(sent)).residence, Residence::kPartial);
  EXPECT_EQ(read_all(inode), bytes);
  Handle reader = open(sent);
  EXPECT_EQ(*read(reader, 0, 1000), old.substr(0, 1000));
  EXPECT_EQ(source->requests(), 0) << "head and tail were kept, from the reserve";
  files->release(reader);
}

// As the evictor's own thread does, or another writer.
TEST_F(DiskFullTest, RoomThatSomebodyElseMadeJustBeforeIsUsed) {
  fill_disk(1 << 20);
  files->on_disk_full([this](uint64_t) {
    EXPECT_EQ(::unlink((library() + "/filler").c_str()), 0);
    return uint64_t{0};  // nothing was left to free
  });
  const std::string bytes = random_bytes(3 << 20, 5);
  const InodeNo inode = create("new.jpg");
  Handle handle = open(inode, for_writing());
  write_all(handle, bytes);
  close(handle);
  files->drain();
  EXPECT_EQ(read_all(inode), bytes);
}

TEST_F(DiskFullTest, AFetchOntoAFullDiskFailsAndReadsNothingWrong) {
  const std::string bytes = random_bytes(3 << 20, 4);
  const InodeNo inode = make_evicted("a.jpg", bytes);
  fill_disk(0);
  Handle handle = open(inode);
  EXPECT_EQ(read(handle, 1 << 20, 4096).code(), Code::kNoSpace);
  EXPECT_EQ(*read(handle, 0, 4096), bytes.substr(0, 4096));
  ASSERT_EQ(::unlink((library() + "/filler").c_str()), 0);
  EXPECT_EQ(*read(handle, 1 << 20, 4096), bytes.substr(1 << 20, 4096));
  files->release(handle);
}

// The heads and tails of all that leave together are written before anything goes.
TEST_F(DiskFullTest, ManyLeaveAFullDisk) {
  std::vector<InodeNo> inodes;
  for (uint64_t i = 0; i < 20; ++i) {
    inodes.push_back(make(fmt::format("{}.jpg", i), random_bytes(600'000, i)));
    mark_decoded(content_of(inodes.back()));
    confirm(content_of(inodes.back()));
  }
  fill_disk(0);
  const Evictor::Outcome outcome = evictor->evict_all(0, nullptr);
  EXPECT_EQ(outcome.evicted, inodes.size());
  for (const auto& [content, why] : outcome.kept) ADD_FAILURE() << content.value << ": " << why;
  for (const InodeNo inode : inodes) EXPECT_EQ(record(content_of(inode)).residence, Residence::kPartial);
}

}  // namespace
}  // namespace shoebox
