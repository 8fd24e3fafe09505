#include "sync/follower.h"

#include <filesystem>

#include "store/catalog/fsck.h"
#include "sync/backup_fit.h"
#include "sync/catalog_sender.h"
#include "tests/unit/sync/backup_fixture.h"

namespace shoebox::testing {
namespace {

// The fixture's catalog is the writer's; the one that follows has a catalog of its own.
class FollowerTest : public SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    sender_ = std::make_unique<CatalogSender>(*catalog_, remote_, clock_, CatalogSender::Options{});
    ASSERT_TRUE(sender_->load());
    auto copy = Catalog::open("copy", Catalog::Options::scratch());
    ASSERT_TRUE(copy) << copy.status().message();
    copy_ = std::move(*copy);
    copy_->add_observer([this](const Change& change) {
      for (const Change::Name& name : change.names) told_.insert(name.name);
      for (const InodeNo inode : change.data) told_data_.insert(inode);
    });
  }
  void send() {
    RequestHints hints;
    const Status sent = sender_->send({}, hints);
    ASSERT_TRUE(sent) << sent.message();
    const auto txn = copy_->begin();
    txn->put_meta(keys::kMetaLibraryId, **catalog_->meta(keys::kMetaLibraryId));
    ASSERT_TRUE(txn->commit());
  }
  // As after a remount: the heads are read, whatever their ETags.
  Status follow() { return Follower(*copy_, remote_, clock_, {}).follow({}); }
  static std::shared_ptr<Remote> shared(Remote& remote) {
    return std::shared_ptr<Remote>(std::shared_ptr<void>(), &remote);
  }
  void expect_same() {
    EXPECT_TRUE(backed_up_rows(*copy_) == backed_up_rows(*catalog_));
    const auto writer = check_catalog(*catalog_, {});
    const auto copy = check_catalog(*copy_, {});
    ASSERT_TRUE(writer && copy);
    EXPECT_LE(copy->problems.size(), writer->problems.size());
    for (const FsckProblem& problem : copy->problems) {
      const bool known = std::any_of(writer->problems.begin(), writer->problems.end(),
                                     [&](const FsckProblem& one) { return one.what == problem.what; });
      EXPECT_TRUE(known) << problem.what;
    }
  }
  void remove(const std::string& name) {
    const auto txn = catalog_->begin();
    const auto dentry = txn->dentry(kLibraryInode, name);
    ASSERT_TRUE(dentry && *dentry);
    const auto inode = txn->inode((*dentry)->inode);
    ASSERT_TRUE(inode && *inode);
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, name));
    ASSERT_TRUE(txn->erase_inode((*dentry)->inode));
    ASSERT_TRUE(txn->erase_photo((*inode)->photo));
    ASSERT_TRUE(txn->erase_content((*inode)->content));
    ASSERT_TRUE(txn->commit());
  }
  void confirm(ContentNo content, const std::string& key) {
    RemoteCopy copy;
    copy.key = key;
    copy.etag = "e";
    copy.size = (*catalog_->content(content))->size;
    ASSERT_TRUE(outbox_->confirmed(content, "nas", copy));
  }

  FakeRemote remote_{"nas"};
  std::unique_ptr<CatalogSender> sender_;
  std::unique_ptr<Catalog> copy_;
  std::set<std::string> told_;
  std::set<InodeNo> told_data_;
};

TEST_F(FollowerTest, TheFirstLookTakesEverything) {
  confirm(add("a.jpg", "aaa", {"nas"}, MediaKind::kPhoto), "Library/a.jpg");
  add("b.txt", "bb", {"nas"});
  send();
  ASSERT_TRUE(follow());
  expect_same();
  EXPECT_TRUE(*copy_->dentry(kLibraryInode, "a.jpg"));
  EXPECT_TRUE(*copy_->content_of_remote_key("nas", "Library/a.jpg"));
}

TEST_F(FollowerTest, WhatIsAddedRenamedAndRemovedIsFollowedAndTold) {
  const ContentNo first = add("first.jpg", "111", {"nas"}, MediaKind::kPhoto);
  confirm(first, "Library/first.jpg");
  confirm(add("second.txt", "22", {"nas"}), "Library/second.txt");
  send();
  ASSERT_TRUE(follow());
  told_.clear();
  add("third.txt", "3", {"nas"});
  rename("first.jpg", "renamed.jpg");
  remove("second.txt");
  confirm(first, "Library/renamed.jpg");
  send();
  ASSERT_TRUE(follow());
  expect_same();
  EXPECT_EQ(told_, (std::set<std::string>{"first.jpg", "renamed.jpg", "second.txt", "third.txt"}));
  EXPECT_FALSE(*copy_->content_of_remote_key("nas", "Library/first.jpg"));
  told_.clear();
  ASSERT_TRUE(follow());
  EXPECT_TRUE(told_.empty()) << "nothing changed";
}

TEST_F(FollowerTest, ReplacedBytesAreToldAsData) {
  add("a.txt", "one", {"nas"});
  send();
  ASSERT_TRUE(follow());
  const ContentNo other = add("b.txt", "two", {"nas"});
  const InodeNo inode = (*catalog_->dentry(kLibraryInode, "a.txt"))->inode;
  const auto txn = catalog_->begin();
  InodeRecord record = **txn->inode(inode);
  record.content = other;
  txn->put_inode(inode, record);
  ASSERT_TRUE(txn->commit());
  send();
  ASSERT_TRUE(follow());
  EXPECT_TRUE(told_data_.contains(inode));
  expect_same();
}

TEST_F(FollowerTest, WhatThisDiskKnowsStays) {
  const ContentNo content = add("a.jpg", "aaa", {"nas"}, MediaKind::kPhoto);
  send();
  ASSERT_TRUE(follow());
  EXPECT_EQ((*copy_->content(content))->residence, Residence::kPartial);
  {
    const auto txn = copy_->begin();
    ContentRecord record = **txn->content(content);
    record.residence = Residence::kLocal;
    record.pinned = true;
    record.last_access_s = 42;
    record.disk_bytes = 4096;
    txn->put_content(content, record);
    ASSERT_TRUE(txn->commit());
  }
  {
    const auto txn = catalog_->begin();
    ContentRecord record = **txn->content(content);
    record.references = 2;
    txn->put_content(content, record);
    ASSERT_TRUE(txn->commit());
  }
  send();
  ASSERT_TRUE(follow());
  const ContentRecord record = **copy_->content(content);
  EXPECT_EQ(record.references, 2U);
  EXPECT_EQ(record.residence, Residence::kLocal);
  EXPECT_TRUE(record.pinned);
  EXPECT_EQ(record.last_access_s, 42);
  EXPECT_EQ(record.disk_bytes, 4096U);
}

TEST_F(FollowerTest, WhereTheJournalDoesNotReachBackEverythingIsCompared) {
  add("a.txt", "a", {"nas"});
  add("gone.txt", "g", {"nas"});
  send();
  ASSERT_TRUE(follow());
  remove("gone.txt");
  add("b.txt", "b", {"nas"});
  // Another library directory of the same catalog goes on, with a snapshot of its own.
  {
    const auto txn = catalog_->begin();
    txn->put_meta(std::string(keys::kMetaBackup) + "nas", "");
    ASSERT_TRUE(txn->commit());
  }
  sender_ = std::make_unique<CatalogSender>(*catalog_, remote_, clock_, CatalogSender::Options{});
  ASSERT_TRUE(sender_->load());
  send();
  ASSERT_TRUE(follow());
  expect_same();
  EXPECT_FALSE(*copy_->dentry(kLibraryInode, "gone.txt"));
}

TEST_F(FollowerTest, ADamagedSegmentChangesNothing) {
  add("a.txt", "a", {"nas"});
  send();
  ASSERT_TRUE(follow());
  const BackedUpRows before = backed_up_rows(*copy_);
  std::set<std::string> known;
  for (const std::string& key : remote_.keys()) known.insert(key);
  add("b.txt", "b", {"nas"});
  send();
  std::map<std::string, std::string> whole;
  for (const std::string& key : remote_.keys()) {
    if (known.contains(key)) continue;
    whole[key] = *remote_.object(key);
    std::string damaged = whole[key];
    damaged[damaged.size() / 2] = static_cast<char>(damaged[damaged.size() / 2] ^ 1);
    if (key.find("head.") == std::string::npos) remote_.place(key, damaged);
  }
  EXPECT_EQ(follow().code(), Code::kDataLoss);
  EXPECT_TRUE(backed_up_rows(*copy_) == before);
  for (const auto& [key, bytes] : whole) remote_.place(key, bytes);
  ASSERT_TRUE(follow());
  expect_same();
}

TEST_F(FollowerTest, AnUnreachableRemoteIsNotAnEmptyLibrary) {
  add("a.txt", "a", {"nas"});
  send();
  ASSERT_TRUE(follow());
  const BackedUpRows before = backed_up_rows(*copy_);
  remote_.set_down(true);
  EXPECT_FALSE(follow());
  remote_.set_down(false);
  for (const std::string& key : remote_.keys()) ASSERT_TRUE(remote_.remove(key, {}));
  EXPECT_EQ(follow().code(), Code::kUnavailable);
  EXPECT_TRUE(backed_up_rows(*copy_) == before);
}

TEST_F(FollowerTest, ALargeCatalogIsTakenInPartsAndGatheredOnTheDisk) {
  Follower::Options options;
  options.rows.folder = dir_.path() + "/following";
  options.rows.most_bytes_in_memory = 2000;
  options.most_rows = 20;
  for (int i = 0; i < 60; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    confirm(add(name, "bytes of " + name, {"nas"}, MediaKind::kPhoto), "Library/" + name);
  }
  send();
  size_t parts = 0, most = 0;
  bool on_disk = false;
  copy_->add_observer([&](const Change& change) {
    ++parts;
    most = std::max(most, change.names.size() + change.content_sizes.size());
    on_disk = on_disk || std::filesystem::exists(options.rows.folder);
  });
  ASSERT_TRUE(Follower(*copy_, remote_, clock_, options).follow({}));
  expect_same();
  EXPECT_GT(parts, 10U);
  EXPECT_LE(most, 20U);
  EXPECT_TRUE(on_disk);
  EXPECT_FALSE(std::filesystem::exists(options.rows.folder));
  // And what was changed meanwhile, as a journal.
  for (int i = 0; i < 60; i += 2) rename(std::to_string(i) + ".jpg", std::to_string(i) + " renamed.jpg");
  for (int i = 1; i < 60; i += 4) remove(std::to_string(i) + ".jpg");
  send();
  ASSERT_TRUE(Follower(*copy_, remote_, clock_, options).follow({}));
  expect_same();
}

TEST_F(FollowerTest, BrokenOffBetweenPartsItGoesOnAndShowsOnlyWholeFilesMeanwhile) {
  Follower::Options options;
  options.most_rows = 10;
  CancelToken cancel;
  size_t parts = 0, last_part = 0;
  const auto look_at_all = [&] {
    EXPECT_TRUE(copy_->for_each_entry(kLibraryInode, "", [&](const DirEntry& entry) {
      const auto inode = copy_->inode(entry.dentry.inode);
      EXPECT_TRUE(inode && *inode) << entry.name;
      const auto content = copy_->content((*inode)->content);
      EXPECT_TRUE(content && *content) << entry.name;
      EXPECT_FALSE(copy_->block_hashes((*inode)->content)->empty()) << entry.name;
      EXPECT_TRUE(*copy_->copy((*inode)->content, "nas")) << entry.name;
      return true;
    }));
  };
  copy_->add_observer([&](const Change&) {
    if (++parts == last_part) cancel.cancel();
    look_at_all();
  });
  for (int i = 0; i < 30; ++i) {
    const std::string name = std::to_string(i) + ".jpg";
    confirm(add(name, "bytes of " + name, {"nas"}, MediaKind::kPhoto), "Library/" + name);
  }
  send();
  for (last_part = 1;; last_part += 3) {
    parts = 0;
    cancel = {};
    const Status followed = Follower(*copy_, remote_, clock_, options).follow(cancel);
    if (followed) break;
    ASSERT_EQ(followed.code(), Code::kCancelled) << followed.message();
  }
  EXPECT_GT(last_part, 1U);
  expect_same();
  // Broken off in a journal: what it had put is not taken for what was shown before.
  for (int i = 0; i < 30; ++i) rename(std::to_string(i) + ".jpg", std::to_string(i) + " renamed.jpg");
  send();
  parts = 0;
  last_part = 2;
  cancel = {};
  EXPECT_EQ(Follower(*copy_, remote_, clock_, options).follow(cancel).code(), Code::kCancelled);
  for (int i = 0; i < 30; ++i) rename(std::to_string(i) + " renamed.jpg", std::to_string(i) + ".jpg");
  send();
  ASSERT_TRUE(Follower(*copy_, remote_, clock_, options).follow({}));
  expect_same();
}

TEST_F(FollowerTest, AFileThatGotAnotherNameIsNeverWithoutOne) {
  add("a.txt", "a", {"nas"});
  send();
  ASSERT_TRUE(follow());
  const InodeNo inode = (*copy_->dentry(kLibraryInode, "a.txt"))->inode;
  rename("a.txt", "b.txt");
  send();
  size_t parts = 0;
  copy_->add_observer([&](const Change&) {
    ++parts;
    EXPECT_FALSE(copy_->names_of(inode)->empty());
  });
  Follower::Options options;
  options.most_rows = 1;
  ASSERT_TRUE(Follower(*copy_, remote_, clock_, options).follow({}));
  EXPECT_GE(parts, 2U);
  expect_same();
}

TEST_F(FollowerTest, WhenItsRemoteFailsTheNextOneIsFollowed) {
  FakeRemote attic("attic");
  CatalogSender to_attic(*catalog_, attic, clock_, CatalogSender::Options{});
  ASSERT_TRUE(to_attic.load());
  RequestHints hints;
  const auto both = [&] { return std::vector{shared(remote_), shared(attic)}; };
  // As after a remount; gives the remote that was followed.
  const auto look = [&] {
    Follower follower(*copy_, both, clock_, {});
    EXPECT_TRUE(follower.follow({}));
    return follower.report().remote;
  };
  add("a.txt", "a", {"nas"});
  ASSERT_TRUE(to_attic.send({}, hints));
  clock_.advance(60);
  add("b.txt", "b", {"nas"});
  send();
  EXPECT_EQ(look(), "nas");
  expect_same();
  // What the other one has is older: it does not go back.
  const BackedUpRows newest = backed_up_rows(*copy_);
  remote_.set_down(true);
  EXPECT_EQ(look(), "");
  EXPECT_TRUE(backed_up_rows(*copy_) == newest);
  clock_.advance(60);
  add("c.txt", "c", {"nas"});
  remove("a.txt");
  ASSERT_TRUE(to_attic.send({}, hints));
  EXPECT_EQ(look(), "attic");
  expect_same();
  // It stays there though the first one is back; and what went on there alone is found.
  remote_.set_down(false);
  clock_.advance(60);
  add("d.txt", "d", {"nas"});
  ASSERT_TRUE(to_attic.send({}, hints));
  EXPECT_EQ(look(), "attic");
  expect_same();
  clock_.advance(3600);
  add("e.txt", "e", {"nas"});
  send();
  Follower patient(*copy_, both, clock_, {});
  int looks = 0;
  while (patient.report().remote != "nas" && looks++ < 12) ASSERT_TRUE(patient.follow({}));
  EXPECT_EQ(patient.report().remote, "nas");
  expect_same();
  remote_.set_down(true);
  attic.set_down(true);
  EXPECT_EQ(Follower(*copy_, both, clock_, {}).follow({}).code(), Code::kUnavailable);
}

TEST_F(FollowerTest, ShouldItWriteOneDayItMayAndBeginsWithAWholeBackup) {
  add("a.txt", "a", {"nas"});
  send();
  add("b.txt", "b", {"nas"});
  send();
  ASSERT_TRUE(follow());
  const std::string id = **catalog_->meta(keys::kMetaLibraryId);
  const Status fits = backup_fits(*copy_, remote_, clock_, id, {});
  EXPECT_TRUE(fits) << fits.message();
  CatalogSender sender(*copy_, remote_, clock_, CatalogSender::Options{});
  ASSERT_TRUE(sender.load());
  RequestHints hints;
  ASSERT_TRUE(sender.send({}, hints));
  EXPECT_EQ(sender.snapshot(), sender.sent());
  EXPECT_TRUE(restored_rows(remote_, clock_, id) == backed_up_rows(*copy_));
  // And the former one is behind.
  EXPECT_EQ(backup_fits(*catalog_, remote_, clock_, id, {}).code(), Code::kReadOnly);
}

// Two library directories of one history that both went on give the same numbers to different files.
TEST_F(FollowerTest, ANumberOfAnotherHistoryBringsNoBytesOfThisOne) {
  const ContentNo content = add("a.jpg", "aaa", {"nas"}, MediaKind::kPhoto);
  const ContentNo same = add("b.jpg", "bbb", {"nas"}, MediaKind::kPhoto);
  const ContentNo adopted = add("c.jpg", "ccc", {"nas"}, MediaKind::kPhoto);
  send();
  ASSERT_TRUE(follow());
  for (const ContentNo here : {content, same, adopted}) {
    const auto txn = copy_->begin();
    ContentRecord record = **txn->content(here);
    record.residence = Residence::kLocal;
    if (here == adopted) {
      txn->put_raw(keys::hash(record.sha256), std::nullopt);
      record.state = ContentState::kAdopted;
      record.sha256 = {};
    }
    txn->put_content(here, record);
    ASSERT_TRUE(txn->commit());
  }
  {
    BlockHasher hasher;
    hasher.update("xxx", 3);
    const ContentHashes hashes = hasher.finish();
    const auto txn = catalog_->begin();
    ContentRecord record = **txn->content(content);
    txn->put_raw(keys::hash(record.sha256), std::nullopt);
    record.sha256 = hashes.whole;
    txn->put_content(content, record);
    txn->put_block_hashes(content, hashes.blocks);
    txn->put_meta(std::string(keys::kMetaBackup) + "nas", "");
    ASSERT_TRUE(txn->commit());
  }
  sender_ = std::make_unique<CatalogSender>(*catalog_, remote_, clock_, CatalogSender::Options{});
  ASSERT_TRUE(sender_->load());
  send();
  const InodeNo inode = (*catalog_->dentry(kLibraryInode, "a.jpg"))->inode;
  const InodeNo of_adopted = (*catalog_->dentry(kLibraryInode, "c.jpg"))->inode;
  std::vector<ContentNo> replaced;
  std::weak_ptr<void> until;
  copy_->add_observer([&](const Change& change) {
    if (std::find(change.data.begin(), change.data.end(), inode) != change.data.end())
      EXPECT_FALSE(until.expired()) << "until it is committed";
  });
  Follower::Options options;
  options.most_rows = 1;
  options.replacing = [&](const std::vector<ContentNo>& numbers) -> Result<std::shared_ptr<void>> {
    for (const ContentNo number : numbers) {
      EXPECT_NE((*copy_->content(number))->sha256, (*catalog_->content(number))->sha256) << "before";
      EXPECT_EQ(*copy_->block_hashes(number), *catalog_->block_hashes(number))
          << "or bytes that arrive in between are verified by the former ones";
    }
    replaced.insert(replaced.end(), numbers.begin(), numbers.end());
    auto guard = std::make_shared<int>(0);
    until = guard;
    return std::shared_ptr<void>(guard);
  };
  ASSERT_TRUE(Follower(*copy_, remote_, clock_, options).follow({}));
  EXPECT_EQ(replaced, (std::vector<ContentNo>{content, adopted}));
  EXPECT_TRUE(until.expired());
  EXPECT_TRUE(told_data_.contains(inode)) << "the kernel has pages of the former bytes";
  EXPECT_TRUE(told_data_.contains(of_adopted)) << "likewise";
  EXPECT_EQ((*copy_->content(content))->residence, Residence::kPartial);
  EXPECT_EQ((*copy_->content(same))->residence, Residence::kLocal);
  expect_same();
}

TEST_F(FollowerTest, TheJournalOfAnotherHistoryIsNotPutOverTheOneThatWasShown) {
  for (int i = 0; i < 6; ++i) add(std::to_string(i) + ".txt", std::to_string(i), {"nas"});
  send();
  ASSERT_TRUE(follow());
  auto other = Catalog::open("other", Catalog::Options::scratch());
  ASSERT_TRUE(other) << other.status().message();
  const auto change = [&](const std::string& album) {
    const auto txn = (*other)->begin();
    txn->put_meta(keys::kMetaLibraryId, **catalog_->meta(keys::kMetaLibraryId));
    txn->put_view_directory(ViewId::kAlbums, album, kAlbumsInode);
    ASSERT_TRUE(txn->commit());
  };
  change("of the other one");
  CatalogSender sender(**other, remote_, clock_, CatalogSender::Options{});
  ASSERT_TRUE(sender.load());
  RequestHints hints;
  ASSERT_TRUE(sender.send({}, hints));
  // Its journal reaches from before the change that is shown, by its number, to one after it.
  for (int i = 0; (*other)->last_change() <= catalog_->last_change(); ++i) change(std::to_string(i));
  ASSERT_TRUE(sender.send({}, hints));
  ASSERT_TRUE(follow());
  EXPECT_TRUE(backed_up_rows(*copy_) == backed_up_rows(**other));
}

}  // namespace
}  // namespace shoebox::testing
