// Folders of views into Trash, by a file manager's Delete key, and back.

#include "tree_fixture.h"

namespace shoebox {
namespace {

class TrashViewTest : public TreeTest {
 protected:
  void SetUp() override {
    TreeTest::SetUp();
    for (const char* path : {".Trash-1000", ".Trash-1000/files", ".Trash-1000/info"}) mkdir(path);
  }
  Code trash(const std::string& path) {
    const Code code = mv(path, ".Trash-1000/files/" + base(path));
    check_all();
    return code;
  }
  Code untrash(const std::string& path) {
    const Code code = mv(".Trash-1000/files/" + base(path), path);
    check_all();
    return code;
  }
  bool stated(std::string_view path, ViewId view, const std::string& value) {
    const auto statements = photo(photo_of(path)).statements;
    const auto found = statements.find({view, value});
    return found != statements.end() && found->second == Statement::kAsserted;
  }
};

TEST_F(TrashViewTest, AnAlbumGoesAsOneEntryAndItsPhotosStay) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  const InodeNo b = photo_file("Library/b.jpg", "two");
  ViewTest::mkdir("Albums/Trip/Day 1");
  ViewTest::mkdir("Albums/Trip/Empty");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ln("Library/b.jpg", "Albums/Trip/Day 1/sea.jpg");
  const InodeNo trip = find("Albums/Trip");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Albums"), Names{});
  EXPECT_EQ(ls("Library"), (Names{"a.jpg", "b.jpg"}));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "b.jpg"}));
  EXPECT_FALSE(stated("Library/a.jpg", ViewId::kAlbums, "Trip"));
  EXPECT_FALSE(stated("Library/b.jpg", ViewId::kAlbums, "Trip/Day 1"));
  EXPECT_EQ(find(".Trash-1000/files/Trip"), trip);
  EXPECT_EQ(ls(".Trash-1000/files/Trip"), (Names{"Day 1", "Empty", "a.jpg"}));
  EXPECT_EQ(inode(".Trash-1000/files/Trip/a.jpg").content, inode(a).content);
  EXPECT_EQ(ls("Trash"), Names{"Trip"});
  ASSERT_EQ(tree_->trash_list()->size(), 1u);
  EXPECT_EQ(tree_->trash_list()->front().record.path, "Albums/Trip");

  ASSERT_EQ(untrash("Albums/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Albums/Trip"), trip);
  EXPECT_EQ(find("Albums/Trip/a.jpg"), a);
  EXPECT_EQ(find("Albums/Trip/Day 1/sea.jpg"), b);
  EXPECT_EQ(ls("Albums/Trip"), (Names{"Day 1", "Empty", "a.jpg"}));
  EXPECT_TRUE(stated("Library/a.jpg", ViewId::kAlbums, "Trip"));
  EXPECT_TRUE(stated("Library/b.jpg", ViewId::kAlbums, "Trip/Day 1"));
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_TRUE(tree_->trash_list()->empty());
}

TEST_F(TrashViewTest, AnAlbumComesBackUnderAnotherNameAndPlace) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  ViewTest::mkdir("Albums/Italy/Rome/Day 1");
  ln("Library/a.jpg", "Albums/Italy/Rome/Day 1/a.jpg");
  ASSERT_EQ(trash("Albums/Italy/Rome"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Albums/Italy"), Names{});
  ASSERT_EQ(mv("Trash/Rome", "Albums/Roma"), Code::kOk) << last_message_;
  check_all();
  EXPECT_EQ(find("Albums/Roma/Day 1/a.jpg"), a);
  EXPECT_TRUE(stated("Library/a.jpg", ViewId::kAlbums, "Roma/Day 1"));
  EXPECT_EQ(ls(".Trash-1000/files"), Names{});
}

TEST_F(TrashViewTest, APartOfAnAlbumComesBackFromTheFolderInTrash) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  const InodeNo b = photo_file("Library/b.jpg", "two");
  ViewTest::mkdir("Albums/Trip/Day 1");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ln("Library/b.jpg", "Albums/Trip/Day 1/b.jpg");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk);
  ASSERT_EQ(mv(".Trash-1000/files/Trip/Day 1", "Albums/Day 1"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Albums/Day 1/b.jpg"), b);
  ViewTest::mkdir("Albums/Other");
  ASSERT_EQ(mv(".Trash-1000/files/Trip/a.jpg", "Albums/Other/a.jpg"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Albums/Other/a.jpg"), a);
  check_all();
}

TEST_F(TrashViewTest, TheCommandBringsAnAlbumBackWithTheFolderItStoodIn) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  ViewTest::mkdir("Albums/Italy/Rome");
  ln("Library/a.jpg", "Albums/Italy/Rome/a.jpg");
  ASSERT_EQ(trash("Albums/Italy/Rome"), Code::kOk);
  ASSERT_EQ(rmdir("Albums/Italy"), Code::kOk);
  Caller command = caller_;
  command.from_kernel = false;
  ASSERT_TRUE(tree_->trash_restore(find("Trash/Rome"), command));
  EXPECT_EQ(find("Albums/Italy/Rome/a.jpg"), a);
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();

  ASSERT_EQ(trash("Albums/Italy/Rome"), Code::kOk);
  ViewTest::mkdir("Albums/Italy/Rome");
  ASSERT_TRUE(tree_->trash_restore(find("Trash/Rome"), command));
  EXPECT_EQ(find("Albums/Italy/Rome (2)/a.jpg"), a);
  check_all();
}

TEST_F(TrashViewTest, APersonGoesAndComesBack) {
  const InodeNo a = photo_file("Library/a.jpg", "one", photo_info(day(2023, 7, 14), {"Anna"}));
  ASSERT_EQ(trash("People/Anna"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("People"), Names{});
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, photo_info(day(2023, 7, 14), {"Anna"})));
  EXPECT_EQ(ls("People"), Names{});  // denied
  ASSERT_EQ(untrash("People/Anna"), Code::kOk) << last_message_;
  EXPECT_EQ(find("People/Anna/a.jpg"), a);
}

TEST_F(TrashViewTest, FoldersInTrashGoBackToTheirOwnViewOnly) {
  ViewTest::mkdir("Albums/Trip");
  ViewTest::mkdir("Albums/Taken");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk);
  EXPECT_EQ(mv(".Trash-1000/files/Trip", "Library/Trip"), Code::kNotPermitted);
  EXPECT_EQ(mv(".Trash-1000/files/Trip", "People/Trip"), Code::kNotPermitted);
  EXPECT_EQ(mv(".Trash-1000/files/Trip", "Albums/Taken"), Code::kExists);
  EXPECT_EQ(ls(".Trash-1000/files"), Names{"Trip"});
  check_all();
}

TEST_F(TrashViewTest, APhotoThatWasChangedMeanwhileComesBackAsItIs) {
  photo_file("Library/a.jpg", "old");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk);
  photo_file("Library/.a.jpg.tmp", "new");
  ASSERT_EQ(mv("Library/.a.jpg.tmp", "Library/a.jpg"), Code::kOk);
  check_all();
  ASSERT_EQ(untrash("Albums/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Albums/Trip/a.jpg"), find("Library/a.jpg"));
}

TEST_F(TrashViewTest, APhotoThatWasRemovedMeanwhileComesBackWithTheAlbum) {
  photo_file("Library/a.jpg", "one");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk);
  rm("Library/a.jpg");
  rm("Trash/a.jpg");
  check_all();
  ASSERT_EQ(untrash("Albums/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
  EXPECT_EQ(find("Library/2023/07/a.jpg"), find("Albums/Trip/a.jpg"));
}

TEST_F(TrashViewTest, FilesThatAreNoPhotosGoWithTheAlbumAndComeBack) {
  photo_file("Library/a.jpg", "one");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  write("Library/a.jpg.xmp", "<xmp/>");
  write("Albums/Trip/.hidden", "junk");
  ASSERT_TRUE(touch("Albums/Trip/empty.jpg").is_ok());
  const InodeNo sidecar = write("Albums/Trip/a.pp3", "of raw therapee");
  ASSERT_EQ(ls("Albums/Trip"), (Names{".hidden", "a.jpg", "a.jpg.xmp", "a.pp3", "empty.jpg"}));
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Library"), (Names{"a.jpg", "a.jpg.xmp", "a.pp3"}));
  EXPECT_EQ(ls(".Trash-1000/files/Trip"), (Names{".hidden", "a.jpg", "a.pp3", "empty.jpg"}));
  ASSERT_EQ(untrash("Albums/Trip"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Albums/Trip"), (Names{".hidden", "a.jpg", "a.jpg.xmp", "a.pp3", "empty.jpg"}));
  EXPECT_EQ(find("Albums/Trip/a.pp3"), sidecar);
  EXPECT_EQ(ls("Library"), (Names{"a.jpg", "a.jpg.xmp", "a.pp3"}));
  // And a further name of a file that lives elsewhere leaves Trash alone.
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk);
  ASSERT_EQ(mv(".Trash-1000/files/Trip/a.pp3", "Library/copy.pp3"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Library/a.pp3"), sidecar);
  EXPECT_EQ(find("Library/copy.pp3"), sidecar);
  EXPECT_EQ(inode(sidecar).nlink, 2u);
  check_all();
}

TEST_F(TrashViewTest, APhotoThatHadNoOtherNameIsFiled) {
  write("Albums/Trip/born.jpg", "not decoded");
  const PhotoId id = photo_of("Albums/Trip/born.jpg");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk) << last_message_;
  ASSERT_EQ(ls("Library/Unknown"), Names{"born.jpg"});
  EXPECT_EQ(photo_of("Library/Unknown/born.jpg"), id);
}

TEST_F(TrashViewTest, ATrashedAlbumIsEmptiedWithoutItsPhotos) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  ASSERT_EQ(trash("Albums/Trip"), Code::kOk);
  EXPECT_EQ(*tree_->trash_empty(0), 1u);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls(".Trash-1000/files"), Names{});
  EXPECT_EQ(find("Library/a.jpg"), a);
  EXPECT_EQ(inode(a).nlink, 1u);
  check_all();
}

TEST_F(TrashViewTest, AFolderOfDatesTakesItsPhotosAlongAndBringsThemBack) {
  const InodeNo a = photo_file("Library/Trip/a.jpg", "one");
  photo_file("Library/b.jpg", "two");
  write("Library/twin.jpg", "two");
  photo_file("Library/later.jpg", "three", photo_info(day(2023, 8, 1)));
  ViewTest::mkdir("Albums/Sea");
  ln("Library/Trip/a.jpg", "Albums/Sea/x.jpg");
  ASSERT_EQ(trash("Dates/2023/07"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Library"), (Names{"Trip", "later.jpg"}));
  EXPECT_EQ(ls("Library/Trip"), Names{});
  EXPECT_EQ(ls("Albums/Sea"), Names{});
  EXPECT_EQ(ls("Dates/2023"), Names{"08"});
  EXPECT_EQ(ls(".Trash-1000/files/07"), (Names{"a.jpg", "b.jpg", "twin.jpg"}));
  EXPECT_EQ(ls("Trash"), Names{"07"});
  EXPECT_EQ(mv(".Trash-1000/files/07", "Dates/2023/09"), Code::kNotPermitted);
  ASSERT_EQ(untrash("Dates/2023/07"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Library/Trip/a.jpg"), a);
  EXPECT_EQ(find("Albums/Sea/x.jpg"), a);
  EXPECT_EQ(find("Dates/2023/07/a.jpg"), a);
  EXPECT_EQ(ls("Library"), (Names{"Trip", "b.jpg", "later.jpg", "twin.jpg"}));
  EXPECT_EQ(photo_of("Library/b.jpg"), photo_of("Library/twin.jpg"));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "b.jpg"}));
  EXPECT_EQ(ls("Trash"), Names{});
}

TEST_F(TrashViewTest, AYearOfDatesComesBackWhereItsFoldersStandAgain) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  const InodeNo b = photo_file("Library/b.jpg", "two", photo_info(day(2023, 8, 1)));
  ASSERT_EQ(trash("Dates/2023"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Dates"), Names{});
  EXPECT_EQ(ls("Library"), Names{});
  photo_file("Library/new.jpg", "three");
  EXPECT_EQ(untrash("Dates/2023"), Code::kExists);
  Caller command = caller_;
  command.from_kernel = false;
  ASSERT_TRUE(tree_->trash_restore(find("Trash/2023"), command));
  check_all();
  EXPECT_EQ(find("Library/a.jpg"), a);
  EXPECT_EQ(find("Library/b.jpg"), b);
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "new.jpg"}));
  EXPECT_EQ(ls("Dates/2023/08"), Names{"b.jpg"});
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls(".Trash-1000/files"), Names{});
}

}  // namespace
}  // namespace shoebox
