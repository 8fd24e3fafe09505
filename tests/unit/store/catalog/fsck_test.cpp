#include "store/catalog/fsck.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

class Fsck : public ::testing::Test {
 protected:
  void SetUp() override {
    auto opened = Catalog::open("fsck", Catalog::Options::scratch());
    ASSERT_TRUE(opened);
    catalog_ = std::move(*opened);
    const auto txn = catalog_->begin();
    content_ = txn->new_content_no();
    ContentRecord content;
    content.state = ContentState::kSealed;
    content.size = 3;
    content.sha256 = sha256("abc");
    content.references = 1;
    txn->put_content(content_, content);
    txn->put_block_hashes(content_, {sha256("abc")});
    photo_ = txn->new_photo_id();
    PhotoRecord photo;
    photo.content = content_;
    txn->put_photo(photo_, photo);
    file_ = txn->new_inode_no();
    InodeRecord inode;
    inode.mode = S_IFREG | 0644;
    inode.nlink = 1;
    inode.size = 3;
    inode.content = content_;
    inode.photo = photo_;
    txn->put_inode(file_, inode);
    ASSERT_TRUE(txn->put_dentry(kLibraryInode, "a.jpg", {file_, S_IFREG, NameKind::kGiven}));
    ASSERT_TRUE(txn->put_dentry(kDatesInode, "a.jpg", {file_, S_IFREG, NameKind::kGenerated}));
    txn->put_job({content_, "nas", 0, 0, "", ""});
    txn->put_copy(content_, "s3", {"Library/a.jpg", "e", 3, 0});
    ASSERT_TRUE(txn->commit());
  }

  void damage(const std::string& key, std::optional<std::string> value) {
    const auto txn = catalog_->begin();
    txn->put_raw(key, std::move(value));
    ASSERT_TRUE(txn->commit());
  }
  size_t problems(FsckOptions options = {}) {
    const auto report = check_catalog(*catalog_, options);
    EXPECT_TRUE(report) << report.status().message();
    return report->problems.size();
  }
  // The damage is found, repaired, and all is well after it.
  void expect_repaired(const std::string& key, std::optional<std::string> value) {
    SCOPED_TRACE("row " + hex(key));
    damage(key, std::move(value));
    EXPECT_GT(problems(), 0U);
    FsckOptions repair;
    repair.repair = true;
    const auto report = check_catalog(*catalog_, repair);
    ASSERT_TRUE(report) << report.status().message();
    for (const FsckProblem& problem : report->problems) EXPECT_TRUE(problem.repaired) << problem.what;
    EXPECT_EQ(problems(), 0U);
  }

  std::unique_ptr<Catalog> catalog_;
  ContentNo content_;
  PhotoId photo_;
  InodeNo file_;
};

TEST_F(Fsck, ASoundCatalogHasNoProblems) { EXPECT_EQ(problems(), 0U); }

TEST_F(Fsck, LostIndexRowsAreMadeAnew) {
  for (const std::string& key :
       {keys::name(file_, kLibraryInode, "a.jpg"), keys::folded(kLibraryInode, "a.jpg", "a.jpg"),
        keys::content_inode(content_, file_), keys::photo_inode(photo_, file_), keys::hash(sha256("abc")),
        keys::content_photo(content_), keys::remote_job("nas", content_),
        keys::remote_key("s3", "Library/a.jpg")}) {
    expect_repaired(key, std::nullopt);
  }
}

TEST_F(Fsck, IndexRowsThatLeadNowhereAreDropped) {
  expect_repaired(keys::name(InodeNo(9999), kLibraryInode, "b.jpg"), "");
  expect_repaired(keys::folded(kLibraryInode, "b.jpg", "B.jpg"), "");
  expect_repaired(keys::xattr(InodeNo(9999), "user.x"), "v");
  expect_repaired(keys::hash(sha256("other")), keys::number_value(content_.value));
  expect_repaired(keys::remote_key("s3", "Library/other"), keys::number_value(content_.value));
  expect_repaired(keys::remote_job("nas", ContentNo(9999)), "");
  expect_repaired(keys::view_directory(ViewId::kPeople, "Anna"), keys::number_value(9999));
}

TEST_F(Fsck, ANameWithoutItsFileIsDropped) {
  expect_repaired(keys::dentry(kLibraryInode, "ghost.jpg"),
                  encode(DentryRecord{InodeNo(9999), S_IFREG, NameKind::kGiven}));
  EXPECT_FALSE(*catalog_->dentry(kLibraryInode, "ghost.jpg"));
}

TEST_F(Fsck, AWrongLinkCountIsPutRight) {
  InodeRecord inode = **catalog_->inode(file_);
  inode.nlink = 5;
  expect_repaired(keys::inode(file_), encode(inode));
  EXPECT_EQ((*catalog_->inode(file_))->nlink, 1U) << "the name in Dates does not count";
}

TEST_F(Fsck, AnUploadOfAContentThatIsNotThereIsDropped) {
  expect_repaired(keys::job(ContentNo(9999), "nas"), encode(UploadJob{ContentNo(9999), "nas", 0, 0, "", ""}));
}

TEST_F(Fsck, BytesThatNothingNamesGetANameInLibrary) {
  const auto txn = catalog_->begin();
  ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "a.jpg"));
  ASSERT_TRUE(txn->erase_dentry(kDatesInode, "a.jpg"));
  ASSERT_TRUE(txn->erase_inode(file_));
  ASSERT_TRUE(txn->commit());
  FsckOptions repair;
  repair.repair = true;
  ASSERT_TRUE(check_catalog(*catalog_, repair));
  EXPECT_EQ(problems(), 0U);
  EXPECT_TRUE(*catalog_->content(content_));
  EXPECT_EQ(catalog_->inodes_of_content(content_)->size(), 1U);
  EXPECT_TRUE(*catalog_->dentry(kLibraryInode, "recovered-" + std::to_string(content_.value)));
}

TEST_F(Fsck, MissingBytesAreReadFromTheRemoteAfterARepair) {
  FsckOptions options;
  options.has_files = [](ContentNo, const ContentRecord& record) -> Result<bool> {
    return record.residence == Residence::kPartial;
  };
  EXPECT_EQ(problems(options), 1U);
  options.repair = true;
  EXPECT_EQ(problems(options), 1U);
  EXPECT_EQ(problems(options), 0U);
  EXPECT_EQ((*catalog_->content(content_))->residence, Residence::kPartial);
}

TEST_F(Fsck, ARecordThatCannotBeReadIsReportedAndLeft) {
  damage(keys::photo(photo_), "\x01garbage");
  const auto report = check_catalog(*catalog_, {.repair = true});
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_GT(report->unrepaired(), 0U);
  EXPECT_EQ(**catalog_->get(keys::photo(photo_)), "\x01garbage");
}

}  // namespace
}  // namespace shoebox
