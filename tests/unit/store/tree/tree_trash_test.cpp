// rm by the table, Trash and .Trash-$UID, and the ways back.

#include "tree_fixture.h"

namespace shoebox {
namespace {

TEST_F(TreeTest, RmOfAPhotoInLibraryMovesItToTrash) {
  const InodeNo a = photo_file("Library/Trip/a.jpg", "bytes");
  const ContentNo content = inode(a).content;
  open_.insert(a);
  ASSERT_EQ(rm("Library/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{"a.jpg"});
  EXPECT_EQ(ls("Dates"), Names{});
  EXPECT_EQ(tree_->getattr(a)->nlink, 0u);  // fstat of the unlinked one
  EXPECT_NE(find("Trash/a.jpg"), a);
  EXPECT_EQ(inode("Trash/a.jpg").content, content);
  EXPECT_EQ(inode("Trash/a.jpg").nlink, 1u);
  EXPECT_EQ(trash_record("Trash/a.jpg").path, "Library/Trip/a.jpg");
  check_all();
  open_.clear();
  ASSERT_TRUE(tree_->drop_unlinked(a));
  EXPECT_TRUE(content_exists(content));
  check_all();
}

TEST_F(TreeTest, OtherFilesEmptyFilesAndJunkAreUnlinked) {
  other_file("Library/notes.txt", "text");
  ASSERT_TRUE(touch("Library/empty.jpg").is_ok());
  write("Library/.hidden.jpg", "junk");
  EXPECT_EQ(rm("Library/notes.txt"), Code::kOk);
  EXPECT_EQ(rm("Library/empty.jpg"), Code::kOk);
  EXPECT_EQ(rm("Library/.hidden.jpg"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls("Library"), Names{});
  uint64_t photos = 0;
  ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId, const PhotoRecord&) { return ++photos > 0; }));
  EXPECT_EQ(photos, 0u);
  check_all();
}

TEST_F(TreeTest, UndecodedMediaAndSidecarsGoToTrashByTheirNames) {
  write("Library/movie.mp4", "not decoded");
  write("Library/a.jpg.xmp", "<xmp/>");
  rm("Library/movie.mp4");
  rm("Library/a.jpg.xmp");
  EXPECT_EQ(ls("Trash"), (Names{"a.jpg.xmp", "movie.mp4"}));
  check_all();
}

TEST_F(TreeTest, ABackupCopyThatCameWithItsPhotoGoesToTrashWithIt) {
  photo_file("Library/Phone/x.jpg", "x");
  write("Library/Phone/x.jpg_original", "former x");
  write("Library/Phone/x.jpg~", "junk by its name");
  for (const std::string& name : ls("Library/Phone")) ASSERT_EQ(rm("Library/Phone/" + name), Code::kOk);
  EXPECT_EQ(ls("Trash"), (Names{"x.jpg", "x.jpg_original"}));
  check_all();
  for (const std::string name : {"x.jpg", "x.jpg_original"})
    ASSERT_EQ(mv("Trash/" + name, "Library/Phone/" + name), Code::kOk);
  EXPECT_EQ(ls("Library/Phone"), (Names{"x.jpg", "x.jpg_original"}));
  EXPECT_FALSE(inode("Library/Phone/x.jpg_original").photo);
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, RemovingOneOfSeveralHomesRemovesThatNameOnly) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ln("Library/a.jpg", "Library/b.jpg");
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(find("Library/b.jpg"), a);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, NamesInTrashAreUnique) {
  photo_file("Library/x/a.jpg", "one");
  photo_file("Library/y/a.jpg", "two");
  rm("Library/x/a.jpg");
  rm("Library/y/a.jpg");
  EXPECT_EQ(ls("Trash"), (Names{"a (2).jpg", "a.jpg"}));
  check_all();
}

TEST_F(TreeTest, RmInTrashIsForGood) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  const ContentNo content = inode(a).content;
  const PhotoId id = inode(a).photo;
  rm("Library/a.jpg");
  ASSERT_EQ(rm("Trash/a.jpg"), Code::kOk);
  EXPECT_FALSE(content_exists(content));
  EXPECT_FALSE(catalog_->photo(id)->has_value());
  check_all();
}

TEST_F(TreeTest, MvOutOfTrashRestoresThePhotoThere) {
  photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  ASSERT_EQ(ln("Library/a.jpg", "Albums/Trip/sea.jpg"), Code::kOk);
  const PhotoId id = photo_of("Library/a.jpg");
  rm("Library/a.jpg");
  EXPECT_EQ(ls("Albums/Trip"), Names{});
  mkdir("Library/New");
  ASSERT_EQ(mv("Trash/a.jpg", "Library/New/b.jpg"), Code::kOk);
  EXPECT_EQ(photo_of("Library/New/b.jpg"), id);
  EXPECT_EQ(ls("Albums/Trip"), Names{"sea.jpg"});
  EXPECT_EQ(find("Albums/Trip/sea.jpg"), find("Library/New/b.jpg"));
  EXPECT_EQ(ls("Dates/2023/07"), Names{"b.jpg"});
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, TrashRestoreBringsBackPlaceNamesAndStatements) {
  photo_file("Library/Trip/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Sea");
  ln("Library/Trip/a.jpg", "Albums/Sea/x.jpg");
  ln("Library/Trip/a.jpg", "Library/second.jpg");
  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library/Trip"), Names{});
  EXPECT_EQ(ls("Albums/Sea"), Names{});
  EXPECT_FALSE(find("Library/second.jpg"));
  const auto list = tree_->trash_list();
  ASSERT_EQ(list->size(), 1u);
  EXPECT_EQ(list->front().record.uid, 1000u);
  ASSERT_TRUE(tree_->trash_restore(list->front().inode, caller_));
  const InodeNo back = find("Library/Trip/a.jpg");
  ASSERT_TRUE(back);
  EXPECT_EQ(find("Library/second.jpg"), back);
  EXPECT_EQ(find("Albums/Sea/x.jpg"), back);
  EXPECT_EQ(inode(back).nlink, 3u);
  EXPECT_EQ(ls("Dates/2023/07").size(), 1u);
  EXPECT_TRUE(tree_->trash_list()->empty());
  check_all();
}

TEST_F(TreeTest, AFolderThatIsGoneIsMadeAgainForWhatIsRestoredToIt) {
  photo_file("Library/2023/Trip/a.jpg", "bytes");
  rm("Library/2023/Trip/a.jpg");
  rmdir("Library/2023/Trip");
  rmdir("Library/2023");
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(ls("Library/2023/Trip"), Names{"a.jpg"});
  EXPECT_EQ(inode("Library/2023").uid, 1000u);
  check_all();
}

TEST_F(TreeTest, RestoringToATakenNameNumbersIt) {
  photo_file("Library/a.jpg", "one");
  rm("Library/a.jpg");
  photo_file("Library/a.jpg", "two");
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(ls("Library"), (Names{"a (2).jpg", "a.jpg"}));
  check_all();
}

TEST_F(TreeTest, RmInDatesTrashesThePhotoWithAllItsTwins) {
  photo_file("Library/a.jpg", "same");
  write("Library/b.jpg", "same");
  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library"), Names{});
  EXPECT_EQ(ls("Dates"), Names{});
  EXPECT_EQ(ls("Trash"), (Names{"a.jpg", "b.jpg"}));
  check_all();
}

TEST_F(TreeTest, EqualBytesComingAgainReviveATrashedPhoto) {
  photo_file("Library/a.jpg", "bytes");
  const PhotoId id = photo_of("Library/a.jpg");
  rm("Library/a.jpg");
  write("Albums/Trip/again.jpg", "bytes");
  EXPECT_EQ(photo_of("Albums/Trip/again.jpg"), id);
  EXPECT_EQ(ls("Library/2023/07"), Names{"again.jpg"});
  check_all();
}

TEST_F(TreeTest, APhotoTrashedBeforeItWasSealedMeetsItsTwin) {
  photo_file("Library/a.jpg", "bytes");
  const InodeNo b = touch("Library/b.jpg")->number;
  const ContentNo staged = commit(b, "bytes");
  rm("Library/b.jpg");
  EXPECT_EQ(seal(staged, "bytes"), inode("Library/a.jpg").content);
  EXPECT_EQ(inode("Trash/b.jpg").content, inode("Library/a.jpg").content);
  EXPECT_EQ(trash_record("Trash/b.jpg").photo, photo_of("Library/a.jpg"));
  ASSERT_TRUE(tree_->trash_restore(find("Trash/b.jpg"), caller_));
  EXPECT_EQ(photo_of("Library/b.jpg"), photo_of("Library/a.jpg"));
  check_all();
}

TEST_F(TreeTest, TrashTakesNothingButWhatIsMovedThere) {
  EXPECT_EQ(touch("Trash/new.jpg").status().code(), Code::kNotPermitted);
  EXPECT_EQ(mkdir("Trash/d"), Code::kNotPermitted);
  photo_file("Library/a.jpg", "bytes");
  EXPECT_EQ(ln("Library/a.jpg", "Trash/a.jpg"), Code::kNotPermitted);
  rm("Library/a.jpg");
  EXPECT_EQ(ln("Trash/a.jpg", "Library/a.jpg"), Code::kNotPermitted);
}

TEST_F(TreeTest, MvIntoTrashIsRm) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ASSERT_EQ(mv("Library/a.jpg", "Trash/gone.jpg"), Code::kOk);
  EXPECT_EQ(find("Trash/gone.jpg"), a);  // the kernel holds it under the new name
  EXPECT_EQ(ls("Dates"), Names{});
  ASSERT_EQ(mv("Trash/gone.jpg", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, TheDeleteKeyOfAFileManagerIsTheSamePlace) {
  ASSERT_EQ(mkdir(".Trash-1000", 0700), Code::kOk);
  ASSERT_EQ(mkdir(".Trash-1000/info"), Code::kOk);
  ASSERT_EQ(mkdir(".Trash-1000/files"), Code::kOk);
  photo_file("Library/a.jpg", "bytes");
  ASSERT_TRUE(touch(".Trash-1000/info/a.jpg.trashinfo").is_ok());
  ASSERT_EQ(mv("Library/a.jpg", ".Trash-1000/files/a.2.jpg"), Code::kOk);
  EXPECT_EQ(ls(".Trash-1000/files"), Names{"a.2.jpg"});
  EXPECT_EQ(ls("Trash"), Names{"a.2.jpg"});
  EXPECT_EQ(ls("Dates"), Names{});
  EXPECT_EQ(inode("Trash/a.2.jpg").nlink, 1u);
  check_all();
  ASSERT_EQ(mv(".Trash-1000/files/a.2.jpg", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(rm(".Trash-1000/info/a.jpg.trashinfo"), Code::kOk);
  check_all();
}

TEST_F(TreeTest, WhatWasTrashedOtherwiseShowsInTheFileManagersFolder) {
  photo_file("Library/a.jpg", "one");
  photo_file("Library/b.jpg", "two");
  rm("Library/a.jpg");
  mkdir(".Trash-1000");
  mkdir(".Trash-1000/files");
  EXPECT_EQ(ls(".Trash-1000/files"), Names{"a.jpg"});
  rm("Library/b.jpg");
  EXPECT_EQ(ls(".Trash-1000/files"), (Names{"a.jpg", "b.jpg"}));
  const ContentNo content = inode(".Trash-1000/files/a.jpg").content;
  ASSERT_EQ(rm(".Trash-1000/files/a.jpg"), Code::kOk);  // for good
  EXPECT_EQ(ls("Trash"), Names{"b.jpg"});
  EXPECT_FALSE(content_exists(content));
  ASSERT_TRUE(tree_->trash_restore(find("Trash/b.jpg"), caller_));
  EXPECT_EQ(ls(".Trash-1000/files"), Names{});
  check_all();
}

TEST_F(TreeTest, TheDeleteKeyInAnAlbumTakesBackTheStatementAndCanBeUndone) {
  mkdir(".Trash-1000");
  mkdir(".Trash-1000/files");
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ASSERT_EQ(mv("Albums/Trip/a.jpg", ".Trash-1000/files/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Albums/Trip"), Names{});
  EXPECT_EQ(find("Library/a.jpg"), a);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(ls(".Trash-1000/files"), Names{"a.jpg"});
  check_all();
  ASSERT_EQ(mv(".Trash-1000/files/a.jpg", "Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), a);
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, RestoringAStatementPutsThePhotoBackIntoItsAlbum) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  mv("Albums/Trip/a.jpg", "Trash/a.jpg");
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(find("Albums/Trip/a.jpg"), a);
  check_all();
}

TEST_F(TreeTest, AFolderGoesToTrashAndComesBackWhole) {
  mkdir(".Trash-1000");
  mkdir(".Trash-1000/files");
  const InodeNo a = photo_file("Library/Trip/day/a.jpg", "bytes");
  other_file("Library/Trip/notes.txt", "text");
  photo_file("Library/keep.jpg", "linked");
  ln("Library/keep.jpg", "Library/Trip/keep.jpg");
  ViewTest::mkdir("Albums/Sea");
  ln("Library/Trip/day/a.jpg", "Albums/Sea/x.jpg");
  ASSERT_EQ(mv("Library/Trip", ".Trash-1000/files/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Albums/Sea"), Names{});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"keep.jpg"});
  EXPECT_EQ(ls(".Trash-1000/files/Trip"), (Names{"day", "keep.jpg", "notes.txt"}));
  ASSERT_EQ(tree_->trash_list()->size(), 1u);
  EXPECT_EQ(tree_->trash_list()->front().record.path, "Library/Trip");
  ASSERT_EQ(mv(".Trash-1000/files/Trip", "Library/Trip"), Code::kOk);
  EXPECT_EQ(find("Library/Trip/day/a.jpg"), a);
  EXPECT_EQ(find("Albums/Sea/x.jpg"), a);
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "keep.jpg"}));
  check_all();

  ASSERT_EQ(mv("Library/Trip", "Trash/Trip"), Code::kOk);
  EXPECT_EQ(*tree_->trash_empty(0), 1u);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls("Library"), Names{"keep.jpg"});
  EXPECT_EQ(inode("Library/keep.jpg").nlink, 1u);
  check_all();
}

TEST_F(TreeTest, AFolderThatAFileManagerTrashedShowsInTrashAsALink) {
  for (const char* path : {".Trash-1000", ".Trash-1000/files", ".Trash-1000/info"}) mkdir(path);
  const InodeNo a = photo_file("Library/Trip/a.jpg", "bytes");
  const InodeNo trip = find("Library/Trip");
  const auto trash_it = [&](const std::string& from, const std::string& name) {
    ASSERT_TRUE(touch(".Trash-1000/info/" + name + ".trashinfo").is_ok());
    ASSERT_EQ(mv(from, ".Trash-1000/files/" + name), Code::kOk) << last_message_;
    check_all();
  };
  trash_it("Library/Trip", "Trip");
  EXPECT_EQ(ls("Trash"), Names{"Trip"});
  EXPECT_EQ(inode("Trash/Trip").symlink_target, "../.Trash-1000/files/Trip");
  ASSERT_EQ(tree_->trash_list()->size(), 1u);
  EXPECT_EQ(tree_->trash_list()->front().inode, trip);

  // Moving the link out is moving the folder out; the note goes, as nobody else removes it.
  ASSERT_EQ(mv("Trash/Trip", "Library/Back"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Library/Back"), trip);
  EXPECT_EQ(find("Library/Back/a.jpg"), a);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls(".Trash-1000/files"), Names{});
  EXPECT_EQ(ls(".Trash-1000/info"), Names{});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();

  // A file manager moves it back itself, and removes its own note.
  trash_it("Library/Back", "Back");
  ASSERT_EQ(mv(".Trash-1000/files/Back", ".Trash-1000/files/Other"), Code::kOk);
  EXPECT_EQ(inode("Trash/Other").symlink_target, "../.Trash-1000/files/Other");
  ASSERT_EQ(mv(".Trash-1000/files/Other", "Library/Trip"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls(".Trash-1000/info"), Names{"Back.trashinfo"});
  ASSERT_EQ(rm(".Trash-1000/info/Back.trashinfo"), Code::kOk);

  // A command that is given the link restores the folder.
  trash_it("Library/Trip", "Trip");
  Caller command = caller_;
  command.from_kernel = false;
  ASSERT_TRUE(tree_->trash_restore(find("Trash/Trip"), command));
  EXPECT_EQ(find("Library/Trip"), trip);
  EXPECT_EQ(ls(".Trash-1000/info"), Names{});
  check_all();

  // Removing the link removes the folder for good.
  trash_it("Library/Trip", "Trip");
  ASSERT_EQ(rm("Trash/Trip"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls(".Trash-1000/files"), Names{});
  EXPECT_EQ(ls(".Trash-1000/info"), Names{});
  EXPECT_FALSE(tree_->getattr(a).is_ok());
  check_all();
}

TEST_F(TreeTest, NotesOfAFileManagerGoWithWhatLeavesTrashOtherwise) {
  for (const char* path : {".Trash-1000", ".Trash-1000/files", ".Trash-1000/info"}) mkdir(path);
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) {
    photo_file(std::string("Library/") + name, name);
    ASSERT_TRUE(touch(std::string(".Trash-1000/info/") + name + ".trashinfo").is_ok());
    ASSERT_EQ(mv(std::string("Library/") + name, std::string(".Trash-1000/files/") + name), Code::kOk);
  }
  ASSERT_EQ(mv("Trash/a.jpg", "Library/a.jpg"), Code::kOk);
  ASSERT_EQ(rm("Trash/b.jpg"), Code::kOk);
  ASSERT_EQ(rm(".Trash-1000/files/c.jpg"), Code::kOk);  // the file manager empties: its note is its own
  EXPECT_EQ(ls(".Trash-1000/info"), (Names{"c.jpg.trashinfo", "d.jpg.trashinfo"}));
  EXPECT_EQ(*tree_->trash_empty(0), 1u);
  EXPECT_EQ(ls(".Trash-1000/info"), Names{"c.jpg.trashinfo"});
  check_all();
}

TEST_F(TreeTest, ALinkThatSomebodyTrashedIsOnlyALink) {
  for (const char* path : {".Trash-1000", ".Trash-1000/files"}) mkdir(path);
  photo_file("Library/Trip/a.jpg", "bytes");
  ASSERT_TRUE(tree_->symlink(kLibraryInode, "link", "../.Trash-1000/files/Trip", caller_).is_ok());
  ASSERT_EQ(mv("Library/Trip", ".Trash-1000/files/Trip"), Code::kOk);
  ASSERT_EQ(mv("Library/link", "Trash/link"), Code::kOk) << last_message_;
  EXPECT_EQ(tree_->trash_list()->size(), 2u);
  ASSERT_EQ(rm("Trash/link"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{"Trip"});
  EXPECT_EQ(ls(".Trash-1000/files/Trip"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, ATrashedFolderCanBeEmptiedPieceByPiece) {
  photo_file("Library/Trip/a.jpg", "one");
  photo_file("Library/Trip/b.jpg", "two");
  mv("Library/Trip", "Trash/Trip");
  ASSERT_EQ(rm("Trash/Trip/a.jpg"), Code::kOk);
  ASSERT_EQ(mv("Trash/Trip/b.jpg", "Library/b.jpg"), Code::kOk);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"b.jpg"});
  EXPECT_EQ(rmdir("Trash/Trip"), Code::kOk);
  EXPECT_TRUE(tree_->trash_list()->empty());
  check_all();
}

TEST_F(TreeTest, OnlyWhatIsOldEnoughExpires) {
  photo_file("Library/old.jpg", "one");
  photo_file("Library/new.jpg", "two");
  rm("Library/old.jpg");
  clock_.time.seconds += 31 * 86400;
  rm("Library/new.jpg");
  EXPECT_EQ(*tree_->trash_empty(30 * 86400), 1u);
  EXPECT_EQ(ls("Trash"), Names{"new.jpg"});
  EXPECT_EQ(*tree_->trash_empty(0), 1u);
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, TheBreakerStopsARunawayDeletion) {
  settings_.trash_breaker_percent = 10;
  for (int i = 0; i < 1001; ++i) write("Library/" + std::to_string(i) + ".jpg", std::to_string(i));
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(rm("Library/" + std::to_string(i) + ".jpg"), Code::kOk) << i;
  EXPECT_EQ(rm("Library/1000.jpg"), Code::kQuota);
  EXPECT_TRUE(find("Library/1000.jpg"));
  ASSERT_TRUE(tree_->trash_allow());
  EXPECT_EQ(rm("Library/1000.jpg"), Code::kOk);
}

}  // namespace
}  // namespace shoebox
