// What a rebuilt catalog keeps of files that no remote has.

#include "store/catalog/backup_prune.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/catalog/fsck.h"

namespace shoebox {
namespace {

class BackupPrune : public ::testing::Test {
 protected:
  void SetUp() override { catalog_ = std::move(*Catalog::open("prune", Catalog::Options::scratch())); }

  static ContentNo add_content(Transaction& txn, const std::string& bytes, bool backed_up) {
    const ContentNo number = txn.new_content_no();
    ContentRecord record;
    record.state = ContentState::kSealed;
    record.residence = Residence::kPartial;
    record.size = bytes.size();
    record.sha256 = sha256(bytes);
    record.references = 1;
    txn.put_content(number, record);
    txn.put_block_hashes(number, {sha256(bytes)});
    if (backed_up) txn.put_copy(number, "nas", {"Library/" + bytes, "etag", bytes.size(), 1});
    return number;
  }
  static InodeNo add_file(Transaction& txn, const std::string& name, ContentNo content) {
    PhotoRecord photo;
    photo.content = content;
    const PhotoId id = txn.new_photo_id();
    txn.put_photo(id, photo);
    InodeRecord inode;
    inode.mode = S_IFREG | 0644;
    inode.nlink = 1;
    inode.content = content;
    inode.photo = id;
    const InodeNo number = txn.new_inode_no();
    txn.put_inode(number, inode);
    EXPECT_TRUE(txn.put_dentry(kLibraryInode, name, {number, S_IFREG, NameKind::kGiven}));
    return number;
  }
  void expect_sound() {
    const auto report = check_catalog(*catalog_, {});
    ASSERT_TRUE(report);
    for (const FsckProblem& problem : report->problems) ADD_FAILURE() << problem.what;
  }

  std::unique_ptr<Catalog> catalog_;
};

TEST_F(BackupPrune, FilesWithoutACopyGoAndAreTold) {
  {
    const auto txn = catalog_->begin();
    add_file(*txn, "kept.jpg", add_content(*txn, "kept", true));
    add_file(*txn, "late.jpg", add_content(*txn, "late", false));
    add_file(*txn, ".hidden", add_content(*txn, "junk", false));
    ASSERT_TRUE(txn->commit());
  }
  const auto pruned = drop_without_copies(*catalog_);
  ASSERT_TRUE(pruned) << pruned.status().message();
  EXPECT_EQ(pruned->lost, (std::vector<std::string>{"Library/late.jpg"}));
  EXPECT_TRUE(pruned->older.empty());
  EXPECT_TRUE(catalog_->dentry(kLibraryInode, "kept.jpg")->has_value());
  EXPECT_FALSE(catalog_->dentry(kLibraryInode, "late.jpg")->has_value());
  EXPECT_FALSE(catalog_->dentry(kLibraryInode, ".hidden")->has_value());
  expect_sound();
}

TEST_F(BackupPrune, AFileIsToldOfByItsNameInLibrary) {
  {
    const auto txn = catalog_->begin();
    const InodeNo late = add_file(*txn, "late.jpg", add_content(*txn, "late", false));
    const InodeNo album = txn->new_inode_no();
    InodeRecord folder;
    folder.mode = S_IFDIR | 0755;
    folder.nlink = 2;
    txn->put_inode(album, folder);
    ASSERT_TRUE(txn->put_dentry(kRootInode, "Albums of mine", {album, S_IFDIR, NameKind::kGiven}));
    ASSERT_TRUE(txn->put_dentry(album, "a.jpg", {late, S_IFREG, NameKind::kGiven}));
    const InodeNo only = add_file(*txn, "x.jpg", add_content(*txn, "other", false));
    ASSERT_TRUE(txn->erase_dentry(kLibraryInode, "x.jpg"));
    ASSERT_TRUE(txn->put_dentry(album, "only.jpg", {only, S_IFREG, NameKind::kGiven}));
    ASSERT_TRUE(txn->commit());
  }
  auto pruned = drop_without_copies(*catalog_);
  ASSERT_TRUE(pruned) << pruned.status().message();
  std::sort(pruned->lost.begin(), pruned->lost.end());
  EXPECT_EQ(pruned->lost, (std::vector<std::string>{"Albums of mine/only.jpg", "Library/late.jpg"}));
}

TEST_F(BackupPrune, AnEditThatWasNotSentGivesWayToTheBytesBefore) {
  InodeNo file;
  ContentNo before;
  {
    const auto txn = catalog_->begin();
    before = add_content(*txn, "before", true);
    const ContentNo after = add_content(*txn, "after the edit", false);
    file = add_file(*txn, "edited.jpg", after);
    txn->put_version((*txn->inode(file))->photo, {before, 100, "edited.jpg"});
    ASSERT_TRUE(txn->commit());
  }
  const auto pruned = drop_without_copies(*catalog_);
  ASSERT_TRUE(pruned) << pruned.status().message();
  EXPECT_TRUE(pruned->lost.empty());
  EXPECT_EQ(pruned->older, (std::vector<std::string>{"Library/edited.jpg"}));
  EXPECT_EQ((*catalog_->inode(file))->content, before);
  EXPECT_EQ((*catalog_->inode(file))->size, 6U);
  expect_sound();
}

}  // namespace
}  // namespace shoebox
