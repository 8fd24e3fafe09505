// A catalog that is sent to a remote in memory, whose uploads break where the test says.
#pragma once

#include "sync/catalog_sender.h"
#include "tests/unit/sync/backup_fixture.h"

namespace shoebox::testing {

class CatalogSenderFixture : public SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    options_.sizes = {.least_bytes = 4000, .most_bytes = 20'000, .rows_per_cut = 32};
    make_sender();
  }
  // As after a restart of the program.
  void make_sender() {
    sender_ = std::make_unique<CatalogSender>(*catalog_, remote_, clock_, options_);
    ASSERT_TRUE(sender_->load());
  }
  Status send() {
    RequestHints hints;
    return sender_->send(CancelToken(), hints);
  }
  // A file in the catalog alone: these tests need no bytes.
  InodeNo change(const std::string& name) {
    const auto txn = catalog_->begin();
    const InodeNo number = txn->new_inode_no();
    InodeRecord inode;
    inode.mode = S_IFREG | 0644;
    inode.nlink = 1;
    txn->put_inode(number, inode);
    EXPECT_TRUE(txn->put_dentry(kLibraryInode, name, {number, S_IFREG, NameKind::kGiven}));
    EXPECT_TRUE(txn->commit());
    return number;
  }
  void fill(int files) {
    const auto txn = catalog_->begin();
    for (int i = 0; i < files; ++i) {
      const InodeNo number = txn->new_inode_no();
      InodeRecord inode;
      inode.mode = S_IFREG | 0644;
      inode.nlink = 1;
      inode.mtime.nanoseconds = static_cast<uint32_t>(i * 7919 % 1000003);  // does not shrink away
      txn->put_inode(number, inode);
      EXPECT_TRUE(txn->put_dentry(kLibraryInode, "IMG_" + std::to_string(i) + ".jpg",
                                  {number, S_IFREG, NameKind::kGiven}));
    }
    EXPECT_TRUE(txn->commit());
  }
  std::string id() { return catalog_->meta(keys::kMetaLibraryId).value().value_or(""); }
  backup::Head head() {
    const auto heads = BackupCopy(fake_, clock_).heads(id());
    EXPECT_TRUE(heads && !heads->whole.empty());
    return heads && !heads->whole.empty() ? heads->whole.front() : backup::Head();
  }
  BackedUpRows restored() { return testing::restored_rows(fake_, clock_, id()); }
  BackedUpRows rows() { return testing::backed_up_rows(*catalog_); }

  // What stands on the remote, and its owner putting that back.
  std::map<std::string, std::string> objects() {
    std::map<std::string, std::string> found;
    for (const std::string& key : fake_.keys()) found[key] = fake_.object(key).value_or("");
    return found;
  }
  void put_back(const std::map<std::string, std::string>& before) {
    for (const std::string& key : fake_.keys()) {
      if (!before.contains(key)) EXPECT_TRUE(fake_.remove(key, {}));
    }
    for (const auto& [key, bytes] : before) fake_.place(key, bytes);
  }

  FakeRemote fake_{"nas"};
  BreakingRemote remote_{fake_};
  CatalogSender::Options options_;
  std::unique_ptr<CatalogSender> sender_;
};

}  // namespace shoebox::testing
