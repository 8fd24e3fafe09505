// What a backup sends, what it costs, and that no broken upload takes the state before away.

#include "tests/unit/sync/catalog_sender_fixture.h"

namespace shoebox {
namespace {

using testing::BackedUpRows;
using testing::BreakingRemote;

class CatalogSenderTest : public testing::CatalogSenderFixture {};

TEST_F(CatalogSenderTest, ASnapshotThenChangesRestoreTheSameRows) {
  fill(500);
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
  change("a.jpg");
  ASSERT_TRUE(send());
  EXPECT_EQ(head().count_of(backup::SegmentKind::kJournal), 1U);
  EXPECT_EQ(restored(), rows());
  {
    const auto txn = catalog_->begin();
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "a.jpg"));
    ASSERT_TRUE(txn->commit());
  }
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
  EXPECT_EQ(sender_->sent(), catalog_->last_change());
}

TEST_F(CatalogSenderTest, NothingChangedSendsNothingAlsoAfterARestart) {
  fill(50);
  ASSERT_TRUE(send());
  const uint64_t puts = remote_.puts();
  ASSERT_TRUE(send());
  make_sender();
  EXPECT_EQ(sender_->sent(), catalog_->last_change());
  ASSERT_TRUE(send());
  EXPECT_EQ(remote_.puts(), puts);
}

TEST_F(CatalogSenderTest, TenChangesInThousandsOfRowsCostFewBytes) {
  fill(5000);
  ASSERT_TRUE(send());
  const uint64_t snapshot_bytes = remote_.bytes_put();
  EXPECT_GT(snapshot_bytes, 40'000U);
  const uint64_t segments = head().segments.size();
  for (int i = 0; i < 10; ++i) {
    change("new_" + std::to_string(i));
    ASSERT_TRUE(send());
  }
  // A change is some hundred bytes; the head is about 100 bytes a segment.
  EXPECT_LT(remote_.bytes_put() - snapshot_bytes, 10 * (800 + 120 * (segments + 12)));
  const uint64_t before = remote_.bytes_put();
  for (int i = 0; i < 10; ++i) change("more_" + std::to_string(i));
  ASSERT_TRUE(send());
  EXPECT_LT(remote_.bytes_put() - before, 2000 + 120 * (segments + 12)) << "ten changes at once";
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, ManySmallChangesStayFewSegments) {
  options_.merge = 4;
  make_sender();
  fill(5000);
  ASSERT_TRUE(send());
  for (int i = 0; i < 100; ++i) {
    change("new_" + std::to_string(i));
    ASSERT_TRUE(send());
  }
  const backup::Head now = head();
  EXPECT_EQ(now.snapshot, now.sequence - 100) << "the snapshot is still the first";
  EXPECT_LE(now.count_of(backup::SegmentKind::kJournal), 3U * 4U);
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, AJournalLargerThanTheSnapshotGivesWayToANewOne) {
  fill(200);
  ASSERT_TRUE(send());
  const uint64_t first = head().snapshot;
  const std::string noise = testing::some_bytes(60'000);
  for (int i = 0; i < 12 && head().snapshot == first; ++i) {
    const InodeNo inode = change("f" + std::to_string(i));
    const auto txn = catalog_->begin();
    txn->put_xattr(inode, "user.noise", noise + std::to_string(i));
    ASSERT_TRUE(txn->commit());
    ASSERT_TRUE(send());
  }
  EXPECT_GT(head().snapshot, first);
  EXPECT_EQ(head().count_of(backup::SegmentKind::kJournal), 0U);
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, AGapInTheListOfChangesStartsASnapshot) {
  fill(100);
  ASSERT_TRUE(send());
  change("a");
  change("b");
  ASSERT_TRUE(catalog_->forget_changes(catalog_->last_change()));
  ASSERT_TRUE(send());
  EXPECT_EQ(head().snapshot, catalog_->last_change());
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, AnUploadBrokenAnywhereLeavesAWholeStateAndIsMadeGood) {
  using How = BreakingRemote::How;
  fill(300);
  ASSERT_TRUE(send());
  int round = 0;
  for (const How how : {How::kBefore, How::kTorn, How::kAnswerLost}) {
    for (const bool snapshot : {false, true}) {
      for (uint64_t put = 0;; ++put) {
        ASSERT_LT(put, 100U);
        const BackedUpRows before = rows();
        fill(40);
        change("round" + std::to_string(round++));
        if (snapshot) ASSERT_TRUE(catalog_->forget_changes(catalog_->last_change()));
        const BackedUpRows after = rows();
        remote_.break_at(put, how);
        const Status sent = send();
        const bool broke = remote_.broke();
        EXPECT_EQ(sent.is_ok(), !broke) << sent.message();
        const BackedUpRows left = restored();
        EXPECT_TRUE(left == after || (broke && left == before)) << "put " << put;
        remote_.heal();
        if (put % 2 == 0) make_sender();
        ASSERT_TRUE(send());
        EXPECT_EQ(restored(), after) << "put " << put;
        if (!broke) break;
      }
    }
  }
  EXPECT_GT(round, 12);
}

TEST_F(CatalogSenderTest, AHeadWhoseAnswerWasLostIsKnownAgain) {
  fill(100);
  ASSERT_TRUE(send());
  const uint64_t snapshot = head().snapshot;
  change("a");
  remote_.break_at(1, BreakingRemote::How::kAnswerLost);  // the segment, then the head
  EXPECT_FALSE(send());
  remote_.heal();
  make_sender();
  change("b");
  ASSERT_TRUE(send());
  EXPECT_EQ(head().snapshot, snapshot) << "no second snapshot";
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, WhatNoHeadNamesIsRemoved) {
  fill(300);
  ASSERT_TRUE(send());
  for (int i = 0; i < 6; ++i) {
    change("f" + std::to_string(i));
    if (i % 2 == 0) ASSERT_TRUE(catalog_->forget_changes(catalog_->last_change()));
    ASSERT_TRUE(send());
  }
  const auto heads = BackupCopy(fake_, clock_).heads(id());
  ASSERT_EQ(heads->whole.size(), 2U);
  std::set<std::string> named{backup::head_key(id(), 0), backup::head_key(id(), 1)};
  for (const backup::Head& one : heads->whole) {
    for (const backup::Segment& segment : one.segments) named.insert(backup::segment_key(id(), segment));
  }
  const std::vector<std::string> keys = fake_.keys();
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()), named);
}

TEST_F(CatalogSenderTest, AnObjectDeletedBehindOurBackIsSentAgain) {
  fill(300);
  ASSERT_TRUE(send());
  const backup::Segment lost = head().segments.front();
  ASSERT_TRUE(fake_.remove(backup::segment_key(id(), lost), {}));
  make_sender();
  change("a");
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, WhatWasFoundDamagedIsSentAgainThoughNothingChanged) {
  fill(300);
  ASSERT_TRUE(send());
  for (const bool journal : {true, false}) {
    change(journal ? "a" : "b");
    ASSERT_TRUE(send());
    const backup::Segment harmed = journal ? head().segments.back() : head().segments.front();
    const std::string key = backup::segment_key(id(), harmed);
    std::string bytes = fake_.object(key).value();
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 4);  // of the same size
    fake_.place(key, bytes);
    sender_->send_again({key});
    EXPECT_TRUE(sender_->harmed());
    remote_.break_at(0, BreakingRemote::How::kBefore);
    EXPECT_FALSE(send());
    EXPECT_TRUE(sender_->harmed());
    remote_.heal();
    ASSERT_TRUE(send());
    ASSERT_TRUE(send());  // looks whether all of it stands there now
    EXPECT_FALSE(sender_->harmed());
    EXPECT_EQ(restored(), rows());
  }
}

TEST_F(CatalogSenderTest, ADamagedHeadCostsTheStateBeforeOnly) {
  fill(100);
  ASSERT_TRUE(send());
  const BackedUpRows before = rows();
  change("a");
  ASSERT_TRUE(send());
  const std::string key = backup::head_key(id(), head().counter);
  std::string bytes = fake_.object(key).value();
  bytes[20] = static_cast<char>(bytes[20] ^ 4);
  fake_.place(key, bytes);
  EXPECT_EQ(restored(), before);
  make_sender();
  change("b");
  // The head that is whole is not the one that the next replaces.
  remote_.break_at(1000, BreakingRemote::How::kBefore);
  ASSERT_TRUE(send());
  EXPECT_EQ(restored(), rows());
}

TEST_F(CatalogSenderTest, ACatalogPutBackFromAnOlderCopyDoesNotGoOnWhereTheBackupIs) {
  fill(100);
  ASSERT_TRUE(send());
  const std::string meta = std::string(keys::kMetaBackup) + "nas";
  const std::string old = catalog_->meta(meta).value().value();
  change("a");
  ASSERT_TRUE(send());
  {
    const auto txn = catalog_->begin();
    txn->put_meta(meta, old);
    ASSERT_TRUE(txn->commit());
  }
  make_sender();
  change("b");
  ASSERT_TRUE(send());
  EXPECT_EQ(head().snapshot, catalog_->last_change());
  EXPECT_EQ(restored(), rows());
}

}  // namespace
}  // namespace shoebox
