// Names that go between Library and the views, and between views.

#include "tree_fixture.h"

namespace shoebox {
namespace {

TEST_F(TreeTest, DraggingFromDatesToAnAlbumTakesNothingAway) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  std::vector<Change::Name> told;
  catalog_->add_observer([&](const Change& change) {
    for (const Change::Name& name : change.names)
      if (!name.kernel_knows && !name.removed) told.push_back(name);
  });
  ASSERT_EQ(mv("Dates/2023/07/a.jpg", "Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), a);
  EXPECT_EQ(find("Dates/2023/07/a.jpg"), a);
  EXPECT_EQ(find("Library/a.jpg"), a);
  EXPECT_EQ(inode(a).nlink, 2u);
  // The kernel believes the source gone and must hear that it is not.
  EXPECT_TRUE(std::any_of(told.begin(), told.end(), [&](const Change::Name& name) {
    return name.directory == find("Dates/2023/07") && name.name == "a.jpg";
  }));
  check_all();
}

TEST_F(TreeTest, MvFromLibraryIntoAnAlbumLeavesTheHome) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  ASSERT_EQ(mv("Library/a.jpg", "Albums/Trip/b.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/a.jpg"), a);
  EXPECT_EQ(find("Albums/Trip/b.jpg"), a);
  check_all();
}

TEST_F(TreeTest, MvFromAViewIntoLibraryMovesTheHome) {
  const InodeNo a = photo_file("Library/2023/a.jpg", "bytes");
  ViewTest::mkdir("Library/Best");
  ASSERT_EQ(mv("Dates/2023/07/a.jpg", "Library/Best/b.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/Best/b.jpg"), a);
  EXPECT_EQ(ls("Library/2023"), Names{});
  EXPECT_EQ(find("Dates/2023/07/a.jpg"), a);
  EXPECT_EQ(inode(a).nlink, 1u);
  check_all();
}

TEST_F(TreeTest, FoldersStayInTheirView) {
  ViewTest::mkdir("Albums/Trip");
  mkdir("Library/d");
  EXPECT_EQ(mv("Albums/Trip", "Library/Trip"), Code::kNotPermitted);
  EXPECT_EQ(mv("Library/d", "Albums/d"), Code::kNotPermitted);
  EXPECT_EQ(mv("Albums/Trip", "People/Trip"), Code::kNotPermitted);
  EXPECT_EQ(mv("Albums/Trip", "Albums/Travel"), Code::kOk);
  EXPECT_EQ(ls("Albums"), Names{"Travel"});
}

TEST_F(TreeTest, AHomedPhotoOverAnotherInAViewIsRefused) {
  photo_file("Library/a.jpg", "one");
  photo_file("Library/b.jpg", "two");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  EXPECT_EQ(mv("Library/b.jpg", "Albums/Trip/a.jpg"), Code::kExists);
  EXPECT_EQ(mv("Dates/2023/07/b.jpg", "Albums/Trip/a.jpg"), Code::kExists);
  EXPECT_EQ(ln("Library/b.jpg", "Albums/Trip/a.jpg"), Code::kExists);
  check_all();
}

TEST_F(TreeTest, AFileBornInAnAlbumIsFiledWhenDecoded) {
  const InodeNo a = write("Albums/Trip/a.jpg", "bytes");
  EXPECT_EQ(ls("Library"), Names{});
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(find("Library/2023/07/a.jpg"), a);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, ATemporaryFileInAnAlbumStatesWhenItGetsItsName) {
  const InodeNo a = write("Albums/Trip/.a.jpg.x8Jk1P", "bytes");
  EXPECT_FALSE(inode(a).photo);
  ASSERT_EQ(mv("Albums/Trip/.a.jpg.x8Jk1P", "Albums/Trip/a.jpg"), Code::kOk);
  ASSERT_TRUE(inode(a).photo);
  EXPECT_EQ(decode_wanted_, std::vector{inode(a).content});
  EXPECT_EQ(jobs_of(inode(a).content), 1u);
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, photo_info(day(2023, 7, 14))));
  EXPECT_TRUE(photo(inode(a).photo).statements.contains({ViewId::kAlbums, "Trip"}));
  EXPECT_EQ(find("Library/2023/07/a.jpg"), a);
  check_all();
}

TEST_F(TreeTest, ADownloadTakesTheNameOfItsEmptyPlaceholder) {
  ASSERT_TRUE(touch("Albums/Trip/a.jpg").is_ok());
  const InodeNo a = write("Albums/Trip/a.jpg.part", "bytes");
  ASSERT_EQ(mv("Albums/Trip/a.jpg.part", "Albums/Trip/a.jpg"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Albums/Trip/a.jpg"), a);
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, photo_info(day(2023, 7, 14))));
  EXPECT_TRUE(photo(inode(a).photo).statements.contains({ViewId::kAlbums, "Trip"}));
  EXPECT_EQ(find("Library/2023/07/a.jpg"), a);
  uint64_t photos = 0;
  ASSERT_TRUE(catalog_->for_each_photo([&](PhotoId, const PhotoRecord&) { return ++photos > 0; }));
  EXPECT_EQ(photos, 1u);
  check_all();
}

TEST_F(TreeTest, ATemporaryFileWithKnownBytesBecomesATwinInTheAlbum) {
  photo_file("Library/a.jpg", "same");
  write("Albums/Trip/b.jpg.part", "same");
  ASSERT_EQ(mv("Albums/Trip/b.jpg.part", "Albums/Trip/b.jpg"), Code::kOk);
  EXPECT_EQ(photo_of("Albums/Trip/b.jpg"), photo_of("Library/a.jpg"));
  EXPECT_EQ(ls("Library"), Names{"a.jpg"});
  EXPECT_TRUE(photo(photo_of("Library/a.jpg")).statements.contains({ViewId::kAlbums, "Trip"}));
  check_all();
}

TEST_F(TreeTest, RmInAnAlbumLeavesThePhoto) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ASSERT_EQ(rm("Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/a.jpg"), a);
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, RmOfATwinsOnlyNameInAnAlbumTakesTheTwin) {
  photo_file("Library/a.jpg", "same");
  const InodeNo twin = write("Albums/Trip/b.jpg", "same");
  ASSERT_EQ(rm("Albums/Trip/b.jpg"), Code::kOk);
  EXPECT_FALSE(catalog_->inode(twin)->has_value());
  EXPECT_EQ(ls("Albums/Trip"), Names{});
  EXPECT_EQ(ls("Library"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, RmOfAPhotoThatIsNotFiledYetDoesNotLoseIt) {
  const InodeNo a = write("Albums/Trip/a.jpg", "bytes");
  ASSERT_EQ(rm("Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_TRUE(catalog_->inode(a)->has_value());
  EXPECT_EQ(ls("Library").size(), 1u);
  check_all();
}

TEST_F(TreeTest, JunkInAViewStaysThereAndGoesForGood) {
  const InodeNo junk = write("Albums/Trip/.DS_Store", "junk");
  EXPECT_FALSE(inode(junk).photo);
  EXPECT_EQ(ls("Library"), Names{});
  ASSERT_EQ(rm("Albums/Trip/.DS_Store"), Code::kOk);
  EXPECT_FALSE(catalog_->inode(junk)->has_value());
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, MvOfAFileWithoutPhotoBetweenPlacesReallyMoves) {
  ViewTest::mkdir("Albums/Trip");
  const InodeNo sidecar = write("Library/lonely.xmp", "<xmp/>");
  ASSERT_EQ(mv("Library/lonely.xmp", "Albums/Trip/lonely.xmp"), Code::kOk);
  EXPECT_EQ(find("Albums/Trip/lonely.xmp"), sidecar);
  EXPECT_FALSE(find("Library/lonely.xmp"));
  check_all();
}

TEST_F(TreeTest, ATrashedPhotoMovedIntoAnAlbumIsFiledAgain) {
  photo_file("Library/a.jpg", "bytes");
  ViewTest::mkdir("Albums/Trip");
  rm("Library/a.jpg");
  ASSERT_EQ(mv("Trash/a.jpg", "Albums/Trip/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
  EXPECT_EQ(ls("Library/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

}  // namespace
}  // namespace shoebox
