// Files that name a person by an earlier name join the person as called now.

#include "tree_fixture.h"

namespace shoebox {
namespace {

TEST_F(TreeTest, AFileThatNamesARenamedPersonJoinsThePersonAsCalledNow) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Ana"}));
  ASSERT_EQ(mv("People/Ana", "People/Anna"), Code::kOk);
  photo_file("Library/b.jpg", "b", photo_info(day(2023, 7, 14), {"Ana", "Ben"}));
  EXPECT_EQ(ls("People"), (Names{"Anna", "Ben"}));
  EXPECT_EQ(ls("People/Anna"), (Names{"a.jpg", "b.jpg"}));
  // Again, and back by another way.
  ASSERT_EQ(mv("People/Anna", "People/Annette"), Code::kOk);
  photo_file("Library/c.jpg", "c", photo_info(day(2023, 7, 14), {"Ana", "Anna"}));
  EXPECT_EQ(ls("People/Annette"), (Names{"a.jpg", "b.jpg", "c.jpg"}));
  ASSERT_EQ(mv("People/Annette", "People/Ana"), Code::kOk);
  photo_file("Library/d.jpg", "d", photo_info(day(2023, 7, 14), {"Ana", "Annette"}));
  EXPECT_EQ(ls("People"), (Names{"Ana", "Ben"}));
  EXPECT_EQ(ls("People/Ana").size(), 4u);
  check_all();
}

TEST_F(TreeTest, TwoPersonsThatBecameOneStayOneForNewFiles) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Ana"}));
  photo_file("Library/b.jpg", "b", photo_info(day(2023, 7, 14), {"Anna"}));
  ASSERT_EQ(mv("People/Ana", "People/Anna"), Code::kOk);
  photo_file("Library/c.jpg", "c", photo_info(day(2023, 7, 14), {"Ana"}));
  EXPECT_EQ(ls("People"), Names{"Anna"});
  EXPECT_EQ(ls("People/Anna"), (Names{"a.jpg", "b.jpg", "c.jpg"}));
  check_all();
}

TEST_F(TreeTest, APersonThatIsMadeAnewIsAPersonOfTheirOwn) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Ana"}));
  ASSERT_EQ(mv("People/Ana", "People/Anna"), Code::kOk);
  ASSERT_EQ(mkdir("People/Ana"), Code::kOk);
  photo_file("Library/b.jpg", "b", photo_info(day(2023, 7, 14), {"Ana"}));
  EXPECT_EQ(ls("People/Ana"), Names{"b.jpg"});
  EXPECT_EQ(ls("People/Anna"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, AnAlbumThatWasRenamedLeavesItsNameFree) {
  const InodeNo a = photo_file("Library/a.jpg", "a");
  ASSERT_EQ(mkdir("Albums/Trip"), Code::kOk);
  ASSERT_EQ(mv("Albums/Trip", "Albums/Tour"), Code::kOk);
  ASSERT_TRUE(tree_->setxattr(a, "user.shoebox.albums", "Trip", Tree::XattrMode::kAny));
  EXPECT_EQ(ls("Albums"), (Names{"Tour", "Trip"}));
}

}  // namespace
}  // namespace shoebox
