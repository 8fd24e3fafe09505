// Programs that keep the former bytes beside a photo: what they write is the photo, the backup copy a plain
// file.

#include "store/tree/name_class.h"
#include "tree_fixture.h"

namespace shoebox {
namespace {

class TreeSetAsideTest : public TreeTest {
 protected:
  // Library/2023/07/a.jpg, in the album Trip as well, with a caption.
  void SetUp() override {
    TreeTest::SetUp();
    old_ = photo_file("Albums/Trip/a.jpg", "old");
    id_ = inode(old_).photo;
    ASSERT_EQ(find("Library/2023/07/a.jpg"), old_);
    ASSERT_TRUE(tree_->setxattr(old_, "user.xdg.comment", "the two of us", Tree::XattrMode::kAny));
    clock_.time.seconds += 3600;
  }
  // As ExifTool does it.
  void edit(const std::string& folder) {
    write(folder + "/a.jpg_exiftool_tmp", "new");
    ASSERT_EQ(mv(folder + "/a.jpg", folder + "/a.jpg_original"), Code::kOk);
    ASSERT_EQ(mv(folder + "/a.jpg_exiftool_tmp", folder + "/a.jpg"), Code::kOk);
  }
  // `edited` is the photo, everywhere, and the backup copy in `folder` is none.
  void expect_photo(InodeNo edited, const std::string& backup_copy) {
    EXPECT_NE(edited, old_);
    EXPECT_EQ(inode(edited).photo, id_);
    EXPECT_EQ(find("Library/2023/07/a.jpg"), edited);
    EXPECT_EQ(find("Albums/Trip/a.jpg"), edited);
    EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
    EXPECT_EQ(*tree_->getxattr(edited, "user.xdg.comment"), "the two of us");
    EXPECT_EQ(find(backup_copy), old_);
    EXPECT_FALSE(inode(old_).photo);
    EXPECT_EQ(catalog_->versions(id_)->size(), 1u);
    check_all();
  }

  InodeNo old_;
  PhotoId id_;
};

TEST_F(TreeSetAsideTest, WhatExifToolWritesInLibraryIsThePhoto) {
  edit("Library/2023/07");
  const InodeNo edited = find("Library/2023/07/a.jpg");
  expect_photo(edited, "Library/2023/07/a.jpg_original");
  EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
  EXPECT_EQ(decode_wanted_.back(), inode(edited).content);
  ASSERT_TRUE(tree_->photo_decoded(inode(edited).content, photo_info(day(2023, 7, 14))));
  expect_photo(edited, "Library/2023/07/a.jpg_original");
}

TEST_F(TreeSetAsideTest, WhatExifToolWritesInAnAlbumIsThePhoto) {
  edit("Albums/Trip");
  expect_photo(find("Albums/Trip/a.jpg"), "Albums/Trip/a.jpg_original");
  EXPECT_EQ(find("Library/2023/07/a.jpg_original"), old_) << "its home is beside the photo's";
  EXPECT_EQ(ls("Library/2023/07"), (Names{"a.jpg", "a.jpg_original"}));
  ++caller_.pid;  // not ExifTool
  ASSERT_EQ(rm("Albums/Trip/a.jpg_original"), Code::kOk);
  ASSERT_EQ(rm("Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library/2023/07"), (Names{"a.jpg", "a.jpg_original"})) << "they left the album only";
  check_all();
}

TEST_F(TreeSetAsideTest, ABackupCopyThatCameIntoAnAlbumWithItsPhotoStaysInLibrary) {
  // As `cp -r` does it: the photo has no home yet, and is called otherwise there.
  photo_file("Library/2023/07/k.jpg", "another k");
  const InodeNo photo = write("Albums/Trip/k.jpg", "k");
  const InodeNo copy = write("Albums/Trip/k.jpg_original", "former k");
  const InodeNo junk = write("Albums/Trip/k.jpg~", "older k");
  EXPECT_FALSE(inode(copy).photo);
  ASSERT_TRUE(tree_->photo_decoded(inode(photo).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(find("Library/2023/07/k (2).jpg"), photo);
  EXPECT_EQ(find("Library/2023/07/k (2).jpg_original"), copy);
  EXPECT_EQ(find("Library/2023/07/k (2).jpg~"), junk);
  // One more, now that it has.
  const InodeNo later = write("Albums/Trip/k.jpg.bak", "oldest k");
  EXPECT_EQ(find("Library/2023/07/k (2).jpg.bak"), later);
  check_all();
  for (const std::string& name : ls("Albums/Trip")) ASSERT_EQ(rm("Albums/Trip/" + name), Code::kOk);
  EXPECT_EQ(find("Library/2023/07/k (2).jpg"), photo);
  EXPECT_EQ(find("Library/2023/07/k (2).jpg_original"), copy);
  EXPECT_TRUE(content_exists(inode(copy).content));
  EXPECT_EQ(find("Library/2023/07/k (2).jpg.bak"), later);
  check_all();
}

TEST_F(TreeSetAsideTest, ABackupCopyOfAPhotoThatIsOnTheDriveGetsAHomeBesideIt) {
  photo_file("Library/Phone/m.jpg", "m");
  const InodeNo twin = touch("Albums/Trip/k.jpg")->number;
  const InodeNo copy = write("Albums/Trip/k.jpg_original", "former m");
  seal(commit(twin, "m"), "m");
  EXPECT_EQ(find("Library/Phone/m.jpg_original"), copy);
  check_all();
}

TEST_F(TreeSetAsideTest, AnEditorThatSavesAgainOverItsBackupCopyGoesOnWithThePhoto) {
  for (int i = 0; i < 3; ++i) {
    SCOPED_TRACE(i);
    old_ = find("Albums/Trip/a.jpg");
    ASSERT_EQ(mv("Albums/Trip/a.jpg", "Albums/Trip/a.jpg~"), Code::kOk);
    const std::string bytes = "save " + std::to_string(i);
    const InodeNo edited = write("Albums/Trip/a.jpg", bytes);
    ASSERT_TRUE(tree_->photo_decoded(inode(edited).content, photo_info(day(2023, 7, 14))));
    EXPECT_EQ(inode(edited).photo, id_);
    EXPECT_FALSE(inode(old_).photo);
    EXPECT_EQ(find("Library/2023/07/a.jpg"), edited);
    EXPECT_EQ(ls("Albums/Trip"), (Names{"a.jpg", "a.jpg~"}));
    EXPECT_EQ(ls("Library/2023/07"), (Names{"a.jpg", "a.jpg~"}));
    EXPECT_EQ(find("Library/2023/07/a.jpg~"), old_);
    EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
    check_all();
  }
}

TEST_F(TreeSetAsideTest, AProgramThatLinksTheFormerFileBeforeItReplacesItKeepsABackupCopy) {
  // As `rsync --backup` does it.
  for (const std::string folder : {"Library/2023/07", "Albums/Trip"}) {
    SCOPED_TRACE(folder);
    old_ = find("Library/2023/07/a.jpg");
    ASSERT_EQ(ln(folder + "/a.jpg", folder + "/a.jpg~"), Code::kOk);
    const InodeNo edited = write(folder + "/.a.jpg.a8Xk2Q", "new " + folder);
    ASSERT_EQ(mv(folder + "/.a.jpg.a8Xk2Q", folder + "/a.jpg"), Code::kOk);
    EXPECT_EQ(inode(edited).photo, id_);
    EXPECT_EQ(find("Library/2023/07/a.jpg"), edited);
    EXPECT_EQ(find("Albums/Trip/a.jpg"), edited);
    EXPECT_EQ(find(folder + "/a.jpg~"), old_);
    EXPECT_FALSE(inode(old_).photo);
    EXPECT_FALSE(catalog_->versions(id_)->empty());
    ASSERT_TRUE(tree_->photo_decoded(inode(edited).content, photo_info(day(2023, 7, 14))));
    EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
    check_all();
    ASSERT_EQ(rm(folder + "/a.jpg~"), Code::kOk);
  }
}

TEST_F(TreeSetAsideTest, TheBackupCopyIsDeletedForGoodAndThePhotoStays) {
  for (const std::string folder : {"Library/2023/07", "Albums/Trip"}) {
    SCOPED_TRACE(folder);
    edit(folder);
    const ContentNo kept = inode(find(folder + "/a.jpg_original")).content;
    ASSERT_EQ(rm(folder + "/a.jpg_original"), Code::kOk);
    EXPECT_EQ(ls("Trash"), Names{});
    EXPECT_TRUE(content_exists(kept)) << "it is a version";
    EXPECT_EQ(inode("Albums/Trip/a.jpg").photo, id_);
    EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
    check_all();
    ASSERT_TRUE(tree_->photo_decoded(inode("Albums/Trip/a.jpg").content, photo_info(day(2023, 7, 14))));
    seal(commit(find("Albums/Trip/a.jpg"), "again " + folder), "again " + folder);
  }
}

TEST_F(TreeSetAsideTest, TheBackupCopyIsRestoredAsThePhoto) {
  for (const std::string folder : {"Library/2023/07", "Albums/Trip"}) {
    SCOPED_TRACE(folder);
    old_ = find("Library/2023/07/a.jpg");
    edit(folder);
    ASSERT_EQ(mv(folder + "/a.jpg_original", folder + "/a.jpg"), Code::kOk);
    EXPECT_EQ(inode(old_).photo, id_);
    EXPECT_EQ(find("Library/2023/07/a.jpg"), old_);
    EXPECT_EQ(find("Albums/Trip/a.jpg"), old_);
    EXPECT_EQ(ls(folder), Names{"a.jpg"});
    EXPECT_EQ(ls("Library/2023/07"), Names{"a.jpg"});
    EXPECT_EQ(photo(id_).content, inode(old_).content);
    ASSERT_TRUE(tree_->photo_decoded(inode(old_).content, photo_info(day(2023, 7, 14))));
    EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
    check_all();
  }
}

TEST_F(TreeSetAsideTest, AnEditorThatWritesAnewUnderTheNameWritesThePhoto) {
  for (const std::string folder : {"Library/2023/07", "Albums/Trip"}) {
    SCOPED_TRACE(folder);
    old_ = find("Library/2023/07/a.jpg");
    ASSERT_EQ(mv(folder + "/a.jpg", folder + "/a.jpg~"), Code::kOk);
    const InodeNo edited = touch(folder + "/a.jpg")->number;
    EXPECT_EQ(inode(old_).photo, id_) << "the save may be broken off still";
    const ContentNo half = commit(edited, "half " + folder);
    EXPECT_EQ(inode(edited).photo, id_);
    // The editor keeps no backup copy, and knows of the bytes only that they were written.
    ASSERT_EQ(rm(folder + "/a.jpg~"), Code::kOk);
    EXPECT_EQ(ls("Trash"), Names{});
    EXPECT_EQ(ls("Library/2023/07"), Names{"a.jpg"}) << "each save would leave one";
    seal(half, "half " + folder);
    ASSERT_TRUE(tree_->photo_decoded(half, photo_info(day(2023, 7, 14))));
    EXPECT_EQ(find("Library/2023/07/a.jpg"), edited);
    EXPECT_EQ(find("Albums/Trip/a.jpg"), edited);
    EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
    check_all();
  }
}

TEST_F(TreeSetAsideTest, ASaveThatIsBrokenOffLosesNothing) {
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg.bak"), Code::kOk);
  touch("Library/2023/07/a.jpg");
  ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
  ASSERT_EQ(mv("Library/2023/07/a.jpg.bak", "Library/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/2023/07/a.jpg"), old_);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), old_);
  EXPECT_EQ(inode(old_).photo, id_);
  check_all();
}

TEST_F(TreeSetAsideTest, AnotherPhotoOfThatNameIsAnotherPhoto) {
  // Somebody renamed the photo long ago.
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg.bak"), Code::kOk);
  clock_.time.seconds += 3600;
  clock_.steady_time += std::chrono::hours(1);
  const InodeNo later = photo_file("Library/2023/07/a.jpg", "later", photo_info(day(2023, 7, 15)));
  EXPECT_NE(inode(later).photo, id_);
  EXPECT_EQ(inode(old_).photo, id_);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), old_);
  check_all();
  // A photo that is an old one itself takes no other's place.
  const InodeNo other = photo_file("Library/2023/07/b.jpg", "other");
  clock_.time.seconds += 3600;
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg_original"), Code::kOk);
  ASSERT_EQ(mv("Library/2023/07/b.jpg", "Library/2023/07/a.jpg"), Code::kOk);
  EXPECT_NE(inode(other).photo, inode(later).photo);
  EXPECT_TRUE(inode(later).photo);
  check_all();
}

TEST_F(TreeSetAsideTest, WhatAnotherProgramPutsUnderTheNameIsAnotherPhoto) {
  const std::vector<std::string> backups{"a.jpg.bak", "a.bak", "a.jpg_original", "a.jpg~"};
  std::string former = "a.jpg";
  for (const std::string& backup : backups) {
    SCOPED_TRACE(backup);
    ASSERT_EQ(mv("Library/2023/07/" + former, "Library/2023/07/a.jpg"), Code::kOk);
    ++caller_.pid;
    ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/" + backup), Code::kOk);
    former = backup;
    ++caller_.pid;  // mv ended, cp comes
    const InodeNo other = photo_file("Library/2023/07/a.jpg", "other " + backup);
    EXPECT_TRUE(inode(other).photo);
    EXPECT_NE(inode(other).photo, id_);
    // As rsync and file managers copy: by a temporary file.
    ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
    const InodeNo through = write("Library/2023/07/.a.jpg.a8Xk2Q", "through " + backup);
    ASSERT_EQ(mv("Library/2023/07/.a.jpg.a8Xk2Q", "Library/2023/07/a.jpg"), Code::kOk);
    EXPECT_TRUE(inode(through).photo);
    EXPECT_NE(inode(through).photo, id_);
    ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);

    EXPECT_EQ(inode(old_).photo, id_);
    EXPECT_EQ(find("Library/2023/07/" + backup), old_);
    EXPECT_EQ(find("Albums/Trip/a.jpg"), old_);
    EXPECT_EQ(*tree_->getxattr(old_, "user.xdg.comment"), "the two of us");
    EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
    check_all();
  }
}

TEST_F(TreeSetAsideTest, WhoCannotBeToldFromOthersSavesNothing) {
  caller_.pid = 0;
  edit("Library/2023/07");
  EXPECT_EQ(inode(old_).photo, id_);
  EXPECT_TRUE(inode("Library/2023/07/a.jpg").photo);
  EXPECT_NE(inode("Library/2023/07/a.jpg").photo, id_);
  check_all();
}

TEST_F(TreeSetAsideTest, OneProgramMaySwapTwoPhotos) {
  const InodeNo other = photo_file("Library/2023/07/b.jpg", "other");
  const PhotoId id = inode(other).photo;
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg.bak"), Code::kOk);
  ASSERT_EQ(mv("Library/2023/07/b.jpg", "Library/2023/07/a.jpg"), Code::kOk);
  ASSERT_EQ(mv("Library/2023/07/a.jpg.bak", "Library/2023/07/b.jpg"), Code::kOk);
  EXPECT_EQ(inode(old_).photo, id_);
  EXPECT_EQ(inode(other).photo, id);
  EXPECT_EQ(find("Library/2023/07/a.jpg"), other);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), old_);
  check_all();
}

TEST_F(TreeSetAsideTest, TheBackupCopyOfOneSuffixDoesNotServeAnother) {
  // a.bak may be anybody's: of a.mov that is written next it is none.
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.bak"), Code::kOk);
  const InodeNo video = write("Library/2023/07/a.mov", "video");
  EXPECT_NE(inode(video).photo, id_);
  EXPECT_EQ(inode(old_).photo, id_);
  check_all();
}

TEST_F(TreeSetAsideTest, TheNewFileIsThePhotoIfItComesSoonAndFirst) {
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg~"), Code::kOk);
  clock_.steady_time += std::chrono::seconds(61);
  const InodeNo late = write("Library/2023/07/a.jpg", "late");
  EXPECT_NE(inode(late).photo, id_);
  ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
  ASSERT_EQ(mv("Library/2023/07/a.jpg~", "Library/2023/07/a.jpg"), Code::kOk);

  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg~"), Code::kOk);
  const uint32_t editor = caller_.pid++;
  const InodeNo others = write("Library/2023/07/a.jpg", "of another program");
  ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
  caller_.pid = editor;
  const InodeNo second = write("Library/2023/07/a.jpg", "second");
  EXPECT_NE(inode(others).photo, id_);
  EXPECT_NE(inode(second).photo, id_);
  EXPECT_EQ(inode(old_).photo, id_);
  check_all();
}

TEST_F(TreeSetAsideTest, ALargeFileMayTakeItsTime) {
  ASSERT_EQ(mv("Library/2023/07/a.jpg", "Library/2023/07/a.jpg~"), Code::kOk);
  const InodeNo edited = touch("Library/2023/07/a.jpg")->number;
  clock_.steady_time += std::chrono::seconds(500);
  commit(edited, "large");
  EXPECT_EQ(inode(edited).photo, id_);
  check_all();
}

TEST_F(TreeSetAsideTest, AHardLinkOfTheFormerFileGoesOnAsAPhotoOfItsOwn) {
  ln("Library/2023/07/a.jpg", "Library/second.jpg");
  edit("Library/2023/07");
  EXPECT_EQ(inode("Library/2023/07/a.jpg").photo, id_);
  EXPECT_EQ(find("Library/second.jpg"), old_);
  EXPECT_TRUE(inode(old_).photo);
  EXPECT_NE(inode(old_).photo, id_);
  check_all();
}

TEST_F(TreeSetAsideTest, ABackupCopyThatIsCopiedInBesideItsPhotoIsAPlainFile) {
  for (const std::string folder : {"Library/2023/07", "Albums/Trip"}) {
    SCOPED_TRACE(folder);
    const InodeNo copy = write(folder + "/a.jpg_original", "former " + folder);
    EXPECT_FALSE(inode(copy).photo);
    EXPECT_EQ(jobs_of(inode(copy).content), 1u) << "it is backed up";
    // By a program that writes a temporary file first.
    const InodeNo through = write(folder + "/.a.jpg.bak.a8Xk2Q", "older " + folder);
    ASSERT_EQ(mv(folder + "/.a.jpg.bak.a8Xk2Q", folder + "/a.jpg.bak"), Code::kOk);
    EXPECT_FALSE(inode(through).photo);
    EXPECT_EQ(inode("Albums/Trip/a.jpg").photo, id_);
    check_all();
  }
  // Alone it is what it is.
  EXPECT_TRUE(inode(write("Library/lone.jpg_original", "lone")).photo);
}

TEST(BackupCopyNames, AreThoseOfAPhotoOnly) {
  EXPECT_EQ(photo_of_backup_copy("a.jpg_original"), "a.jpg");
  EXPECT_EQ(photo_of_backup_copy("a.JPG~"), "a.JPG");
  EXPECT_EQ(photo_of_backup_copy("a.mp4.bak"), "a.mp4");
  for (const char* const none : {"a.jpg", "a.txt~", "a.bak", "_original", "~", ".bak", ""})
    EXPECT_EQ(photo_of_backup_copy(none), "") << none;
  EXPECT_EQ(backup_copy_names("a.jpg"), (Names{"a.jpg_original", "a.jpg~", "a.jpg.bak", "a.bak"}));
  EXPECT_EQ(backup_copy_names("a.txt"), Names{});
}

}  // namespace
}  // namespace shoebox
