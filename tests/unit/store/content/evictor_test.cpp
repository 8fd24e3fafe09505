#include "store/evictor.h"

#include <condition_variable>

#include "tests/unit/store/content/files_fixture.h"

namespace shoebox {
namespace {

using testing::FilesFixture;
using testing::random_bytes;

class EvictorTest : public FilesFixture {
 protected:
  // Decoded, sent and confirmed: may go.
  InodeNo make_sent(const std::string& name, uint64_t seed, size_t size = 1'000'000) {
    const InodeNo inode = make(name, random_bytes(size, seed));
    mark_decoded(content_of(inode));
    confirm(content_of(inode));
    return inode;
  }
  bool local(InodeNo inode) { return record(content_of(inode)).residence == Residence::kLocal; }
  void expect_kept(InodeNo inode, const std::string& reason) {
    const Status status = evictor->evict(content_of(inode));
    EXPECT_EQ(status.code(), Code::kBusy);
    EXPECT_NE(status.message().find(reason), std::string::npos) << status.message();
    EXPECT_TRUE(local(inode));
  }
};

TEST_F(EvictorTest, EvictsWhatIsSentAndDecoded) {
  const InodeNo inode = make_sent("a.jpg", 1);
  ASSERT_TRUE(evictor->evict(content_of(inode)));
  EXPECT_FALSE(local(inode));
  EXPECT_EQ(read_all(inode), random_bytes(1'000'000, 1));
}

TEST_F(EvictorTest, CountsWhatItCouldFree) {
  make("pending.jpg", random_bytes(1'000'000, 1));
  EXPECT_EQ(*evictor->count_evictable(), 0u);
  const InodeNo sent = make_sent("a.jpg", 2);
  const InodeNo pinned = make_sent("b.jpg", 3);
  make_sent("small.jpg", 4, 1000);  // kept whole
  // Up to the page on which the tail of 64 KiB begins, without the head of 128 KiB.
  constexpr uint64_t one = (1'000'000 - 64 * 1024) / 4096 * 4096 - 128 * 1024;
  EXPECT_EQ(*evictor->count_evictable(), 2 * one);
  ASSERT_TRUE(evictor->pin(content_of(pinned), true));
  EXPECT_EQ(*evictor->count_evictable(), one);
  EXPECT_EQ(evictor->evictable_bytes(), one);
  ASSERT_TRUE(evictor->evict(content_of(sent)));
  EXPECT_EQ(evictor->evictable_bytes(), 0u);  // at once, not at the next count
  EXPECT_EQ(*evictor->count_evictable(), 0u);
}

TEST_F(EvictorTest, KeepsWhatHasAnOpenJob) {
  const InodeNo inode = make("a.jpg", random_bytes(1'000'000, 2));
  mark_decoded(content_of(inode));
  expect_kept(inode, "backup to nas is not done");
}

TEST_F(EvictorTest, KeepsWhatHasTooFewCopies) {
  settings.copies = 2;
  const InodeNo inode = make_sent("a.jpg", 3);
  expect_kept(inode, "1 of 2 copies");
  settings.copies = 0;
  auto transaction = catalog->begin();
  transaction->erase_copy(content_of(inode), "nas");
  ASSERT_TRUE(transaction->commit());
  expect_kept(inode, "0 of 1 copies");
}

TEST_F(EvictorTest, CopiesOnRemotesThatAreNoLongerSetUpDoNotCount) {
  const InodeNo inode = make_sent("a.jpg", 4);
  settings.remotes[0].name = "another";
  expect_kept(inode, "0 of 1 copies");
}

TEST_F(EvictorTest, KeepsWhatNobodyCouldFetchBackNow) {
  std::string trouble = "connection refused";
  evictor->ask_remotes([&](const std::string& remote) { return remote == "nas" ? trouble : std::string(); });
  const InodeNo inode = make_sent("a.jpg", 6);
  expect_kept(inode, "its copy on nas cannot be read now: connection refused");
  EXPECT_EQ(evictor->make_room(1).evicted, 0U) << "the writer is told that the disk is full";
  const auto outcome = evictor->evict_all(0, nullptr);
  ASSERT_EQ(outcome.kept.size(), 1U);
  EXPECT_NE(outcome.kept[0].second.find("connection refused"), std::string::npos);
  EXPECT_EQ(*evictor->count_evictable(), 0U) << "programs that look before they copy are told so too";
  // Another remote has it as well.
  RemoteSettings second;
  second.name = "attic";
  settings.remotes.push_back(second);
  auto transaction = catalog->begin();
  const auto copy = transaction->copy(content_of(inode), "nas");
  ASSERT_TRUE(copy->has_value());
  transaction->put_copy(content_of(inode), "attic", **copy);
  ASSERT_TRUE(transaction->commit());
  EXPECT_TRUE(evictor->evict(content_of(inode)));
  settings.remotes.pop_back();
  // Reachable again.
  const InodeNo other = make_sent("b.jpg", 7);
  expect_kept(other, "connection refused");
  trouble.clear();
  EXPECT_TRUE(evictor->evict(content_of(other)));
}

TEST_F(EvictorTest, KeepsWhatIsPinnedOpenOrNotDecoded) {
  const InodeNo inode = make("a.jpg", random_bytes(1'000'000, 5));
  confirm(content_of(inode));
  expect_kept(inode, "not decoded");
  mark_decoded(content_of(inode));
  ASSERT_TRUE(evictor->pin(content_of(inode), true));
  expect_kept(inode, "pinned");
  ASSERT_TRUE(evictor->pin(content_of(inode), false));
  Handle handle = open(inode);
  expect_kept(inode, "open");
  files->release(handle);
  EXPECT_TRUE(evictor->evict(content_of(inode)));
}

TEST_F(EvictorTest, MakesRoomWithTheOldestFirst) {
  std::vector<InodeNo> inodes;
  for (int i = 0; i < 4; ++i) {
    clock.advance(100);
    inodes.push_back(make_sent("p" + std::to_string(i) + ".jpg", static_cast<uint64_t>(10 + i), 20'000'000));
  }
  clock.advance(100);
  evictor->touched(content_of(inodes[0]));
  const Evictor::Outcome outcome = evictor->make_room(1'000'000);
  EXPECT_EQ(outcome.evicted, 1U);
  EXPECT_GE(outcome.freed_bytes, 1'000'000U);
  EXPECT_TRUE(local(inodes[0])) << "read last";
  EXPECT_FALSE(local(inodes[1]));
  EXPECT_TRUE(local(inodes[2]));
}

TEST_F(EvictorTest, EvictAllHonoursAgeAndSaysWhatItKept) {
  const InodeNo old = make_sent("old.jpg", 20);
  const InodeNo unsent = make("unsent.jpg", random_bytes(1'000'000, 21));
  clock.advance(1000);
  const InodeNo young = make_sent("young.jpg", 22);
  uint64_t last_done = 0;
  uint64_t last_total = 0;
  const auto outcome = evictor->evict_all(500, [&](uint64_t done, uint64_t total) {
    last_done = done;
    last_total = total;
  });
  EXPECT_EQ(outcome.evicted, 1U);
  EXPECT_FALSE(local(old));
  EXPECT_TRUE(local(young));
  ASSERT_EQ(outcome.kept.size(), 1U);
  EXPECT_EQ(outcome.kept[0].first, content_of(unsent));
  EXPECT_EQ(last_done, 2U);
  EXPECT_EQ(last_total, 2U);
}

TEST_F(EvictorTest, KeepsTheCacheLimitWhenWoken) {
  settings.cache = {.bytes = 1'500'000, .percent = 0};
  const InodeNo old = make_sent("old.jpg", 30);
  clock.advance(100);
  const InodeNo young = make_sent("young.jpg", 31);
  ASSERT_GT(contents->local_total_bytes(), settings.cache.bytes);
  // The catalog tells when the eviction is committed.
  std::mutex mutex;
  std::condition_variable changed;
  bool evicted = false;
  evictor->start();
  evictor->wake();
  std::unique_lock lock(mutex);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!evicted && std::chrono::steady_clock::now() < deadline) {
    changed.wait_for(lock, std::chrono::milliseconds(20));
    evicted = contents->local_total_bytes() <= settings.cache.bytes;
  }
  EXPECT_FALSE(local(old));
  EXPECT_TRUE(local(young));
}

TEST_F(EvictorTest, AccessTimesOutliveARestart) {
  const InodeNo first = make_sent("a.jpg", 40, 20'000'000);
  clock.advance(100);
  const InodeNo second = make_sent("b.jpg", 41, 20'000'000);
  clock.advance(1000);
  evictor->start();
  evictor->touched(content_of(first));
  restart();
  EXPECT_EQ(evictor->make_room(1).evicted, 1U);
  EXPECT_TRUE(local(first));
  EXPECT_FALSE(local(second));
}

}  // namespace
}  // namespace shoebox
