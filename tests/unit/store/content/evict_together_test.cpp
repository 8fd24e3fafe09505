#include <fmt/format.h>
#include <sys/syscall.h>

#include "store/evictor.h"
#include "tests/unit/store/content/files_fixture.h"

namespace {

std::atomic<int> syncs{0};
// Called with the number of syncs so far, before one is done. Null: nobody looks.
std::function<void(int)>* before_sync = nullptr;

int counted(long call, int fd) {
  if (before_sync != nullptr) (*before_sync)(syncs);
  ++syncs;
  return static_cast<int>(::syscall(call, fd));
}

}  // namespace

// All that this program, RocksDB included, asks of the disk passes here.
extern "C" int fsync(int fd) { return counted(SYS_fsync, fd); }
extern "C" int fdatasync(int fd) { return counted(SYS_fdatasync, fd); }
extern "C" int syncfs(int fd) noexcept { return counted(SYS_syncfs, fd); }

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;

class EvictTogetherTest : public FilesFixture {
 protected:
  static constexpr int kMany = 20;

  void make_many(int count = kMany) {
    for (int i = 0; i < count; ++i) {
      inodes.push_back(make(fmt::format("{}.jpg", i), random_bytes(kSize, static_cast<uint64_t>(i))));
      mark_decoded(content_of(inodes.back()));
      confirm(content_of(inodes.back()));
    }
  }
  bool local(InodeNo inode) { return record(content_of(inode)).residence == Residence::kLocal; }
  bool is_file(const std::string& folder, InodeNo inode, const std::string& end = "") {
    for (const auto& found : std::filesystem::recursive_directory_iterator(library() + "/" + folder))
      if (found.path().filename() == fmt::format("{}{}", content_of(inode).value, end)) return true;
    return false;
  }
  // Of what `work` does.
  int syncs_of(const std::function<void()>& work) {
    EXPECT_TRUE(catalog->sync());
    const int before = syncs;
    work();
    return syncs - before;
  }

  static constexpr size_t kSize = 600'000;
  std::vector<InodeNo> inodes;
};

TEST_F(EvictTogetherTest, ManyLeaveWithThreeSyncs) {
  make_many(2 * kMany);
  const int one_by_one = syncs_of([&] {
    for (int i = 0; i < kMany; ++i) EXPECT_TRUE(evictor->evict(content_of(inodes[static_cast<size_t>(i)])));
  });
  EXPECT_EQ(one_by_one, 5 * kMany);
  Evictor::Outcome outcome;
  EXPECT_EQ(syncs_of([&] { outcome = evictor->evict_all(0, nullptr); }), 3);
  EXPECT_EQ(outcome.evicted, static_cast<uint64_t>(kMany));
  for (const InodeNo inode : inodes) {
    EXPECT_FALSE(local(inode));
    EXPECT_FALSE(is_file("objects", inode));
  }
  EXPECT_EQ(read_all(inodes.back()), random_bytes(kSize, 2 * kMany - 1));
  const uint64_t counted_bytes = contents->local_total_bytes();
  restart();
  EXPECT_EQ(contents->local_total_bytes(), counted_bytes);
}

TEST_F(EvictTogetherTest, NothingGoesBeforeTheCatalogSaysSoForGood) {
  make_many();
  int seen = 0;
  std::function<void(int)> look = [&, first = -1](int count) mutable {
    if (first < 0) first = count;
    ++seen;
    for (const InodeNo inode : inodes) {
      EXPECT_TRUE(is_file("objects", inode)) << "sync " << count - first;
      EXPECT_EQ(local(inode), count - first < 2) << "sync " << count - first << ": the last is the catalog's";
      EXPECT_EQ(is_file("partial", inode), count - first > 0);
      EXPECT_TRUE(is_file("partial", inode, ".blocks"));
    }
  };
  ASSERT_TRUE(catalog->sync());
  before_sync = &look;
  const Evictor::Outcome outcome = evictor->evict_all(0, nullptr);
  before_sync = nullptr;
  EXPECT_EQ(outcome.evicted, static_cast<uint64_t>(kMany));
  EXPECT_EQ(seen, 3);
}

TEST_F(EvictTogetherTest, ACrashBeforeTheCatalogSaysSoLeavesAllInPlace) {
  make_many();
  // As the disk has it when the power goes after the heads and tails were placed.
  const std::string partial = library() + "/partial";
  std::function<void(int)> copy = [&](int) {
    std::filesystem::copy(
        partial, library() + "/seen",
        std::filesystem::copy_options::overwrite_existing | std::filesystem::copy_options::recursive);
  };
  std::vector<ContentNo> all;
  for (const InodeNo inode : inodes) all.push_back(content_of(inode));
  before_sync = &copy;
  // Refused in the transaction: opened meanwhile.
  int asked = 0;
  const std::vector<Status> done =
      contents->evict(all, [&](ContentNo, const CatalogReader&, const ContentRecord&) {
        return ++asked > kMany ? Status(Code::kBusy, "open") : Status::ok();
      });
  before_sync = nullptr;
  for (size_t i = 0; i < inodes.size(); ++i) {
    EXPECT_EQ(done[i].code(), Code::kBusy);
    EXPECT_TRUE(local(inodes[i]));
    EXPECT_FALSE(is_file("partial", inodes[i]));
    EXPECT_FALSE(is_file("partial", inodes[i], ".blocks"));
  }
  stop();
  contents.reset();
  std::filesystem::remove_all(partial);
  std::filesystem::rename(library() + "/seen", partial);
  ASSERT_TRUE(is_file("partial", inodes[0]));
  reopen();
  start();
  EXPECT_EQ(rescued, 0U);
  for (size_t i = 0; i < inodes.size(); ++i) {
    EXPECT_FALSE(is_file("partial", inodes[i]));
    EXPECT_TRUE(is_file("objects", inodes[i]));
  }
}

TEST_F(EvictTogetherTest, OneThatStaysKeepsNoOtherAndOneNamedTwiceLeavesOnce) {
  make_many(4);
  ASSERT_TRUE(evictor->pin(content_of(inodes[1]), true));
  const std::vector<Status> done = evictor->evict(
      {content_of(inodes[0]), content_of(inodes[1]), content_of(inodes[2]), content_of(inodes[0])});
  EXPECT_TRUE(done[0]);
  EXPECT_EQ(done[1].code(), Code::kBusy);
  EXPECT_NE(done[1].message().find("pinned"), std::string::npos);
  EXPECT_TRUE(done[2]);
  EXPECT_FALSE(local(inodes[0]));
  EXPECT_TRUE(local(inodes[1]));
  EXPECT_FALSE(local(inodes[2]));
  EXPECT_TRUE(local(inodes[3]));
  EXPECT_FALSE(is_file("partial", inodes[1]));
}

}  // namespace
}  // namespace shoebox
