// Equal bytes under several names: one photo, several inodes.

#include "view_fixture.h"

namespace shoebox {
namespace {

TEST_F(ViewTest, ATwinInAnAlbumStatesItAndGetsNoSecondHome) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  const InodeNo twin = add_twin("Albums/Trip/copy.jpg", id);
  EXPECT_EQ(inode(twin).photo, id);
  EXPECT_EQ(photo(id).statements.at({ViewId::kAlbums, "Trip"}), Statement::kAsserted);
  EXPECT_EQ(ls("Library"), Names{"a.jpg"});
  EXPECT_EQ(ls("Albums/Trip"), Names{"copy.jpg"});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check();
  ASSERT_TRUE(remove("Albums/Trip/copy.jpg"));
  EXPECT_EQ(inode(twin).nlink, 0u);
  EXPECT_EQ(ls("Library"), Names{"a.jpg"});
  check();
}

TEST_F(ViewTest, ATwinInDatesStatesTheDate) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  mkdir("Dates/2019/05");
  const InodeNo twin = add_twin("Dates/2019/05/b.jpg", id);
  EXPECT_EQ(photo(id).stated_date, day(2019, 5, 0));
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  EXPECT_EQ(ls("Dates/2019/05"), Names{"b.jpg"});
  EXPECT_EQ(inode(twin).nlink, 1u);
  check();
}

TEST_F(ViewTest, DatesShowOneInodeOfAPhotoWithTwins) {
  const PhotoId id = add("Library/x/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  add_twin("Library/y/a.jpg", id);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(ls("People/Anna"), Names{"a.jpg"});
  check();
}

TEST_F(ViewTest, RowsMoveToTheTwinWhenTheirInodeGoes) {
  const PhotoId id = add("Library/x/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  mkdir("Albums/Trip");
  ASSERT_TRUE(link("Library/x/a.jpg", "Albums/Trip/mine.jpg"));
  const InodeNo twin = add_twin("Library/y/b.jpg", id);
  const InodeNo gone = find("Library/x/a.jpg");
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    SHOEBOX_TRY(engine_->withdraw_inode(txn, gone));
    SHOEBOX_TRY(rows_->erase(txn, find("Library/x"), "a.jpg", Notice::kTell));
    SHOEBOX_TRY(rows_->recount(txn, gone));
    return engine_->refresh(txn, id);
  }));
  EXPECT_EQ(inode(gone).nlink, 0u);
  EXPECT_EQ(find("Dates/2023/07/a.jpg"), twin);
  EXPECT_EQ(find("People/Anna/a.jpg"), twin);
  EXPECT_EQ(find("Albums/Trip/mine.jpg"), twin);
  check();
}

TEST_F(ViewTest, WithoutATwinTheRowsGoWithTheirInode) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  const InodeNo gone = find("Library/a.jpg");
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    SHOEBOX_TRY(engine_->withdraw_inode(txn, gone));
    SHOEBOX_TRY(rows_->erase(txn, kLibraryInode, "a.jpg", Notice::kTell));
    SHOEBOX_TRY(rows_->recount(txn, gone));
    return engine_->refresh(txn, id);
  }));
  EXPECT_EQ(inode(gone).nlink, 0u);
  EXPECT_EQ(ls("Dates"), Names{});
  EXPECT_EQ(ls("People/Anna"), Names{});
  check();
}

TEST_F(ViewTest, TwinsBornInTwoAlbumsShareOneHome) {
  create("Albums/A/a.jpg");
  const PhotoId id = photo_of("Albums/A/a.jpg");
  add_twin("Albums/B/b.jpg", id);
  decode(id, photo_info(day(2023, 7, 14)));
  EXPECT_EQ(ls("Library/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(ls("Albums/B"), Names{"b.jpg"});
  check();
}

TEST_F(ViewTest, ALaterStatementOfATwinOverridesAnEarlierDenial) {
  const PhotoId id = add("Library/a.jpg", photo_info(std::nullopt, {"Anna"}));
  ASSERT_TRUE(remove("People/Anna/a.jpg"));
  add_twin("People/Anna/again.jpg", id);
  EXPECT_EQ(photo(id).statements.at({ViewId::kPeople, "Anna"}), Statement::kAsserted);
  EXPECT_EQ(ls("People/Anna"), Names{"again.jpg"});
  check();
}

}  // namespace
}  // namespace shoebox
