// A copy under a new key that is made through this machine, and what is read for it comes wrong.
#include "sync/remote/folder_remote.h"
#include "sync/tidy.h"
#include "tests/unit/sync/remote/fake_folder_server.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

constexpr const char* kFolder = "nas";

class TidyCopyTest : public testing::SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    auto server = std::make_unique<FakeFolderServer>();
    server_ = server.get();
    server_->can_copy = false;
    remote_ = std::make_unique<FolderRemote>(kFolder, std::move(server), false);
    ASSERT_TRUE(remote_->check({}));
    content_ = add("a.jpg", "bytes", {});
    server_->nodes["Library"].is_folder = true;
    server_->nodes["Library/a.jpg"] = {false, "bytes", 7};
    const auto there = remote_->stat("Library/a.jpg", {});
    const auto txn = catalog_->begin();
    txn->put_copy(content_, kFolder, {"Library/a.jpg", there->etag, 5, 1});
    ASSERT_TRUE(txn->commit());
    rename("a.jpg", "b.jpg");
  }
  Status move() {
    clock_.advance(3600);
    const auto step = outbox_->next_tidy(kFolder, true, nullptr, nullptr);
    EXPECT_TRUE(step && *step && (*step)->kind == TidyStep::Kind::kMove);
    RequestHints hints;
    const Status done = Tidy{*outbox_, *remote_, clock_}.run(**step, {}, hints);
    if (!done) EXPECT_TRUE(outbox_->tidy_failed(**step, kFolder, done, clock_.now().seconds + 1));
    return done;
  }
  std::string key() {
    const auto copy = catalog_->copy(content_, kFolder);
    return *copy ? (*copy)->key : "none";
  }

  FakeFolderServer* server_ = nullptr;
  std::unique_ptr<FolderRemote> remote_;
  ContentNo content_;
};

TEST_F(TidyCopyTest, WhatCameWrongOnceIsCopiedTheNextTime) {
  server_->flip_reads = 1;
  EXPECT_EQ(move().code(), Code::kUnavailable);
  EXPECT_EQ(key(), "Library/a.jpg");
  EXPECT_FALSE(server_->nodes.contains("Library/b.jpg"));
  ASSERT_TRUE(move());
  EXPECT_EQ(key(), "Library/b.jpg");
  EXPECT_EQ(server_->nodes["Library/b.jpg"].bytes, "bytes");
}

TEST_F(TidyCopyTest, WhatHasRottenThereIsSentAgain) {
  server_->nodes["Library/a.jpg"].bytes = "rotte";
  EXPECT_EQ(move().code(), Code::kConflict);
  EXPECT_EQ(key(), "none");
  EXPECT_FALSE(server_->nodes.contains("Library/b.jpg"));
  EXPECT_EQ(pending(kFolder), 1U);
}

}  // namespace
}  // namespace shoebox
