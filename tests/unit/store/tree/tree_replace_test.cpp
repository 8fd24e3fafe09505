// Replacing a photo's bytes, twins by hash, and what a rename of a temporary file brings about.

#include "tree_fixture.h"

namespace shoebox {
namespace {

TEST_F(TreeTest, EqualBytesAreTwinsThatShareContentAndPhoto) {
  const InodeNo a = photo_file("Library/a.jpg", "same");
  const InodeNo b = write("Library/b.jpg", "same");
  EXPECT_EQ(inode(b).content, inode(a).content);
  EXPECT_EQ(inode(b).photo, inode(a).photo);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_EQ(catalog_->content(inode(a).content)->value().references, 2u);
  check_all();
}

TEST_F(TreeTest, ATwinThatWasWrittenAgainBeforeSealingKeepsItsNewBytes) {
  const InodeNo a = photo_file("Library/a.jpg", "same");
  const InodeNo b = touch("Library/b.jpg")->number;
  const ContentNo first = commit(b, "same");
  const ContentNo second = commit(b, "changed");
  EXPECT_FALSE(tree_->content_sealed(first, hashes("same")).is_ok());  // nobody held it any more
  EXPECT_EQ(seal(second, "changed"), second);
  EXPECT_NE(inode(b).photo, inode(a).photo);
  EXPECT_EQ(photo(inode(b).photo).content, second);
  check_all();
}

TEST_F(TreeTest, APhotoThatIsEditedBeforeItWasDecodedKeepsItsOldBytesAsAVersion) {
  const InodeNo a = write("Library/a.jpg", "straight from the camera");
  const ContentNo camera = inode(a).content;
  seal(commit(a, "edited"), "edited");
  const auto versions = catalog_->versions(inode(a).photo);
  ASSERT_EQ(versions->size(), 1u);
  EXPECT_EQ(versions->front().content, camera);
  EXPECT_TRUE(content_exists(camera));
  check_all();
}

TEST_F(TreeTest, WhatIsNoPhotoByNameOrIsStillBeingWrittenLeavesNoVersion) {
  const InodeNo text = write("Library/a.txt", "one");
  seal(commit(text, "two"), "two");
  EXPECT_TRUE(catalog_->versions(inode(text).photo)->empty());
  const InodeNo half = touch("Library/b.jpg")->number;
  const ContentNo first = commit(half, "first half");
  commit(half, "first half and second half");
  EXPECT_TRUE(catalog_->versions(inode(half).photo)->empty());
  EXPECT_FALSE(content_exists(first));
  check_all();
}

TEST_F(TreeTest, JunkThatEqualsAPhotoIsNoPhoto) {
  const InodeNo a = photo_file("Library/a.jpg", "same");
  const InodeNo junk = write("Library/.a.jpg", "same");
  EXPECT_EQ(inode(junk).content, inode(a).content);
  EXPECT_FALSE(inode(junk).photo);
  check_all();
}

TEST_F(TreeTest, BytesFirstSeenAsJunkAreQueuedWhenAPhotoHasThem) {
  const InodeNo junk = write("Library/.a.jpg", "same");
  EXPECT_EQ(jobs_of(inode(junk).content), 0u);
  const InodeNo a = write("Library/a.jpg", "same");
  EXPECT_EQ(inode(a).content, inode(junk).content);
  EXPECT_EQ(jobs_of(inode(a).content), 1u);
  EXPECT_EQ(decode_wanted_, std::vector{inode(a).content});
  check_all();
}

TEST_F(TreeTest, ATemporaryFileBecomesAPhotoWhenItGetsItsName) {
  const InodeNo temporary = write("Library/.IMG_1.jpg.a8Xk2Q", "bytes");
  EXPECT_FALSE(inode(temporary).photo);
  ASSERT_EQ(mv("Library/.IMG_1.jpg.a8Xk2Q", "Library/IMG_1.jpg"), Code::kOk);
  ASSERT_TRUE(inode(temporary).photo);
  const ContentNo content = inode(temporary).content;
  EXPECT_EQ(jobs_of(content), 1u);
  EXPECT_EQ(decode_wanted_, std::vector{content});
  ASSERT_TRUE(tree_->photo_decoded(content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(ls("Dates/2023/07"), Names{"IMG_1.jpg"});
  check_all();
}

TEST_F(TreeTest, ATemporaryFileWithKnownBytesBecomesATwin) {
  const InodeNo a = photo_file("Library/a.jpg", "same");
  write("Library/b.jpg.part", "same");
  ASSERT_EQ(mv("Library/b.jpg.part", "Library/b.jpg"), Code::kOk);
  EXPECT_EQ(photo_of("Library/b.jpg"), inode(a).photo);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, AnEditorsTemporaryFileReplacesThePhoto) {
  const InodeNo old = photo_file("Library/a.jpg", "old");
  const PhotoId id = inode(old).photo;
  const ContentNo old_content = inode(old).content;
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/sea.jpg");
  ASSERT_TRUE(tree_->setxattr(old, "user.xdg.tags", "beach", Tree::XattrMode::kAny));
  open_.insert(old);
  const InodeNo fresh = write("Library/.a.jpg.q7Zp0L", "new");
  ASSERT_EQ(mv("Library/.a.jpg.q7Zp0L", "Library/a.jpg"), Code::kOk) << last_message_;

  EXPECT_EQ(find("Library/a.jpg"), fresh);
  EXPECT_EQ(find("Albums/Trip/sea.jpg"), fresh);
  EXPECT_EQ(find("Dates/2023/07/a.jpg"), fresh);
  EXPECT_EQ(inode(fresh).photo, id);
  EXPECT_EQ(photo(id).content, inode(fresh).content);
  EXPECT_EQ(*tree_->getxattr(fresh, "user.xdg.tags"), "beach");
  EXPECT_EQ(inode(old).nlink, 0u);
  EXPECT_EQ(inode(old).content, old_content);  // open handles keep the old bytes
  ASSERT_EQ(catalog_->versions(id)->size(), 1u);
  EXPECT_EQ(catalog_->versions(id)->front().content, old_content);
  EXPECT_EQ(jobs_of(old_content), 1u);  // not sent yet: still sent
  EXPECT_EQ(ls("Trash"), Names{});
  check_references();

  open_.clear();
  ASSERT_TRUE(tree_->drop_unlinked(old));
  EXPECT_TRUE(content_exists(old_content));
  ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 15))));
  check_all();
}

TEST_F(TreeTest, ReplacingAPhotoByEqualBytesKeepsNoVersion) {
  photo_file("Library/a.jpg", "same");
  photo_file("Library/twin.jpg", "same");
  const PhotoId id = photo_of("Library/a.jpg");
  write("Library/a.jpg.tmp", "same");
  ASSERT_EQ(mv("Library/a.jpg.tmp", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(photo_of("Library/a.jpg"), id);
  EXPECT_EQ(photo_of("Library/twin.jpg"), id);
  EXPECT_TRUE(catalog_->versions(id)->empty());
  check_all();
}

TEST_F(TreeTest, TwinsOfAReplacedPhotoKeepTheOldBytesAsAPhotoOfTheirOwn) {
  photo_file("Library/a.jpg", "old");
  const InodeNo twin = write("Library/b.jpg", "old");
  const PhotoId id = inode(twin).photo;
  write("Library/a.jpg.tmp", "new");
  ASSERT_EQ(mv("Library/a.jpg.tmp", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(photo_of("Library/a.jpg"), id);
  EXPECT_NE(inode(twin).photo, id);
  EXPECT_EQ(photo(inode(twin).photo).content, inode(twin).content);
  check_references();
}

TEST_F(TreeTest, TruncateAndWriteKeepsTheOldBytesAsAVersion) {
  const InodeNo a = photo_file("Library/a.jpg", "old");
  const ContentNo old = inode(a).content;
  const PhotoId id = inode(a).photo;
  const ContentNo now = commit(a, "new");
  EXPECT_EQ(inode(a).photo, id);
  EXPECT_EQ(photo(id).content, now);
  ASSERT_EQ(catalog_->versions(id)->size(), 1u);
  EXPECT_EQ(catalog_->versions(id)->front().content, old);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});  // until the new bytes are decoded
  check_references();
}

TEST_F(TreeTest, ASavedPhotoMayGetBytesThatItHadBefore) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  const PhotoId id = inode(a).photo;
  seal(commit(a, "two"), "two");
  seal(commit(a, "one"), "one");
  EXPECT_EQ(photo(inode(a).photo).content, inode(a).content);
  EXPECT_EQ(inode(a).photo, id);
  check_references();
}

TEST_F(TreeTest, RenamingOneHomedPhotoOverAnotherTrashesTheOther) {
  const InodeNo a = photo_file("Library/a.jpg", "one");
  clock_.time.seconds += 86400;
  photo_file("Library/b.jpg", "two");
  ASSERT_EQ(mv("Library/a.jpg", "Library/b.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/b.jpg"), a);
  EXPECT_EQ(ls("Trash"), Names{"b.jpg"});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, AHardLinkKeepsTheOldBytesWhenTheOtherNameIsReplaced) {
  const InodeNo old = photo_file("Library/a.jpg", "old");
  ln("Library/a.jpg", "Library/link.jpg");
  write("Library/a.jpg.tmp", "new");
  ASSERT_EQ(mv("Library/a.jpg.tmp", "Library/a.jpg"), Code::kOk);
  EXPECT_EQ(find("Library/link.jpg"), old);
  EXPECT_EQ(inode(old).nlink, 1u);
  EXPECT_NE(inode(old).photo, photo_of("Library/a.jpg"));
  check_references();
}

TEST_F(TreeTest, PlainFilesAreReplacedAsPosixSays) {
  other_file("Library/index", "old");
  other_file("Library/index.lock", "new");
  ASSERT_EQ(mv("Library/index.lock", "Library/index"), Code::kOk);
  EXPECT_EQ(ls("Library"), Names{"index"});
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeTest, ASidecarThatIsRewrittenLeavesNothingInTrash) {
  write("Library/a.xmp", "old");
  write("Library/a.xmp.tmp", "new");
  ASSERT_EQ(mv("Library/a.xmp.tmp", "Library/a.xmp"), Code::kOk);
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_FALSE(inode("Library/a.xmp").photo);
  EXPECT_EQ(jobs_of(inode("Library/a.xmp").content), 1u);
  check_all();
}

TEST_F(TreeTest, ReplacingThroughAnAlbumReplacesTheHomeToo) {
  const InodeNo old = photo_file("Library/a.jpg", "old");
  const PhotoId id = inode(old).photo;
  ViewTest::mkdir("Albums/Trip");
  ln("Library/a.jpg", "Albums/Trip/a.jpg");
  const InodeNo fresh = write("Albums/Trip/.a.jpg.q7Zp0L", "new");
  ASSERT_EQ(mv("Albums/Trip/.a.jpg.q7Zp0L", "Albums/Trip/a.jpg"), Code::kOk) << last_message_;
  EXPECT_EQ(find("Albums/Trip/a.jpg"), fresh);
  EXPECT_EQ(find("Library/a.jpg"), fresh);
  EXPECT_EQ(inode(fresh).photo, id);
  EXPECT_FALSE(catalog_->inode(old)->has_value());
  EXPECT_EQ(catalog_->versions(id)->size(), 1u);
  ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 14))));
  check_all();
}

class TreeReplaceTest : public TreeTest {
 protected:
  // Asserted or denied.
  bool speaks_of(PhotoId id, const std::string& album) {
    return photo(id).statements.contains(ViewValue{ViewId::kAlbums, album});
  }
};

// rsync --delay-updates: the new bytes wait in a hidden folder, and may be decoded and filed meanwhile.
TEST_F(TreeReplaceTest, WhatWasCollectedInAHiddenFolderReplacesThePhotosBesideIt) {
  for (const std::string folder : {"Albums/Trip", "Library/trip"}) {
    for (const bool decoded : {false, true}) {
      SCOPED_TRACE(folder + (decoded ? " decoded" : " not decoded"));
      const std::string name = folder.substr(0, 3) + (decoded ? "a.jpg" : "b.jpg");
      const PhotoId id = inode(photo_file(folder + "/" + name, folder + name)).photo;
      ViewTest::mkdir("Albums/Best");
      ASSERT_EQ(ln(folder + "/" + name, "Albums/Best/" + name), Code::kOk) << last_message_;
      const Names library = ls("Library/2023/07");
      ASSERT_EQ(mkdir(folder + "/.~tmp~"), Code::kOk);
      const InodeNo fresh = write(folder + "/.~tmp~/" + name, "new " + folder + name);
      if (decoded) ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 14))));
      clock_.time.seconds += 7200;
      ASSERT_EQ(mv(folder + "/.~tmp~/" + name, folder + "/" + name), Code::kOk) << last_message_;
      ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 14))));

      EXPECT_EQ(find(folder + "/" + name), fresh);
      EXPECT_EQ(find("Albums/Best/" + name), fresh);
      EXPECT_EQ(inode(fresh).photo, id);
      EXPECT_EQ(catalog_->versions(id)->size(), 1U);
      EXPECT_EQ(ls("Library/2023/07"), library) << "no second home is left";
      EXPECT_FALSE(speaks_of(id, "Trip/.~tmp~"));
      EXPECT_EQ(ls(folder + "/.~tmp~"), Names{});
      EXPECT_EQ(rmdir(folder + "/.~tmp~"), Code::kOk) << last_message_;
      check_all();
    }
  }
}

TEST_F(TreeReplaceTest, WhatWasCollectedAndIsNewThereSaysNothingOfWhereItWaited) {
  ViewTest::mkdir("Albums/Trip");
  ASSERT_EQ(mkdir("Albums/Trip/.~tmp~"), Code::kOk);
  const InodeNo fresh = photo_file("Albums/Trip/.~tmp~/a.jpg", "new");
  ASSERT_EQ(mv("Albums/Trip/.~tmp~/a.jpg", "Albums/Trip/a.jpg"), Code::kOk) << last_message_;
  EXPECT_TRUE(speaks_of(inode(fresh).photo, "Trip"));
  EXPECT_FALSE(speaks_of(inode(fresh).photo, "Trip/.~tmp~"));
  check_all();
}

// Somebody's own photo in a hidden folder is not what a program collected there.
TEST_F(TreeReplaceTest, APhotoThatWasLinkedIntoAHiddenFolderReplacesNoOther) {
  const InodeNo other = photo_file("Albums/Trip/x.jpg", "other");
  const InodeNo own = photo_file("Library/2019/x.jpg", "own");
  for (const std::string hidden : {".keep", ".~tmp~"}) {
    SCOPED_TRACE(hidden);
    const std::string folder = "Albums/Trip/" + hidden;
    ASSERT_EQ(mkdir(folder), Code::kOk);
    ASSERT_EQ(ln("Library/2019/x.jpg", folder + "/x.jpg"), Code::kOk);
    EXPECT_EQ(mv(folder + "/x.jpg", "Albums/Trip/x.jpg"), Code::kExists);
    EXPECT_EQ(find("Library/2019/x.jpg"), own);
    EXPECT_EQ(find("Albums/Trip/x.jpg"), other);
    check_all();
  }
}

TEST_F(TreeReplaceTest, APhotoThatHasMoreThanItsPlaceInAHiddenFolderReplacesNoOther) {
  photo_file("Albums/Trip/x.jpg", "other");
  ViewTest::mkdir("Albums/Best");
  const std::string folder = "Albums/Trip/.~tmp~";
  ASSERT_EQ(mkdir(folder), Code::kOk);
  const InodeNo number = photo_file(folder + "/x.jpg", "own");
  ASSERT_EQ(ln(folder + "/x.jpg", "Albums/Best/x.jpg"), Code::kOk);
  EXPECT_EQ(mv(folder + "/x.jpg", "Albums/Trip/x.jpg"), Code::kExists) << "it is in another album";
  ASSERT_EQ(rm("Albums/Best/x.jpg"), Code::kOk);
  ASSERT_TRUE(tree_->setxattr(number, "user.shoebox.date", "2019-03", {}));
  EXPECT_EQ(mv(folder + "/x.jpg", "Albums/Trip/x.jpg"), Code::kExists) << "its date was stated";
  check_all();
}

TEST_F(TreeReplaceTest, WhatLayInAHiddenFolderForLongIsAPhotoOfItsOwn) {
  photo_file("Library/trip/x.jpg", "other");
  photo_file("Albums/Trip/y.jpg", "other of an album");
  ASSERT_EQ(mkdir("Library/trip/.old"), Code::kOk);
  ASSERT_EQ(mkdir("Albums/Trip/.old"), Code::kOk);
  const InodeNo own = photo_file("Library/trip/.old/x.jpg", "own");
  photo_file("Albums/Trip/.old/y.jpg", "own of an album");
  const PhotoId id = inode(own).photo;
  clock_.time.seconds += 7200;
  ASSERT_EQ(mv("Library/trip/.old/x.jpg", "Library/trip/x.jpg"), Code::kOk) << last_message_;
  EXPECT_EQ(inode("Library/trip/x.jpg").photo, id);
  EXPECT_EQ(ls("Trash"), Names{"x.jpg"});
  EXPECT_EQ(mv("Albums/Trip/.old/y.jpg", "Albums/Trip/y.jpg"), Code::kExists);
  check_all();
}

TEST_F(TreeReplaceTest, APhotoStaysInAnAlbumThatItsNewBytesComeFrom) {
  const PhotoId id = inode(photo_file("Albums/Trip/a.jpg", "old")).photo;
  ViewTest::mkdir("Albums/In");
  ASSERT_EQ(ln("Albums/Trip/a.jpg", "Albums/In/p.jpg"), Code::kOk);
  const InodeNo fresh = write("Albums/In/a.jpg", "new");
  ASSERT_EQ(mv("Albums/In/a.jpg", "Albums/Trip/a.jpg"), Code::kOk) << last_message_;
  ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(inode(fresh).photo, id);
  EXPECT_EQ(photo(id).statements.at({ViewId::kAlbums, "In"}), Statement::kAsserted);
  EXPECT_EQ(ls("Albums/In"), Names{"p.jpg"});
  EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeReplaceTest, ANewPhotoOfOneDayThatReplacesOneOfAnotherStatesNoDate) {
  const PhotoId id = inode(photo_file("Library/a.jpg", "old")).photo;
  const InodeNo fresh = write("Dates/2019/03/b.jpg", "new");
  ASSERT_EQ(mv("Dates/2019/03/b.jpg", "Dates/2023/07/a.jpg"), Code::kOk) << last_message_;
  ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(inode(fresh).photo, id);
  EXPECT_FALSE(photo(id).stated_date.has_value());
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeTest, ANewPhotoOfOneAlbumThatReplacesOneOfAnotherLeavesTheFirst) {
  photo_file("Albums/Trip/a.jpg", "old");
  ViewTest::mkdir("Albums/In");
  const InodeNo fresh = write("Albums/In/a.jpg", "new");
  ASSERT_EQ(mv("Albums/In/a.jpg", "Albums/Trip/a.jpg"), Code::kOk) << last_message_;
  ASSERT_TRUE(tree_->photo_decoded(inode(fresh).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(ls("Albums/Trip"), Names{"a.jpg"});
  EXPECT_EQ(ls("Albums/In"), Names{});
  check_all();
}

TEST_F(TreeTest, AGoodCopyOverWhatTheDiskSpoiledIsKept) {
  const InodeNo a = photo_file("Library/a.jpg", "bytes");
  const ContentNo spoiled = inode(a).content;
  ASSERT_TRUE(change([&](Transaction& txn) -> Status {
    UploadJob job;
    job.content = spoiled;
    job.remote = "nas";
    job.damaged = true;
    txn.put_job(job);
    return Status::ok();
  }));
  const ContentNo good = commit(a, "bytes");
  EXPECT_EQ(seal(good, "bytes"), good);
  EXPECT_EQ(inode(a).content, good);
  EXPECT_TRUE(content_exists(good));
  const InodeNo twin = write("Library/twin.jpg", "bytes");
  EXPECT_EQ(inode(twin).content, good);
  check_references();
}

}  // namespace
}  // namespace shoebox
