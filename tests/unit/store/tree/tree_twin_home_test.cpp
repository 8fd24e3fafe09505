// Twins whose only home in Library goes: where they get one of their own.

#include "tree_fixture.h"

namespace shoebox {
namespace {

TEST_F(TreeTest, ATwinThatIsTrashedLeavesTheRowsToTheOther) {
  const InodeNo a = photo_file("Library/a.jpg", "same");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  const InodeNo b = write("Library/b.jpg", "same");
  ASSERT_EQ(inode(b).photo, inode(a).photo);
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), b);
  EXPECT_EQ(find("Dates/2023/07/a.jpg"), b);
  EXPECT_EQ(ls("Trash"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, ATwinInAnAlbumGetsAHomeWhenTheOnlyOneIsTrashed) {
  photo_file("Library/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/b.jpg", "same");
  ASSERT_EQ(ls("Library"), Names{"a.jpg"});
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/2023/07/b.jpg"), twin);
  EXPECT_EQ(find("Albums/Trip/b.jpg"), twin);
  EXPECT_EQ(inode(twin).nlink, 2u);
  EXPECT_EQ(ls("Trash"), Names{"a.jpg"});
  check_all();
  // Back again it is a further home.
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(ls("Library"), (Names{"2023", "a.jpg"}));
  check_all();
}

TEST_F(TreeTest, ATwinInAnAlbumGetsAHomeWhenAFolderWithTheOnlyOneIsTrashed) {
  photo_file("Library/Trip/a.jpg", "same");
  write("Library/Trip/c.jpg", "same");
  const InodeNo twin = write("Albums/Trip/b.jpg", "same");
  ASSERT_EQ(mv("Library/Trip", "Trash/Trip"), Code::kOk);
  EXPECT_EQ(find("Library/2023/07/b.jpg"), twin);
  EXPECT_EQ(ls("Trash/Trip"), (Names{"a.jpg", "c.jpg"}));
  check_all();
}

TEST_F(TreeTest, ATwinInAnAlbumGetsAHomeWhenTheBytesOfTheOnlyOneAreReplaced) {
  photo_file("Library/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/b.jpg", "same");
  write("Library/.a.jpg.tmp", "new");
  ASSERT_EQ(mv("Library/.a.jpg.tmp", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/2023/07/b.jpg"), twin);
  check_all();
  // Written in place as well.
  seal(commit(find("Library/2023/07/b.jpg"), "third"), "third");
  check_all();
}

// rm -r of a folder, and of the one above it: the name must not come back below it.
TEST_F(TreeTest, TheHomeOfATwinIsNotMadeBelowTheFolderThatTheOnlyOneIsRemovedFrom) {
  photo_file("Library/2023/07/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/a.jpg", "same");
  ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(rmdir("Library/2023/07"), Code::kOk);
  EXPECT_EQ(rmdir("Library/2023"), Code::kOk);
  EXPECT_EQ(find("Library/Kept/2023/07/a.jpg"), twin);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), twin);
  check_all();
  // Removed from there as well while another twin stands, it goes where photos go.
  const InodeNo third = write("Albums/Sea/a.jpg", "same");
  ++clock_.time.seconds;
  ASSERT_EQ(rm("Library/Kept/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(rmdir("Library/Kept/2023/07"), Code::kOk);
  EXPECT_EQ(find("Library/2023/07/a.jpg"), third);
  check_all();
}

TEST_F(TreeTest, TheHomeOfATwinIsNotMadeBelowTheFolderThatWasTrashed) {
  photo_file("Library/2023/Trip/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/b.jpg", "same");
  ASSERT_EQ(mv("Library/2023", "Trash/2023"), Code::kOk);
  EXPECT_EQ(ls("Library"), Names{"Kept"});
  EXPECT_EQ(find("Library/Kept/2023/07/b.jpg"), twin);
  check_all();
}

TEST_F(TreeTest, TheHomeOfATwinIsNotMadeBelowTheFolderWhereTheOnlyOneWasReplaced) {
  photo_file("Library/2023/07/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/a.jpg", "same");
  write("Library/2023/07/.a.jpg.a8Xk2Q", "new");
  ASSERT_EQ(mv("Library/2023/07/.a.jpg.a8Xk2Q", "Library/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(find("Library/Kept/2023/07/a.jpg"), twin);
  check_all();
}

TEST_F(TreeTest, ATwinThatIsDecodedAfterItsHomeWentGetsItElsewhereToo) {
  write("Library/2023/07/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/a.jpg", "same");
  clock_.time.seconds += 2;
  ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
  ASSERT_TRUE(tree_->photo_decoded(inode(twin).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(ls("Library/2023/07"), Names{});
  EXPECT_EQ(find("Library/Kept/2023/07/a.jpg"), twin);
  check_all();
}

TEST_F(TreeTest, WhatIsPutIntoAnAlbumAfterItWasRemovedFromLibraryIsFiledByItsDate) {
  photo_file("Library/2023/07/a.jpg", "same");
  ASSERT_EQ(rm("Library/2023/07/a.jpg"), Code::kOk);
  clock_.time.seconds += 2;
  const InodeNo again = photo_file("Albums/Trip/a.jpg", "same");
  EXPECT_EQ(find("Library/2023/07/a.jpg"), again);
  check_all();
}

TEST_F(TreeTest, ATwinThatNobodyDecodedYetGetsItsHomeThen) {
  write("Library/a.jpg", "same");
  write("Albums/Trip/b.jpg", "same");
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library"), Names{});
  ASSERT_TRUE(tree_->photo_decoded(inode("Albums/Trip/b.jpg").content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(ls("Library/2023/07"), Names{"b.jpg"});
  check_all();
}

}  // namespace
}  // namespace shoebox
