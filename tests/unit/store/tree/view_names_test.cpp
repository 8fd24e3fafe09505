// What names in the views state, and what becomes of the photo's other names.

#include "view_fixture.h"

namespace shoebox {
namespace {

TEST_F(ViewTest, APhotoInLibraryShowsByDateAndPerson) {
  add("Library/Holiday/a.jpg", photo_info(day(2023, 7, 14), {"Anna", "Bob"}));
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(ls("People"), (Names{"Anna", "Bob"}));
  EXPECT_EQ(find("People/Anna/a.jpg"), find("Library/Holiday/a.jpg"));
  EXPECT_EQ(inode("Library/Holiday/a.jpg").nlink, 3u);  // Library and two people, not Dates
  check();
}

TEST_F(ViewTest, APhotoWithoutADateIsInUnknown) {
  add("Library/a.jpg", photo_info());
  EXPECT_EQ(ls("Dates"), Names{"Unknown"});
  EXPECT_EQ(ls("Dates/Unknown"), Names{"a.jpg"});
  check();
}

TEST_F(ViewTest, ATakenNameIsNumberedOnceAndForGood) {
  add("Library/x/IMG_1.jpg", photo_info(day(2023, 7, 14)));
  add("Library/y/img_1.JPG", photo_info(day(2023, 7, 15)));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"IMG_1.jpg", "img_1 (2).JPG"}));
  const PhotoId first = photo_of("Library/x/IMG_1.jpg");
  ASSERT_TRUE(change([&](Transaction& txn) { return engine_->withdraw(txn, first); }));
  ASSERT_TRUE(
      change([&](Transaction& txn) { return engine_->refresh(txn, photo_of("Library/y/img_1.JPG")); }));
  EXPECT_EQ(ls("Dates/2023/07"), Names{"img_1 (2).JPG"});
}

TEST_F(ViewTest, ANonPhotoShowsInNoView) {
  MediaInfo info;
  info.kind = MediaKind::kOther;
  add("Library/notes.txt", info);
  info.kind = MediaKind::kUndecodable;
  add("Library/strange.bin", info);
  EXPECT_EQ(ls("Dates"), Names{});
  add("Library/broken.jpg", info);
  EXPECT_EQ(ls("Dates/Unknown"), Names{"broken.jpg"});
  check();
}

TEST_F(ViewTest, APhotoBornInAnAlbumGetsOneHomeWhenDecoded) {
  create("Albums/Trip/a.jpg");
  EXPECT_EQ(ls("Library"), Names{});
  check();
  const PhotoId id = photo_of("Albums/Trip/a.jpg");
  decode(id, photo_info(day(2023, 7, 14)));
  EXPECT_EQ(find("Library/2023/07/a.jpg"), find("Albums/Trip/a.jpg"));
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(inode("Albums/Trip/a.jpg").nlink, 2u);
  decode(id, photo_info(day(2019, 1, 1)));  // decoded again, by a better decoder: never filed again
  EXPECT_EQ(ls("Library"), Names{"2023"});
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  check();
}

TEST_F(ViewTest, AHomeThatIsTakenIsNumbered) {
  add("Library/2023/07/a.jpg", photo_info(day(2023, 7, 1)));
  add("Albums/Trip/a.jpg", photo_info(day(2023, 7, 14)));
  EXPECT_EQ(ls("Library/2023/07"), (Names{"a (2).jpg", "a.jpg"}));
  check();
}

TEST_F(ViewTest, RemovingAnAlbumNameTakesTheStatementBackAndKeepsThePhoto) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  mkdir("Albums/Trip");
  ASSERT_TRUE(link("Library/a.jpg", "Albums/Trip/best.jpg"));
  EXPECT_EQ(photo(id).statements.at({ViewId::kAlbums, "Trip"}), Statement::kAsserted);
  EXPECT_EQ(inode("Library/a.jpg").nlink, 2u);
  ASSERT_TRUE(remove("Albums/Trip/best.jpg"));
  EXPECT_EQ(ls("Albums/Trip"), Names{});
  EXPECT_EQ(inode("Library/a.jpg").nlink, 1u);
  check();
}

TEST_F(ViewTest, AnotherNameInTheSameAlbumKeepsTheStatement) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  mkdir("Albums/Trip");
  ASSERT_TRUE(link("Library/a.jpg", "Albums/Trip/a.jpg"));
  ASSERT_TRUE(link("Library/a.jpg", "Albums/Trip/b.jpg"));
  ASSERT_TRUE(remove("Albums/Trip/a.jpg"));
  EXPECT_EQ(photo(id).statements.at({ViewId::kAlbums, "Trip"}), Statement::kAsserted);
  EXPECT_EQ(ls("Albums/Trip"), Names{"b.jpg"});
  check();
}

TEST_F(ViewTest, ADeniedPersonDoesNotComeBackWhenDecodedAgain) {
  const PhotoId id = add("Library/a.jpg", photo_info(std::nullopt, {"Anna", "Bob"}));
  ASSERT_TRUE(remove("People/Anna/a.jpg"));
  decode(id, photo_info(std::nullopt, {"Anna", "Bob"}));
  EXPECT_EQ(ls("People/Anna"), Names{});
  EXPECT_EQ(ls("People/Bob"), Names{"a.jpg"});
  ASSERT_TRUE(link("Library/a.jpg", "People/Anna/a.jpg"));
  EXPECT_EQ(photo(id).statements.at({ViewId::kPeople, "Anna"}), Statement::kAsserted);
  check();
}

TEST_F(ViewTest, APersonRemovedBeforeDecodingStaysRemoved) {
  mkdir("People/Bob");
  const InodeNo file = create("People/Anna/a.jpg");
  ASSERT_TRUE(link("People/Anna/a.jpg", "People/Bob/a.jpg"));
  ASSERT_TRUE(remove("People/Anna/a.jpg"));
  decode(inode(file).photo, photo_info(std::nullopt, {"Anna"}));
  EXPECT_EQ(ls("People/Anna"), Names{});
  EXPECT_EQ(ls("Library/Unknown"), Names{"a.jpg"});
  check();
}

TEST_F(ViewTest, TheLastNameOfAPhotoThatHasNoHomeYetBecomesItsHome) {
  const InodeNo file = create("Albums/Trip/IMG_20230714_101112.jpg");
  ASSERT_TRUE(remove("Albums/Trip/IMG_20230714_101112.jpg"));
  EXPECT_EQ(inode(file).nlink, 1u);
  EXPECT_EQ(ls("Albums/Trip"), Names{});
  EXPECT_EQ(ls("Library/Unknown"), Names{"IMG_20230714_101112.jpg"});
  check();
}

TEST_F(ViewTest, MovingInsideAViewMovesTheStatement) {
  const PhotoId id = add("Library/a.jpg", photo_info(std::nullopt, {"Anna"}));
  mkdir("People/Bob");
  ASSERT_TRUE(move("People/Anna/a.jpg", "People/Bob/b.jpg"));
  EXPECT_EQ(ls("People/Anna"), Names{});
  EXPECT_EQ(ls("People/Bob"), Names{"b.jpg"});
  EXPECT_EQ(ls("Library"), Names{"a.jpg"});
  decode(id, photo_info(std::nullopt, {"Anna"}));
  EXPECT_EQ(ls("People/Anna"), Names{});
  check();
}

TEST_F(ViewTest, RenamingInsideAFolderChangesThatNameOnly) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  ASSERT_TRUE(move("People/Anna/a.jpg", "People/Anna/anna.jpg"));
  EXPECT_EQ(ls("People/Anna"), Names{"anna.jpg"});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_TRUE(photo(id).statements.contains({ViewId::kPeople, "Anna"}));
  check();
}

TEST_F(ViewTest, MovingInsideDatesRestatesTheDate) {
  const PhotoId id = add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  mkdir("Dates/2019/05");
  ASSERT_TRUE(move("Dates/2023/07/a.jpg", "Dates/2019/05/a.jpg"));
  EXPECT_EQ(photo(id).stated_date, day(2019, 5, 0));
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  decode(id, photo_info(day(2023, 7, 14)));
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  mkdir("Dates/2023/07");
  ASSERT_TRUE(move("Dates/2019/05/a.jpg", "Dates/2023/07/a.jpg"));
  EXPECT_FALSE(photo(id).stated_date.has_value());
  check();
}

TEST_F(ViewTest, APhotoBornInDatesStatesADateOnlyWhereItDiffersFromItsOwn) {
  mkdir("Dates/2023/07");
  const InodeNo same = create("Dates/2023/07/same.jpg");
  const InodeNo other = create("Dates/2023/07/other.jpg");
  EXPECT_EQ(inode(same).nlink, 1u);  // lives, though names in Dates do not count
  decode(inode(same).photo, photo_info(day(2023, 7, 14)));
  decode(inode(other).photo, photo_info(day(2019, 1, 2)));
  EXPECT_FALSE(photo(inode(same).photo).stated_date.has_value());
  EXPECT_EQ(photo(inode(other).photo).stated_date, day(2023, 7, 0));
  EXPECT_EQ(ls("Dates"), Names{"2023"});
  EXPECT_EQ(ls("Library/2023/07"), (Names{"other.jpg", "same.jpg"}));
  EXPECT_EQ(inode(same).nlink, 1u);
  check();
}

TEST_F(ViewTest, PhotosGoOnlyIntoFoldersThatHoldThem) {
  add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  EXPECT_EQ(link("Library/a.jpg", "Albums/a.jpg").code(), Code::kNotPermitted);
  EXPECT_EQ(link("Library/a.jpg", "Dates/a.jpg").code(), Code::kNotPermitted);
  EXPECT_EQ(link("Library/a.jpg", "People/a.jpg").code(), Code::kNotPermitted);
  create("Albums/.DS_Store");  // junk is accepted wherever it is written, and states nothing
  EXPECT_FALSE(inode("Albums/.DS_Store").photo);
  EXPECT_EQ(inode("Albums/.DS_Store").nlink, 1u);
}

TEST_F(ViewTest, ATemporaryFileBecomesAPhotoByItsFinalName) {
  create("Albums/Trip/.a.jpg.x8Hs2K");
  EXPECT_FALSE(inode("Albums/Trip/.a.jpg.x8Hs2K").photo);
  ASSERT_TRUE(move("Albums/Trip/.a.jpg.x8Hs2K", "Albums/Trip/a.jpg"));
  const PhotoId id = photo_of("Albums/Trip/a.jpg");
  ASSERT_TRUE(id);
  EXPECT_EQ(photo(id).original_name, "a.jpg");
  EXPECT_EQ(photo(id).statements.at({ViewId::kAlbums, "Trip"}), Statement::kAsserted);
  decode(id, photo_info(day(2023, 7, 14)));
  EXPECT_EQ(ls("Library/2023/07"), Names{"a.jpg"});
  check();
}

TEST_F(ViewTest, OtherFilesInAnAlbumAreFiledBesideItsPhotos) {
  add("Albums/Trip/a.jpg", photo_info(day(2023, 7, 14)));
  MediaInfo info;
  info.kind = MediaKind::kOther;
  add("Albums/Trip/notes.txt", info);
  EXPECT_EQ(ls("Library/2023/07"), (Names{"a.jpg", "notes.txt"}));
  EXPECT_EQ(ls("Albums/Trip"), (Names{"a.jpg", "notes.txt"}));
  check();
}

TEST_F(ViewTest, ASetMtimeIsAGuessThatFollowsTheMtime) {
  const InodeNo file = create("Library/scan.jpg");
  const PhotoId id = inode(file).photo;
  decode(id, photo_info());
  EXPECT_EQ(ls("Dates"), Names{"Unknown"});  // the arrival time does not count
  const auto set_mtime = [&](int64_t seconds) {
    return change([&](Transaction& txn) {
      InodeRecord record = inode(file);
      record.mtime = {seconds, 0};
      record.mtime_was_set = true;
      txn.put_inode(file, record);
      return engine_->mtime_changed(txn, file);
    });
  };
  ASSERT_TRUE(set_mtime(1500000000));
  EXPECT_EQ(photo(id).date_source, DateSource::kMtime);
  EXPECT_EQ(ls("Dates"), Names{"2017"});
  ASSERT_TRUE(set_mtime(1600000000));
  EXPECT_EQ(ls("Dates"), Names{"2020"});
  check();
}

TEST_F(ViewTest, ANameGivenInDatesFollowsTheDate) {
  mkdir("Dates/2023/07");
  const PhotoId id = add("Dates/2023/07/given.jpg", photo_info(day(2023, 7, 14)));
  decode(id, photo_info(day(2011, 2, 3)));  // an editor changed what the file says
  EXPECT_EQ(ls("Dates"), Names{"2011"});
  EXPECT_EQ(ls("Dates/2011/02"), Names{"given.jpg"});
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    PhotoRecord record = photo(id);
    record.stated_date = day(1999, 12, 0);
    txn.put_photo(id, record);
    return engine_->refresh(txn, id);
  }));
  EXPECT_EQ(ls("Dates"), Names{"1999"});
  EXPECT_EQ(ls("Dates/1999/12"), Names{"given.jpg"});
  check();
}

TEST_F(ViewTest, ANameGivenInAFolderThatSaysLessStays) {
  mkdir("Dates/2023");
  add("Dates/2023/given.jpg", photo_info(day(2023, 7, 14)));
  EXPECT_EQ(ls("Dates/2023"), (Names{"07", "given.jpg"}));  // where it was written it is read
  check();
}

TEST_F(ViewTest, OfNamesGivenInDatesOneIsLeftWhenTheDateChanges) {
  mkdir("Dates/2023/07");
  const PhotoId id = add("Dates/2023/07/a.jpg", photo_info(day(2023, 7, 14)));
  const InodeNo file = find("Dates/2023/07/a.jpg");
  mkdir("Dates/2019/05");
  ASSERT_TRUE(link("Dates/2023/07/a.jpg", "Dates/2019/05/b.jpg"));  // states the date
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  EXPECT_EQ(ls("Dates/2019/05"), Names{"b.jpg"});
  EXPECT_EQ(find("Dates/2019/05/b.jpg"), file);
  check();
  // A twin has no other name that keeps it alive: both go along.
  add_twin("Dates/2019/05/twin.jpg", id);
  decode(id, photo_info(day(2019, 5, 1)));
  decode(id, photo_info(day(2011, 2, 3)));
  EXPECT_EQ(ls("Dates"), Names{"2011"});
  EXPECT_EQ(ls("Dates/2011/02"), (Names{"b.jpg", "twin.jpg"}));
  check();
}

TEST_F(ViewTest, AChangedLayoutMovesAllNamesOfDates) {
  const PhotoId a = add("Library/a.jpg", photo_info(day(2023, 7, 14)));
  mkdir("Dates/2023/07");
  const PhotoId b = add("Dates/2023/07/given.jpg", photo_info(day(2023, 7, 15)));
  settings_.dates_layout = "%Y-%m-%d";
  views_ = make_views(settings_);
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    SHOEBOX_TRY(engine_->refresh(txn, a));
    return engine_->refresh(txn, b);
  }));
  EXPECT_EQ(ls("Dates"), (Names{"2023-07-14", "2023-07-15"}));
  EXPECT_EQ(ls("Dates/2023-07-15"), Names{"given.jpg"});
  check();
}

TEST_F(ViewTest, WithdrawnPhotosShowNowhereAndComeBack) {
  const PhotoId id = add("Albums/Trip/a.jpg", photo_info(day(2023, 7, 14), {"Anna"}));
  ASSERT_TRUE(change([&](Transaction& txn) { return engine_->withdraw(txn, id); }));
  EXPECT_EQ(ls("Dates"), Names{});
  EXPECT_EQ(ls("Albums/Trip"), Names{});
  EXPECT_EQ(ls("People/Anna"), Names{});
  EXPECT_EQ(inode("Library/2023/07/a.jpg").nlink, 1u);
  ASSERT_TRUE(change([&](Transaction& txn) { return engine_->refresh(txn, id); }));
  EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
  check();
}

}  // namespace
}  // namespace shoebox
