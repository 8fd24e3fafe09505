// What becomes of the copies on a remote that is not what it was.

#include "store/doubtful_copies.h"

#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

class DoubtfulCopiesTest : public testing::SyncFixture {
 protected:
  ContentNo backed_up(const std::string& name, const std::string& remote) {
    const ContentNo content = add(name, "bytes of " + name, {});
    copy(content, name, remote);
    return content;
  }
  void copy(ContentNo content, const std::string& name, const std::string& remote) {
    const auto txn = catalog_->begin();
    txn->put_copy(content, remote, {"Library/" + name, "etag", 9 + name.size(), 1});
    ASSERT_TRUE(txn->commit());
  }
};

TEST_F(DoubtfulCopiesTest, WhatIsOnThisDiskIsToBeSentThereAgainAndTheRestStays) {
  const ContentNo local = backed_up("local.jpg", "nas");
  copy(local, "local.jpg", "cloud");
  const ContentNo gone = backed_up("gone.jpg", "nas");
  {
    const auto txn = catalog_->begin();
    ContentRecord record = **catalog_->content(gone);
    record.residence = Residence::kPartial;
    txn->put_content(gone, record);
    ASSERT_TRUE(txn->commit());
  }
  const Result<DoubtfulCopies> found = doubt_copies(*catalog_, *outbox_, "nas");
  ASSERT_TRUE(found) << found.status().message();
  EXPECT_EQ(found->checked_again, 1U);
  EXPECT_EQ(found->only_there, 1U);
  EXPECT_FALSE(catalog_->copy(local, "nas")->has_value()) << "it counts for no eviction";
  EXPECT_TRUE(catalog_->copy(local, "cloud")->has_value());
  EXPECT_TRUE(catalog_->copy(gone, "nas")->has_value()) << "the only place known for these bytes";
  EXPECT_EQ(outbox_->totals("nas")->pending_files, 1U);
  EXPECT_EQ(outbox_->totals("cloud")->pending_files, 0U);
}

TEST_F(DoubtfulCopiesTest, SidecarsAreSentAgainToo) {
  const ContentNo content = backed_up("a.jpg", "nas");
  const PhotoId photo = **catalog_->photo_of_content(content);
  {
    const auto txn = catalog_->begin();
    for (const char* remote : {"nas", "cloud"})
      txn->put_sidecar(photo, remote, {"Library/a.jpg.xmp", "etag", 3, sha256("abc")});
    ASSERT_TRUE(txn->commit());
  }
  ASSERT_TRUE(doubt_copies(*catalog_, *outbox_, "nas"));
  const auto doubted = *catalog_->sidecar(photo, "nas");
  ASSERT_TRUE(doubted) << "what stands there after all is ours yet";
  EXPECT_TRUE(doubted->sha256.is_zero()) << "and not what is wanted";
  EXPECT_TRUE(catalog_->sidecar_mark("nas", photo)->has_value());
  EXPECT_EQ((*catalog_->sidecar(photo, "cloud"))->sha256, sha256("abc"));
}

}  // namespace
}  // namespace shoebox
