// mv, mkdir and rmdir of the folders of a view.

#include "view_fixture.h"

namespace shoebox {
namespace {

TEST_F(ViewTest, RenamingAnAlbumRestatesAllPhotosInItAndBelow) {
  const PhotoId a = add("Albums/Trip/a.jpg", photo_info(day(2023, 7, 14)));
  const PhotoId b = add("Albums/Trip/Day 1/b.jpg", photo_info(day(2023, 7, 14)));
  const InodeNo folder = find("Albums/Trip");
  mkdir("Albums/Italy");
  ASSERT_TRUE(rename_folder("Albums/Trip", "Albums/Italy/Rome"));
  EXPECT_EQ(find("Albums/Italy/Rome"), folder);
  EXPECT_TRUE(photo(a).statements.contains({ViewId::kAlbums, "Italy/Rome"}));
  EXPECT_TRUE(photo(b).statements.contains({ViewId::kAlbums, "Italy/Rome/Day 1"}));
  EXPECT_FALSE(photo(a).statements.contains({ViewId::kAlbums, "Trip"}));
  decode(a, photo_info(day(2023, 7, 14)));
  EXPECT_EQ(ls("Albums"), Names{"Italy"});
  EXPECT_EQ(ls("Albums/Italy/Rome"), (Names{"Day 1", "a.jpg"}));
  check();
}

TEST_F(ViewTest, AnAlbumReplacesOnlyAnEmptyOne) {
  add("Albums/A/a.jpg", photo_info());
  add("Albums/B/b.jpg", photo_info());
  mkdir("Albums/C");
  EXPECT_EQ(rename_folder("Albums/A", "Albums/B").code(), Code::kNotEmpty);
  ASSERT_TRUE(rename_folder("Albums/A", "Albums/C"));
  EXPECT_EQ(ls("Albums"), (Names{"B", "C"}));
  EXPECT_EQ(ls("Albums/C"), Names{"a.jpg"});
  EXPECT_EQ(rename_folder("Albums/C", "Albums/C/D").code(), Code::kInvalid);
  check();
}

TEST_F(ViewTest, RenamingAPersonRenamesEverywhereAndForGood) {
  const PhotoId a = add("Library/a.jpg", photo_info(std::nullopt, {"Anna"}));
  const PhotoId b = add("People/Anna/b.jpg", photo_info());
  ASSERT_TRUE(rename_folder("People/Anna", "People/Annie"));
  EXPECT_EQ(ls("People"), Names{"Annie"});
  EXPECT_EQ(ls("People/Annie"), (Names{"a.jpg", "b.jpg"}));
  decode(a, photo_info(std::nullopt, {"Anna"}));  // the file still says Anna
  decode(b, photo_info());
  EXPECT_EQ(ls("People"), Names{"Annie"});
  EXPECT_FALSE(photo(b).statements.contains({ViewId::kPeople, "Anna"}));
  check();
}

TEST_F(ViewTest, APersonRenamedOntoAnotherIsMergedAndTheSourceSurvives) {
  add("Library/a.jpg", photo_info(std::nullopt, {"Anna"}));
  add("Library/x/a.jpg", photo_info(std::nullopt, {"Annie"}));
  add("Library/both.jpg", photo_info(std::nullopt, {"Anna", "Annie"}));
  const InodeNo source = find("People/Anna");
  ASSERT_TRUE(rename_folder("People/Anna", "People/Annie"));
  EXPECT_EQ(find("People/Annie"), source);
  EXPECT_EQ(ls("People"), Names{"Annie"});
  EXPECT_EQ(ls("People/Annie"), (Names{"a (2).jpg", "a.jpg", "both.jpg"}));
  EXPECT_EQ(inode("Library/both.jpg").nlink, 2u);
  check();
}

TEST_F(ViewTest, APersonMovedIntoAnotherIsMerged) {
  add("Library/a.jpg", photo_info(std::nullopt, {"Anna"}));
  add("Library/b.jpg", photo_info(std::nullopt, {"Annie"}));
  const InodeNo source = find("People/Anna");
  ASSERT_TRUE(rename_folder("People/Anna", "People/Annie/Anna"));
  EXPECT_EQ(find("People/Annie"), source);
  EXPECT_EQ(ls("People"), Names{"Annie"});
  EXPECT_EQ(ls("People/Annie"), (Names{"a.jpg", "b.jpg"}));
  check();
}

TEST_F(ViewTest, FoldersStayInTheirView) {
  add("Albums/Trip/a.jpg", photo_info(day(2023, 7, 14)));
  mkdir("People/Anna");
  EXPECT_EQ(rename_folder("Albums/Trip", "People/Trip").code(), Code::kNotPermitted);
  EXPECT_EQ(rename_folder("Dates/2023", "Dates/2024").code(), Code::kNotPermitted);
}

TEST_F(ViewTest, PhotosInTrashComeBackIntoTheRenamedAlbum) {
  const PhotoId id = add("Albums/Trip/a.jpg", photo_info());
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    TrashRecord record;
    record.photo = id;
    record.statements = {{ViewId::kAlbums, "Trip"}};
    txn.put_trash(find("Albums/Trip/a.jpg"), record);
    return engine_->withdraw(txn, id);
  }));
  ASSERT_TRUE(rename_folder("Albums/Trip", "Albums/Rome"));
  EXPECT_TRUE(photo(id).statements.contains({ViewId::kAlbums, "Rome"}));
  const auto record = catalog_->trash(find("Library/Unknown/a.jpg"));
  EXPECT_EQ((*record)->statements.front().value, "Rome");
}

TEST_F(ViewTest, FoldersOfDatesAreRealDates) {
  const auto make = [&](std::string_view above, std::string_view name) {
    return change(
        [&](Transaction& txn) { return engine_->mkdir(txn, find(above), name, 0755, {}).status(); });
  };
  EXPECT_EQ(make("Dates", "Summer").code(), Code::kNotPermitted);
  EXPECT_EQ(make("Dates", "0000").code(), Code::kNotPermitted);
  EXPECT_TRUE(make("Dates", "2023"));
  EXPECT_EQ(make("Dates", "2023").code(), Code::kExists);
  EXPECT_EQ(make("Dates/2023", "13").code(), Code::kNotPermitted);
  EXPECT_TRUE(make("Dates/2023", "07"));
  EXPECT_EQ(make("Dates/2023/07", "14").code(), Code::kNotPermitted);
  EXPECT_EQ(make("People", "Anna").code(), Code::kOk);
  EXPECT_EQ(make("People/Anna", "Nested").code(), Code::kNotPermitted);
}

TEST_F(ViewTest, OnlyEmptyFoldersAreRemoved) {
  add("Albums/Trip/a.jpg", photo_info());
  const auto remove_folder = [&](std::string_view name) {
    return change([&](Transaction& txn) { return engine_->rmdir(txn, kAlbumsInode, name); });
  };
  EXPECT_EQ(remove_folder("Trip").code(), Code::kNotEmpty);
  ASSERT_TRUE(remove("Albums/Trip/a.jpg"));
  EXPECT_TRUE(remove_folder("Trip"));
  EXPECT_EQ(remove_folder("Trip").code(), Code::kNotFound);
  mkdir("Albums/Trip");
  check();
}

TEST_F(ViewTest, PeopleWhoseNamesAreNoFileNamesGetAFolderOfTheirOwn) {
  const PhotoId id = add("Library/a.jpg", photo_info(std::nullopt, {"..", "../../etc/passwd", "AC/DC", ""}));
  EXPECT_EQ(ls("People"), (Names{"..／..／etc／passwd", "AC／DC", "．．"}));
  ASSERT_TRUE(remove("People/AC／DC/a.jpg"));
  EXPECT_EQ(photo(id).statements.at({ViewId::kPeople, "AC/DC"}), Statement::kDenied);
  mkdir("People/Zoë／Ann");  // the same spelling, made by a person
  add("Library/b.jpg", photo_info(std::nullopt, {"Zoë/Ann"}));
  EXPECT_EQ(ls("People/Zoë／Ann"), Names{"b.jpg"});
  check();
}

TEST_F(ViewTest, ComposedAndDecomposedSpellingsAreOnePerson) {
  add("Library/a.jpg", photo_info(std::nullopt, {"Zo\u00EB"}));
  add("Library/b.jpg", photo_info(std::nullopt, {"Zoe\u0308"}));
  EXPECT_EQ(ls("People"), Names{"Zo\u00EB"});
  EXPECT_EQ(ls("People/Zo\u00EB"), (Names{"a.jpg", "b.jpg"}));
  check();
}

TEST_F(ViewTest, ASlashInAnAlbumNameIsNotALevel) {
  const PhotoId id = add("Albums/AC／DC/a.jpg", photo_info());
  EXPECT_EQ(ls("Albums"), Names{"AC／DC"});
  decode(id, photo_info());
  EXPECT_EQ(ls("Albums"), Names{"AC／DC"});
  check();
}

}  // namespace
}  // namespace shoebox
