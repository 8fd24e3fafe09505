#include <gmock/gmock.h>

#include "store/evictor.h"
#include "store/lost_copies.h"
#include "tests/unit/fs/command/fake_world.h"

namespace shoebox {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ImportTest : public testing::FakeWorld {
 protected:
  json import(json arguments = json::object()) {
    arguments["folder"] = dir.path("card");
    Result<json> result = ask("import", arguments);
    EXPECT_TRUE(result) << result.status().message();
    settle();
    return result ? *result : json::object();
  }
};

TEST_F(ImportTest, KeepsRelativePathsBytesModesAndTimes) {
  put("DCIM/100/IMG_1.jpg", "one");
  put("notes.txt", "text");
  const std::string source = dir.path("card/DCIM/100/IMG_1.jpg");
  const timespec times[2] = {{1000, 5}, {1'500'000'000, 123'456'789}};
  ASSERT_EQ(::utimensat(AT_FDCWD, source.c_str(), times, 0), 0);
  ASSERT_EQ(::chmod(source.c_str(), 0640), 0);
  const json result = import();
  EXPECT_EQ(result["imported"], 2) << result.dump();
  EXPECT_EQ(*read("Library/DCIM/100/IMG_1.jpg"), "one");
  EXPECT_EQ(*read("Library/notes.txt"), "text");
  const Result<Entry> entry = library->tree().resolve("Library/DCIM/100/IMG_1.jpg");
  ASSERT_TRUE(entry);
  EXPECT_EQ(entry->inode.mtime, (Timestamp{1'500'000'000, 123'456'789}));
  EXPECT_EQ(entry->inode.mode & 0777, 0640U);
}

TEST_F(ImportTest, TheKernelIsToldOfEveryNameAsItAskedForNone) {
  put("new/a.jpg", "one");
  import();
  std::vector<std::string> added;
  const std::lock_guard lock(told_mutex);
  for (const Change::Name& name : told) {
    EXPECT_FALSE(name.kernel_knows) << name.name;
    if (!name.removed) added.push_back(name.name);
  }
  EXPECT_THAT(added, ::testing::IsSupersetOf({"new", "a.jpg"}));
}

TEST_F(ImportTest, ASecondRunCopiesNothing) {
  put("a.jpg", "one");
  put("b/c.jpg", "two");
  import();
  const json again = import();
  EXPECT_EQ(again["imported"], 0) << again.dump();
  EXPECT_EQ(again["already_there"], 2);
}

TEST_F(ImportTest, ASecondRunGoesOnWhereTheFirstStopped) {
  put("a.jpg", "one");
  import();
  put("b.jpg", "two");
  const json again = import();
  EXPECT_EQ(again["imported"], 1);
  EXPECT_EQ(again["already_there"], 1);
}

TEST_F(ImportTest, AKnownPhotoIsSkippedAndSaidWhere) {
  put("a.jpg", "same bytes");
  import();
  std::filesystem::remove(dir.path("card/a.jpg"));
  put("copy/of a.jpg", "same bytes");
  const json result = import();
  EXPECT_EQ(result["known"], 1) << result.dump();
  ASSERT_EQ(result["list"].size(), 1U);
  EXPECT_THAT(result["list"][0]["why"].get<std::string>(), HasSubstr("Library/a.jpg"));
}

TEST_F(ImportTest, AKnownPhotoJoinsTheAlbumThatItIsImportedInto) {
  put("a.jpg", "same bytes");
  import();
  put("x/b.jpg", "same bytes");
  std::filesystem::remove(dir.path("card/a.jpg"));
  const json result = import({{"into", "Albums/Trip"}});
  EXPECT_EQ(result["known"], 1) << result.dump();
  EXPECT_EQ(result["imported"], 0);
  const Result<Entry> entry = library->tree().resolve("Albums/Trip/x/b.jpg");
  ASSERT_TRUE(entry) << entry.status().message();
  EXPECT_EQ(entry->number, library->tree().resolve("Library/a.jpg")->number);
  EXPECT_EQ(import({{"into", "Albums/Trip"}})["already_there"], 1);
  put("x/c.jpg", "same bytes");
  EXPECT_EQ(import({{"into", "Albums/Trip"}})["known"], 1);
  EXPECT_FALSE(library->tree().resolve("Albums/Trip/x/c.jpg")) << "it is in there already";
}

TEST_F(ImportTest, TwoEqualPhotosOnOneCardAreImportedOnce) {
  put("a.jpg", "same bytes");
  put("b.jpg", "same bytes");
  const json result = import();
  EXPECT_EQ(result["imported"], 1) << result.dump();
  EXPECT_EQ(result["known"], 1);
}

TEST_F(ImportTest, EqualSidecarsAllStayBesideTheirPhotos) {
  put("a/1.xmp", "<x/>");
  put("b/1.xmp", "<x/>");
  EXPECT_EQ(import()["imported"], 2);
}

TEST_F(ImportTest, OtherBytesUnderATakenNameGetANumberAndReplaceNothing) {
  put("IMG_1.jpg", "first camera");
  import();
  put("IMG_1.jpg", "second camera!");
  const json result = import();
  EXPECT_EQ(result["imported"], 1);
  EXPECT_EQ(*read("Library/IMG_1.jpg"), "first camera");
  EXPECT_EQ(*read("Library/IMG_1 (2).jpg"), "second camera!");
  EXPECT_NE(result.dump().find("\"Library/IMG_1 (2).jpg\""), std::string::npos) << result.dump();
  EXPECT_EQ(import()["already_there"], 1);
}

TEST_F(ImportTest, TellsWhatItSkippedAndWhy) {
  put("a.jpg", "one");
  put("Thumbs.db", "junk");
  put(".hidden/x.jpg", "hidden");
  std::filesystem::create_symlink("a.jpg", dir.path("card/link.jpg"));
  ASSERT_EQ(::mkfifo(dir.path("card/pipe").c_str(), 0600), 0);
  const json result = import();
  EXPECT_EQ(result["imported"], 1);
  EXPECT_EQ(result["skipped"], 4) << result.dump();
  EXPECT_THAT(result["list"].dump(),
              ::testing::AllOf(HasSubstr("a symbolic link"), HasSubstr("no regular file"),
                               HasSubstr("hidden folder"), HasSubstr("desktop's own")));
}

TEST_F(ImportTest, OddNamesArriveAsTheyAre) {
  const std::string odd = "new\nline \xFF\\ [x].jpg";
  put(odd, "odd");
  EXPECT_EQ(import()["imported"], 1);
  EXPECT_EQ(*read("Library/" + odd), "odd");
}

TEST_F(ImportTest, IntoAnAlbumPutsThemInTheAlbum) {
  put("a.jpg", "one");
  EXPECT_EQ(import({{"into", "Albums/Trip"}})["imported"], 1);
  EXPECT_EQ(*read("Albums/Trip/a.jpg"), "one");
  EXPECT_TRUE(library->tree().resolve("Library/2023/07/a.jpg")) << "and has a home";
}

TEST_F(ImportTest, MoveDeletesWhatIsBackedUp) {
  put("sub/a.jpg", "one");
  put("b.jpg", "two");
  const json result = import({{"move", true}});
  EXPECT_EQ(result["moved"], 2) << result.dump();
  EXPECT_TRUE(std::filesystem::is_empty(dir.path("card")))
      << "empty folders go as well, the card's root stays";
  EXPECT_EQ(*read("Library/sub/a.jpg"), "one");
}

TEST_F(ImportTest, MoveDeletesNothingThatNoRemoteConfirmed) {
  put("a.jpg", "one");
  remote_side->refuses = Status(Code::kNoSpace, "the remote is full");
  const json result = import({{"move", true}});
  EXPECT_EQ(result["moved"], 0);
  EXPECT_TRUE(std::filesystem::exists(dir.path("card/a.jpg")));
  EXPECT_THAT(result["list"].dump(), HasSubstr("the remote is full"));
}

TEST_F(ImportTest, MoveKeepsASourceWhoseBytesAreNotTheLibrarys) {
  put("a.jpg", "one");
  import();
  const Result<Entry> entry = library->tree().resolve("Library/a.jpg");
  ASSERT_TRUE(entry);
  put("a.jpg", "two");  // same size; and the same time, as a camera whose clock stands still would set
  const timespec times[2] = {{0, 0}, {entry->inode.mtime.seconds, entry->inode.mtime.nanoseconds}};
  ASSERT_EQ(::utimensat(AT_FDCWD, dir.path("card/a.jpg").c_str(), times, 0), 0);
  const json result = import({{"move", true}});
  EXPECT_EQ(result["moved"], 0) << result.dump();
  EXPECT_TRUE(std::filesystem::exists(dir.path("card/a.jpg")));
}

TEST_F(ImportTest, MoveDeletesNoBackup) {
  put("a.jpg", "one");
  ASSERT_TRUE(remote_side->wait(CancelToken(), [](const auto&) {}));
  put(".shoebox/remote", "marks the folder of a remote");
  const Result<json> whole = ask("import", {{"folder", dir.path("card")}, {"move", true}});
  EXPECT_THAT(whole.status().message(), HasSubstr(dir.path("card") + " is a backup"));
  put("Library/b.jpg", "two");
  EXPECT_FALSE(ask("import", {{"folder", dir.path("card/Library")}, {"move", true}})) << "a part of it";
  std::filesystem::create_symlink(dir.path("card/Library"), dir.path("link"));
  EXPECT_FALSE(ask("import", {{"folder", dir.path("link")}, {"move", true}}));
  EXPECT_EQ(import()["imported"], 2) << "without --move nothing is deleted";

  std::filesystem::rename(dir.path("card"), dir.path("disk"));
  std::filesystem::create_directory(dir.path("card"));
  std::filesystem::rename(dir.path("disk"), dir.path("card/backup"));
  put("c.jpg", "three");
  const json around = import({{"move", true}});
  EXPECT_EQ(around["moved"], 1) << around.dump();
  EXPECT_TRUE(std::filesystem::exists(dir.path("card/backup/a.jpg")));
  EXPECT_THAT(around["list"].dump(), HasSubstr("a backup of Shoebox"));
}

// Names and bytes there are encrypted: nothing but the settings tells.
TEST_F(ImportTest, MoveDeletesNothingOfWhatTheSettingsNameAsRemote) {
  std::filesystem::create_directories(dir.path("nas/x"));
  std::ofstream(dir.path("nas/x/enc"), std::ios::binary) << "encrypted";
  EXPECT_FALSE(ask("import", {{"folder", dir.path("nas/x")}, {"move", true}}));
  const json around = must("import", {{"folder", dir.path()}, {"move", true}});
  EXPECT_EQ(around["moved"], 0) << around.dump();
  EXPECT_TRUE(std::filesystem::exists(dir.path("nas/x/enc")));
}

// The card has the last copy there is.
TEST_F(ImportTest, MoveKeepsTheBytesOfAPhotoThatItsRemoteLost) {
  const std::string bytes(1 << 20, 'x');
  put("a.jpg", bytes);
  ASSERT_EQ(import({{"move", true}})["moved"], 1);
  const ContentNo content = content_of("Library/a.jpg");
  for (const char* path : {"a.jpg", "elsewhere/b.jpg"}) {
    ASSERT_TRUE(library->evictor().evict(content));
    remote_side->held.clear();
    ASSERT_TRUE(note_lost_copies(library->catalog(), {{{content, "nas"}, true}}));
    put(path, bytes);
    const json later = import();
    EXPECT_EQ(later["imported"], 0) << "it is known: " << later.dump();
    EXPECT_EQ(*read("Library/a.jpg"), bytes) << "here again";
    EXPECT_TRUE(lost_copies_of(library->catalog(), content)->empty());
    EXPECT_FALSE(library->evictor().evict(content)) << "before it was sent again";
    EXPECT_EQ(import({{"move", true}})["moved"], 1);
    EXPECT_EQ(remote_side->held[content.value], bytes) << "sent again";
  }
}

TEST_F(ImportTest, MoveKeepsASourceWhoseCopyIsKnownToBeLostThoughItsBytesCannotComeBack) {
  const std::string bytes(1 << 20, 'x');
  put("a.jpg", bytes);
  ASSERT_EQ(import()["imported"], 1);
  ASSERT_TRUE(remote_side->wait(CancelToken(), [](const auto&) {}));
  const ContentNo content = content_of("Library/a.jpg");
  ASSERT_TRUE(library->evictor().evict(content));
  ASSERT_TRUE(note_lost_copies(library->catalog(), {{{content, "nas"}, true}}));
  std::string other = bytes;
  other[300'000] = 'y';  // same size and time, other bytes
  const auto time = std::filesystem::last_write_time(dir.path("card/a.jpg"));
  put("a.jpg", other);
  std::filesystem::last_write_time(dir.path("card/a.jpg"), time);
  EXPECT_EQ(import({{"move", true}})["moved"], 0);
  EXPECT_TRUE(std::filesystem::exists(dir.path("card/a.jpg")));
}

// As a list of lost copies that is full tells it: not of each.
TEST_F(ImportTest, WhatARemoteMayHaveLostBeyondTheListComesBackToo) {
  const std::string bytes(1 << 20, 'x');
  put("a.jpg", bytes);
  ASSERT_EQ(import({{"move", true}})["moved"], 1);
  const ContentNo content = content_of("Library/a.jpg");
  ASSERT_TRUE(library->evictor().evict(content));
  {
    const std::unique_ptr<Transaction> txn = library->catalog().begin();
    std::string lost;
    for (int number = 0; number < 10'000; ++number) lost += std::to_string(1'000'000 + number) + " nas\n";
    txn->put_meta("copies.lost", lost);
    ASSERT_TRUE(txn->commit());
  }
  put("a.jpg", bytes);
  EXPECT_EQ(import()["imported"], 0);
  EXPECT_TRUE(library->contents().open_local(content)) << "whole again";
  EXPECT_FALSE(library->evictor().evict(content)) << "before it was sent again";
  EXPECT_TRUE(lost_copies_of(library->catalog(), content)->empty());
}

// What the disk spoiled stays as good as it is when the file on the card is another one.
TEST_F(ImportTest, OtherBytesOfTheSameSizeAndTimeTakeNothingFromAPhotoThatItsRemoteLost) {
  const std::string bytes(1 << 20, 'x');
  put("a.jpg", bytes);
  ASSERT_EQ(import()["imported"], 1);
  ASSERT_TRUE(remote_side->wait(CancelToken(), [](const auto&) {}));
  const ContentNo content = content_of("Library/a.jpg");
  ASSERT_TRUE(note_lost_copies(library->catalog(), {{{content, "nas"}, true}}));
  {
    const Result<UniqueFd> fd = library->contents().open_local(content);
    ASSERT_TRUE(fd);
    const std::string object = std::filesystem::read_symlink("/proc/self/fd/" + std::to_string(fd->get()));
    std::fstream file(object, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(300'000);
    file << "spoiled";
  }
  const auto time = std::filesystem::last_write_time(dir.path("card/a.jpg"));
  put("a.jpg", std::string(1 << 20, 'y'));
  std::filesystem::last_write_time(dir.path("card/a.jpg"), time);
  EXPECT_EQ(import()["already_there"], 1);
  EXPECT_TRUE(library->contents().open_local(content)) << "all but a few bytes of it";
}

TEST_F(ImportTest, WhatIsKnownToBeSpoiledKeepsNoGoodBytesOut) {
  put("a.jpg", "one");
  ASSERT_EQ(import()["imported"], 1);
  ASSERT_TRUE(library->outbox().damaged(content_of("Library/a.jpg"), "nas"));
  const json later = import();
  EXPECT_EQ(later["imported"], 1) << later.dump();
  EXPECT_EQ(*read("Library/a (2).jpg"), "one");
  EXPECT_EQ(import()["already_there"], 1) << "once is enough";
}

TEST_F(ImportTest, MoveWhileTheBackupIsPausedIsRefusedBeforeAnythingIsCopied) {
  put("a.jpg", "one");
  remote_side->paused = true;
  const Result<json> result = ask("import", {{"folder", dir.path("card")}, {"move", true}});
  ASSERT_FALSE(result);
  EXPECT_THAT(result.status().message(), HasSubstr("paused"));
  EXPECT_FALSE(library->tree().resolve("Library/a.jpg"));
}

TEST_F(ImportTest, WhatLeftForTrashIsImportedAgain) {
  put("a.jpg", "one");
  import();
  ASSERT_TRUE(library->tree().unlink(kLibraryInode, "a.jpg", Caller{}));
  const json again = import();
  EXPECT_EQ(again["imported"], 1) << again.dump();
}

TEST_F(ImportTest, TheLibraryItselfIsNoSource) {
  EXPECT_FALSE(ask("import", {{"folder", library->path()}}));
  EXPECT_FALSE(ask("import", {{"folder", dir.path("nowhere")}}));
  EXPECT_FALSE(ask("import", {{"folder", "relative"}}));
}

TEST_F(ImportTest, AnInterruptedImportLeavesNoHalfFile) {
  put("a.jpg", std::string(3 << 20, 'x'));
  cancel.cancel();
  const Result<json> result = ask("import", {{"folder", dir.path("card")}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.code(), Code::kCancelled);
  EXPECT_FALSE(*library->catalog().has_entries(kLibraryInode));
}

}  // namespace
}  // namespace shoebox
