// What XMP sidecars state takes part in their photo: read, changed, removed, shared.

#include "tree_fixture.h"

namespace shoebox {
namespace {

class TreeSidecarsTest : public TreeTest {
 protected:
  static MediaInfo facts(std::vector<std::string> people, std::optional<LocalDate> date = {},
                         bool original = true) {
    MediaInfo info;
    info.kind = MediaKind::kOther;
    info.people = std::move(people);
    info.date = date;
    info.date_is_original = original;
    return info;
  }
  // As the importer does with these bytes.
  void read(ContentNo content, const MediaInfo& said) {
    const auto name = tree_->sidecar_wanted(content);
    ASSERT_TRUE(name.is_ok());
    EXPECT_NE(*name, "") << "no photo waits for it";
    ASSERT_TRUE(tree_->sidecar_read(content, said));
    EXPECT_EQ(*tree_->sidecar_wanted(content), "");
  }
  InodeNo sidecar(const std::string& path, const std::string& bytes, const MediaInfo& said) {
    const InodeNo number = write(path, bytes);
    read(inode(number).content, said);
    return number;
  }
  std::string attribute(const std::string& path, const std::string& name) {
    const auto value = tree_->getxattr(find(path), name);
    return value.is_ok() ? *value : "(none)";
  }
};

TEST_F(TreeSidecarsTest, PeopleAndDateOfASidecarCount) {
  photo_file("Library/a.jpg", "a", photo_info(std::nullopt, {"Anna"}));
  sidecar("Library/a.jpg.xmp", "x", facts({" Ben ", "Anna"}, day(2019, 3, 4)));
  EXPECT_EQ(ls("People"), (Names{"Anna", "Ben"}));
  EXPECT_EQ(ls("People/Ben"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("Dates/2019/03"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  EXPECT_EQ(attribute("Library/a.jpg", "user.shoebox.people"), "Anna\nBen");
  check_all();
}

TEST_F(TreeSidecarsTest, BothNamesOfASidecarAndBothOrdersOfArrivalWork) {
  const InodeNo early = write("Library/x/a.xmp", "x");
  EXPECT_EQ(*tree_->sidecar_wanted(inode(early).content), "");
  decode_wanted_.clear();
  const InodeNo a = write("Library/x/a.JPG", "a");
  // Its sidecar stood there before: it is asked for when the photo comes.
  EXPECT_EQ(decode_wanted_, std::vector{inode(early).content});
  read(inode(early).content, facts({"Ben"}));
  EXPECT_EQ(ls("People"), Names{});
  ASSERT_TRUE(tree_->photo_decoded(inode(a).content, photo_info(day(2023, 7, 14))));
  EXPECT_EQ(ls("People/Ben"), (Names{"a.JPG", "a.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, ADateThatMeansLessThanTheFilesOwnDoesNotCount) {
  MediaInfo exif = photo_info(day(2023, 7, 14));
  exif.date_is_original = true;
  photo_file("Library/a.jpg", "a", exif);
  const InodeNo written = sidecar("Library/a.jpg.xmp", "x", facts({}, day(2019, 3, 4), false));
  EXPECT_EQ(ls("Dates"), Names{"2023"});
  const ContentNo second = commit(written, "y");
  seal(second, "y");
  read(second, facts({}, day(2019, 3, 4), true));
  EXPECT_EQ(ls("Dates"), Names{"2019"});
  check_all();
}

TEST_F(TreeSidecarsTest, AChangedSidecarReplacesWhatItSaid) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Anna"}));
  const InodeNo written = sidecar("Library/a.jpg.xmp", "x", facts({"Ben"}, day(2019, 3, 4)));
  const ContentNo second = commit(written, "y");
  EXPECT_EQ(ls("Dates"), Names{"2023"});  // not read yet: what it said is over
  EXPECT_EQ(*tree_->sidecar_wanted(second), "a.jpg.xmp");
  seal(second, "y");
  read(second, facts({"Carl"}));
  EXPECT_EQ(ls("People/Ben"), Names{});
  EXPECT_EQ(ls("People/Carl"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("People/Anna"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, ADateStatedAgainstASidecarStaysWhenTheSidecarIsRewritten) {
  photo_file("Library/a.jpg", "a");  // July 2023 by itself
  const InodeNo number = sidecar("Library/a.jpg.xmp", "x", facts({}, day(2016, 1, 2)));
  EXPECT_EQ(ls("Dates"), Names{"2016"});
  ASSERT_TRUE(tree_->setxattr(find("Library/a.jpg"), "user.shoebox.date", "2023-07", {}));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "a.jpg.xmp"}));
  seal(commit(number, "y"), "y");
  EXPECT_EQ(attribute("Library/a.jpg", "user.shoebox.date"), "2023-07");
  read(inode(number).content, facts({}, day(2016, 2, 2)));
  EXPECT_EQ(attribute("Library/a.jpg", "user.shoebox.date"), "2023-07");
  EXPECT_EQ(ls("Dates"), Names{"2023"});
  check_all();
}

TEST_F(TreeSidecarsTest, ADateStatedAgainstASidecarStaysWhateverHappensBeforeTheSidecarIsRead) {
  for (const std::string happens : {"copied", "renamed in Dates", "mtime set"}) {
    SCOPED_TRACE(happens);
    const std::string path = "Library/" + happens.substr(0, 1) + ".jpg";
    const auto set_mtime = [&](int64_t seconds) {
      AttributeChange change;
      change.mtime = Timestamp{seconds, 0};
      ASSERT_TRUE(tree_->setattr(find(path), change, caller_).is_ok());
    };
    photo_file(path, path, photo_info());
    set_mtime(1689328800);  // July 2023, as far as is known by itself
    const InodeNo number = sidecar(path + ".xmp", "x of " + path, facts({}, day(2016, 1, 2)));
    ASSERT_TRUE(tree_->setxattr(find(path), "user.shoebox.date", "2023-07", {}));
    seal(commit(number, "y of " + path), "y of " + path);
    if (happens == "copied") write("Library/copy.jpg", path);
    if (happens == "renamed in Dates") {
      ASSERT_EQ(mv("Dates/2023/07/r.jpg", "Dates/2023/07/rr.jpg"), Code::kOk) << last_message_;
    }
    if (happens == "mtime set") set_mtime(1689328800 + 86400);
    read(inode(number).content, facts({}, day(2016, 2, 2)));
    EXPECT_EQ(attribute(path, "user.shoebox.date"), "2023-07");
    EXPECT_EQ(ls("Dates"), Names{"2023"});
    check_all();
  }
}

TEST_F(TreeSidecarsTest, ASidecarWrittenBesideItAndRenamedOverItIsRead) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14)));
  sidecar("Library/a.jpg.xmp", "x", facts({"Ben"}));
  const InodeNo next = write("Library/a.jpg.xmp_exiftool_tmp", "y");
  decode_wanted_.clear();
  ASSERT_EQ(mv("Library/a.jpg.xmp_exiftool_tmp", "Library/a.jpg.xmp"), Code::kOk);
  EXPECT_EQ(decode_wanted_, std::vector{inode(next).content});
  read(inode(next).content, facts({"Carl"}));
  EXPECT_EQ(ls("People/Ben"), Names{});
  EXPECT_EQ(ls("People/Carl"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, ARemovedSidecarSaysNoMoreUntilItIsRestored) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Anna"}));
  sidecar("Library/a.jpg.xmp", "x", facts({"Ben"}, day(2019, 3, 4)));
  ASSERT_EQ(rm("Library/a.jpg.xmp"), Code::kOk);
  EXPECT_EQ(ls("People/Ben"), Names{});
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  EXPECT_FALSE(photo(inode("Library/a.jpg").photo).file_info);
  ASSERT_EQ(mv("Trash/a.jpg.xmp", "Library/a.jpg.xmp"), Code::kOk);
  read(inode("Library/a.jpg.xmp").content, facts({"Ben"}, day(2019, 3, 4)));
  EXPECT_EQ(ls("Dates/2019/03"), (Names{"a.jpg", "a.jpg.xmp"}));
  // Also where it is deleted in a view: the Delete key in Dates.
  ASSERT_EQ(rm("Dates/2019/03/a.jpg.xmp"), Code::kOk);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"a.jpg"});
  check_all();
}

TEST_F(TreeSidecarsTest, ASidecarMovedAwayFromItsPhotoSaysNoMore) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14)));
  sidecar("Library/a.jpg.xmp", "x", facts({"Ben"}));
  ASSERT_EQ(mkdir("Library/away"), Code::kOk);
  ASSERT_EQ(mv("Library/a.jpg.xmp", "Library/away/a.jpg.xmp"), Code::kOk);
  EXPECT_EQ(ls("People/Ben"), Names{});
  ASSERT_EQ(mv("Library/a.jpg", "Library/away/a.jpg"), Code::kOk);
  read(inode("Library/away/a.jpg.xmp").content, facts({"Ben"}));
  EXPECT_EQ(ls("People/Ben"), (Names{"a.jpg", "a.jpg.xmp"}));
  ASSERT_EQ(mv("Library/away", "Library/renamed"), Code::kOk);
  EXPECT_EQ(ls("People/Ben"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, ASidecarWrittenInAViewCounts) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14)));
  sidecar("Dates/2023/07/a.jpg.xmp", "x", facts({"Ben"}));
  EXPECT_EQ(ls("People/Ben"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("Library"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, ASidecarWrittenInDatesFollowsItsPhotoWhenTheDateChanges) {
  photo_file("Dates/2023/07/a.jpg", "a");
  sidecar("Dates/2023/07/a.jpg.xmp", "x", facts({"Ben"}));
  ASSERT_TRUE(tree_->setxattr(find("Library/2023/07/a.jpg"), "user.shoebox.date", "2019-03", {}));
  EXPECT_EQ(ls("Dates/2019/03"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("Dates"), Names{"2019"}) << "nothing is left behind";
  EXPECT_EQ(ls("Library/2023/07"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(attribute("Library/2023/07/a.jpg", "user.shoebox.people"), "Ben");
  check_all();
}

TEST_F(TreeSidecarsTest, ASidecarOfARawAndItsJpegCountsForBoth) {
  photo_file("Library/a.cr2", "raw", photo_info(day(2023, 7, 14)));
  photo_file("Library/a.jpg", "jpg", photo_info(day(2023, 7, 14)));
  sidecar("Library/a.xmp", "x", facts({"Ben"}));
  EXPECT_EQ(ls("People/Ben"), (Names{"a.cr2", "a.jpg", "a.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, WhatPeopleSaidStandsOverTheSidecar) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14)));
  const InodeNo written = sidecar("Library/a.jpg.xmp", "x", facts({"Ben"}));
  ASSERT_EQ(rm("People/Ben/a.jpg"), Code::kOk);
  const ContentNo second = commit(written, "y");
  seal(second, "y");
  read(second, facts({"Ben", "Carl"}));
  EXPECT_EQ(ls("People/Ben"), Names{});
  EXPECT_EQ(ls("People/Carl"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, AnEditedPhotoKeepsWhatItsSidecarSays) {
  const InodeNo a = photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Anna"}));
  sidecar("Library/a.jpg.xmp", "x", facts({"Ben"}));
  const ContentNo edited = commit(a, "edited");
  seal(edited, "edited");
  ASSERT_TRUE(tree_->photo_decoded(edited, photo_info(day(2023, 7, 14), {})));
  EXPECT_EQ(ls("People/Anna"), Names{});
  EXPECT_EQ(ls("People/Ben"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, WhoEmptiesAFolderFindsSidecarsThatLeftWithTheirPhoto) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14), {"Anna"}));
  write("Library/a.jpg.xmp", "x");
  write("Library/a.AAE", "y");
  const InodeNo folder = find("People/Anna");
  ASSERT_EQ(ls("People/Anna"), (Names{"a.AAE", "a.jpg", "a.jpg.xmp"}));
  // The order in which rm -r goes through the names.
  EXPECT_EQ(rm("People/Anna/a.AAE"), Code::kOk);
  EXPECT_EQ(rm("People/Anna/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("People/Anna"), Names{});
  const auto shown = tree_->lookup(folder, "a.jpg.xmp", caller_.pid);
  ASSERT_TRUE(shown.is_ok());
  EXPECT_TRUE(shown->departing);
  EXPECT_EQ(tree_->lookup(folder, "a.jpg.xmp", caller_.pid + 1).code(), Code::kNotFound);
  EXPECT_EQ(tree_->lookup(folder, "a.jpg.xmp").code(), Code::kNotFound);
  EXPECT_EQ(rm("People/Anna/a.jpg.xmp"), Code::kOk);
  EXPECT_EQ(rm("People/Anna/a.jpg.xmp"), Code::kNotFound);  // once
  EXPECT_EQ(rmdir("People/Anna"), Code::kOk);
  EXPECT_EQ(ls("Library"), (Names{"a.AAE", "a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, RmInDatesTakesTheSidecarAlongAndRestoringBringsItBack) {
  const InodeNo a = photo_file("Library/Trip/a.jpg", "a");
  write("Library/Trip/a.jpg.xmp", "x");
  write("Library/Trip/b.jpg.xmp", "of another");
  ASSERT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "a.jpg.xmp"}));
  const InodeNo folder = find("Dates/2023/07");
  const InodeNo year = find("Dates/2023");
  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library/Trip"), Names{"b.jpg.xmp"});
  EXPECT_EQ(ls("Trash"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_EQ(ls("Dates"), Names{});
  check_all();
  // What `rm -r Dates/2023` does next.
  EXPECT_EQ(code(tree_->unlink(folder, "a.jpg.xmp", caller_)), Code::kOk);
  EXPECT_EQ(code(tree_->rmdir(year, "07", caller_)), Code::kOk);
  EXPECT_EQ(rmdir("Dates/2023"), Code::kOk);
  EXPECT_EQ(rmdir("Dates/2023"), Code::kNotFound);  // once

  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(ls("Trash"), Names{});
  EXPECT_EQ(ls("Library/Trip"), (Names{"a.jpg", "a.jpg.xmp", "b.jpg.xmp"}));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "a.jpg.xmp"}));
  EXPECT_NE(find("Library/Trip/a.jpg"), a);
  check_all();

  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  ASSERT_EQ(mv("Trash/a.jpg", "Library/new.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library"), (Names{"Trip", "new.jpg", "new.jpg.xmp"}));
  EXPECT_EQ(ls("Trash"), Names{});
  check_all();
}

TEST_F(TreeSidecarsTest, ASidecarStaysWithThePhotosThatStay) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14)));
  photo_file("Library/a.cr2", "raw", photo_info(day(2023, 8, 1)));
  write("Library/a.xmp", "x");
  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library"), (Names{"a.cr2", "a.xmp"}));
  EXPECT_EQ(ls("Dates/2023/08"), (Names{"a.cr2", "a.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, RmOfAPhotoInLibraryLeavesItsSidecarThere) {
  photo_file("Library/a.jpg", "a");
  write("Library/a.jpg.xmp", "x");
  ASSERT_EQ(rm("Library/a.jpg"), Code::kOk);
  EXPECT_EQ(ls("Library"), Names{"a.jpg.xmp"});
  ASSERT_TRUE(tree_->trash_restore(find("Trash/a.jpg"), caller_));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, AFolderOfDatesGoesToTrashWithItsSidecars) {
  photo_file("Library/a.jpg", "a");
  write("Library/a.jpg.xmp", "x");
  ASSERT_EQ(mv("Dates/2023/07", "Trash/07"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Library"), Names{});
  EXPECT_EQ(ls("Trash/07"), (Names{"a.jpg", "a.jpg.xmp"}));
  check_all();
  ASSERT_EQ(mv("Trash/07/a.jpg", "Library/b.jpg"), Code::kOk) << last_message_;
  EXPECT_EQ(ls("Library"), (Names{"b.jpg", "b.jpg.xmp"}));
  EXPECT_EQ(ls("Dates/2023/07"), (Names{"b.jpg", "b.jpg.xmp"}));
  check_all();
}

TEST_F(TreeSidecarsTest, OtherPeopleDoNotSeeFoldersOfDatesThatWent) {
  photo_file("Library/a.jpg", "a");
  const InodeNo year = find("Dates/2023");
  const InodeNo month = find("Dates/2023/07");
  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  const auto shown = tree_->lookup(kDatesInode, "2023", caller_.pid);
  ASSERT_TRUE(shown.is_ok());
  EXPECT_TRUE(shown->departing);
  EXPECT_EQ(shown->number, year);
  EXPECT_EQ(tree_->lookup(year, "07", caller_.pid)->number, month);
  EXPECT_TRUE(tree_->getattr(month, caller_.pid).is_ok());
  EXPECT_EQ(tree_->lookup(kDatesInode, "2023", caller_.pid + 1).code(), Code::kNotFound);
  EXPECT_EQ(tree_->getattr(month, caller_.pid + 1).code(), Code::kNotFound);
  EXPECT_EQ(code(tree_->rmdir(kDatesInode, "2023", {.uid = 1000, .gid = 1000, .pid = caller_.pid + 1})),
            Code::kNotFound);
  EXPECT_EQ(ls("Dates"), Names{});
}

TEST_F(TreeSidecarsTest, AFolderOfDatesStandsAgainForWhoEmptiedItAndPutsSomethingThere) {
  photo_file("Library/a.jpg", "a");
  const InodeNo month = find("Dates/2023/07");
  ASSERT_EQ(rm("Dates/2023/07/a.jpg"), Code::kOk);
  const Caller other{.uid = 1000, .gid = 1000, .pid = caller_.pid + 1};
  EXPECT_EQ(tree_->create(month, "b.jpg", S_IFREG | 0644, other).status().code(), Code::kNotFound);
  EXPECT_EQ(ls("Dates"), Names{});
  ASSERT_TRUE(tree_->create(month, "b.jpg", S_IFREG | 0644, caller_).is_ok());
  EXPECT_EQ(find("Dates/2023/07"), month);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"b.jpg"});
  check_all();
  // Somebody else made one meanwhile: it is not displaced.
  ASSERT_EQ(rm("Dates/2023/07/b.jpg"), Code::kOk);
  photo_file("Library/c.jpg", "c");
  ASSERT_NE(find("Dates/2023/07"), month);
  EXPECT_EQ(tree_->create(month, "d.jpg", S_IFREG | 0644, caller_).status().code(), Code::kNotFound);
  EXPECT_EQ(ls("Dates/2023/07"), Names{"c.jpg"});
  check_all();
}

TEST_F(TreeSidecarsTest, OtherSidecarsSayNothing) {
  photo_file("Library/a.jpg", "a", photo_info(day(2023, 7, 14)));
  for (const char* path : {"Library/a.AAE", "Library/a.jpg.json", "Library/b.xmp"}) {
    const InodeNo other = write(path, path);
    EXPECT_EQ(*tree_->sidecar_wanted(inode(other).content), "") << path;
  }
  EXPECT_TRUE(photo(inode("Library/a.jpg").photo).sidecars.empty());
  check_all();
}

}  // namespace
}  // namespace shoebox
