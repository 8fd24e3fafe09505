// What an engine still sends at its end, and that it ends.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "backup_fixture.h"
#include "store/catalog/keys.h"
#include "sync/owner_record.h"
#include "tests/unit/sync/one_remote_fixture.h"

namespace shoebox {
namespace {

using std::chrono::milliseconds;

constexpr std::chrono::minutes kLong{5};

class FinishTest : public testing::OneRemoteFixture {
 protected:
  std::unique_ptr<SyncEngine> start(UploadPolicy policy = {}) {
    auto engine = make_engine(std::move(policy));
    engine->start();
    return engine;
  }
  // The clock of the test stands still: no backup of the catalog is due by itself.
  void say_something() {
    const auto txn = catalog_->begin();
    InodeRecord folder;
    folder.mode = S_IFDIR | 0755;
    folder.nlink = 2;
    folder.view = ViewId::kAlbums;
    folder.parent = kAlbumsInode;
    const InodeNo number = txn->new_inode_no();
    txn->put_inode(number, folder);
    ASSERT_TRUE(txn->put_dentry(kAlbumsInode, "Trip", {number, S_IFDIR, NameKind::kGiven}));
    ASSERT_TRUE(txn->commit());
  }
  bool remote_knows_all() {
    const std::string id = catalog_->meta(keys::kMetaLibraryId).value().value();
    return testing::restored_rows(remote_, clock_, id) == testing::backed_up_rows(*catalog_);
  }
  // Of the newest term.
  bool released() {
    std::string newest;
    for (const std::string& key : remote_.keys())
      if (key.starts_with(".shoebox/owner/")) newest = *remote_.object(key);
    const auto record = parse_owner_record(newest);
    EXPECT_TRUE(record) << record.status().message();
    return record && record->state == OwnerState::kReleased;
  }
};

TEST_F(FinishTest, WhatChangedLastIsSentAndTheRemoteIsLetGoOf) {
  add("a.jpg", "bytes", {"nas"});
  const auto engine = start();
  settle(*engine);
  say_something();
  engine->stop();
  EXPECT_FALSE(released());
  engine->finish(kLong);
  EXPECT_TRUE(remote_knows_all());
  EXPECT_TRUE(released());
}

TEST_F(FinishTest, OriginalsThatWaitStayQueuedAndTheRemoteOurs) {
  add("a.jpg", "bytes", {"nas"});
  const auto engine = start();
  settle(*engine);
  ASSERT_TRUE(engine->pause());
  add("b.jpg", "more bytes", {"nas"});
  ASSERT_TRUE(outbox_->set_paused(false));
  engine->stop();
  engine->finish(kLong);
  EXPECT_EQ(pending("nas"), 1U);
  EXPECT_FALSE(remote_.object("Library/b.jpg"));
  EXPECT_FALSE(released());
}

TEST_F(FinishTest, ARemoteThatDoesNotAnswerIsGivenUpInTime) {
  add("a.jpg", "bytes", {"nas"});
  auto engine = start();
  settle(*engine);
  remote_.hold();
  say_something();
  engine->stop();
  engine->finish(milliseconds(50));  // would hang for ever
  remote_.release();
  EXPECT_FALSE(remote_knows_all());
  EXPECT_FALSE(released());
  engine = start();
  settle(*engine);
  EXPECT_TRUE(remote_knows_all()) << "what was broken off goes on at the next mount";
}

TEST_F(FinishTest, NothingIsAskedOfARemoteThatIsKnownToBeAway) {
  add("a.jpg", "bytes", {"nas"});
  const auto engine = start();
  settle(*engine);
  remote_.set_down(true);
  add("b.jpg", "more bytes", {"nas"});
  ASSERT_TRUE(engine->run_now());
  while (engine->status()->front().online) std::this_thread::yield();
  engine->stop();
  remote_.set_down(false);
  remote_.hold();  // a request would wait for the end of the five minutes
  const auto begin = std::chrono::steady_clock::now();
  engine->finish(kLong);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kLong);
  remote_.release();
  EXPECT_FALSE(remote_knows_all());
}

TEST_F(FinishTest, APolicyThatHoldsHoldsAtTheEndToo) {
  add("a.jpg", "bytes", {"nas"});
  auto engine = start();
  settle(*engine);
  engine->stop();
  engine->finish(kLong);
  UploadPolicy policy;
  policy.manual = true;
  engine = start(policy);
  say_something();
  engine->stop();
  engine->finish(kLong);
  EXPECT_FALSE(remote_knows_all());
}

}  // namespace
}  // namespace shoebox
