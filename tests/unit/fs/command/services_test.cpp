#include <gmock/gmock.h>

#include "fs/command/base64.h"
#include "fs/command/verb.h"
#include "store/evictor.h"
#include "store/thumbnails/thumbnails.h"
#include "tests/unit/fs/command/fake_world.h"

namespace shoebox {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

class ServicesTest : public testing::FakeWorld {
 protected:
  // 1 MiB, so that eviction has something to let go of.
  std::string big(char fill) { return std::string(1 << 20, fill); }
  void import_and_back_up() {
    ASSERT_TRUE(ask("import", {{"folder", dir.path("card")}}));
    settle();
    ASSERT_TRUE(ask("backup wait"));
  }
};

TEST_F(ServicesTest, StatusCountsPhotosAndUploads) {
  put("a.jpg", "one");
  put("b.jpg", "three");
  ASSERT_TRUE(ask("import", {{"folder", dir.path("card")}}));
  settle();
  json status = must("status");
  EXPECT_EQ(status["photos"], 2) << status.dump(2);
  EXPECT_EQ(status["remotes"][0]["pending_files"], 2);
  EXPECT_EQ(status["remotes"][0]["pending_bytes"], 8);
  ASSERT_TRUE(ask("backup wait"));
  status = must("status");
  EXPECT_EQ(status["remotes"][0]["pending_files"], 0);
  EXPECT_EQ(status["remotes"][0]["backed_up_files"], 2);
}

TEST_F(ServicesTest, PauseResumeAndNowReachSync) {
  EXPECT_EQ((must("backup pause"))["remotes"][0]["paused"], true);
  EXPECT_EQ((must("backup resume"))["remotes"][0]["paused"], false);
  ASSERT_TRUE(ask("backup now"));
  EXPECT_EQ(remote_side->hurried, 1);
}

TEST_F(ServicesTest, BackupNowWithoutAMountUploadsEverything) {
  put("a.jpg", "one");
  ASSERT_TRUE(ask("import", {{"folder", dir.path("card")}}));
  settle();
  EXPECT_EQ(must("backup now")["remotes"][0]["pending_files"], 1);  // the mount goes on with it
  mounted = false;
  interim.clear();
  const json result = must("backup now");
  EXPECT_EQ(remote_side->hurried, 2);
  EXPECT_EQ(result["remotes"][0]["pending_files"], 0) << result.dump(2);
  EXPECT_FALSE(interim.empty());
  remote_side->refuses = Status(Code::kAccess, "the keys are wrong");
  EXPECT_FALSE(ask("backup now"));
}

TEST_F(ServicesTest, EvictLetsGoOfAFolderOfAViewAndKeepsWhatIsNotBackedUp) {
  put("a.jpg", big('a'));
  import_and_back_up();
  put("b.jpg", big('b'));
  ASSERT_TRUE(ask("import", {{"folder", dir.path("card")}}));
  settle();
  const json result = must("evict", {{"paths", {"Dates"}}});
  EXPECT_EQ(result["evicted"], 1) << result.dump(2);
  EXPECT_GT(result["freed_bytes"], 500'000);
  ASSERT_EQ(result["kept_count"], 1);
  EXPECT_THAT(result["kept"][0]["path"].get<std::string>(), HasSubstr("b.jpg"));
}

TEST_F(ServicesTest, EvictTellsWhatStaysWholeAsItIsSmall) {
  put("a.jpg", "small");
  put("b.jpg", "as well");
  import_and_back_up();
  const Verb verb = evict_verb();
  const json small = must("evict", {{"paths", {"Library"}}});
  EXPECT_EQ(small["evicted"], 0) << small.dump(2);
  EXPECT_EQ(small["small"], 2);
  EXPECT_EQ(verb.exit_code(small), 1) << "nothing of it could go";
  ::testing::internal::CaptureStdout();
  verb.print(small, {{"paths", {"Library"}}});
  EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("2 of 256 KiB or less stay whole"));
  put("c.jpg", big('c'));
  import_and_back_up();
  EXPECT_EQ(verb.exit_code(must("evict", {{"paths", {"Library"}}})), 0);
  const json again = must("evict", {{"paths", {"Library"}}});
  EXPECT_EQ(again["gone"], 1) << again.dump(2);
  EXPECT_EQ(again["small"], 2);
  EXPECT_EQ(verb.exit_code(again), 0) << "it is as was asked for";
}

TEST_F(ServicesTest, EvictAllAndOlder) {
  put("a.jpg", big('a'));
  import_and_back_up();
  EXPECT_EQ((must("evict", {{"older", "30d"}}))["evicted"], 0);
  EXPECT_EQ((must("evict", {{"all", true}}))["evicted"], 1);
  EXPECT_FALSE(ask("evict"));
  EXPECT_FALSE(ask("evict", {{"all", true}, {"older", "1d"}}));
  EXPECT_FALSE(ask("evict", {{"older", "soon"}}));
}

TEST_F(ServicesTest, APathThatIsNotThereIsNamed) {
  const Result<json> result = ask("evict", {{"paths", {"Albums/Tripp"}}});
  ASSERT_FALSE(result);
  EXPECT_EQ(result.status().message(), "Albums/Tripp: no such file or folder");
}

TEST_F(ServicesTest, ArgumentsOfAWrongTypeAreRefused) {
  EXPECT_FALSE(ask("evict", {{"paths", 7}}));
  EXPECT_FALSE(ask("evict", {{"paths", {1, 2}}}));
  EXPECT_FALSE(ask("evict", {{"all", "yes"}}));
  EXPECT_FALSE(ask("thumbnail", {{"path", "Library/a.jpg"}, {"size", "big"}}));
  EXPECT_FALSE(ask("evict", {{"paths", {"bad \\ escape"}}}));
  EXPECT_FALSE(ask("evict", {{"paths", {"nul\\x00"}}}));
}

TEST_F(ServicesTest, PinKeepsAndFetches) {
  put("a.jpg", big('a'));
  import_and_back_up();
  ASSERT_EQ((must("evict", {{"all", true}}))["evicted"], 1);
  const json pinned = must("pin", {{"paths", {"Library"}}});
  EXPECT_EQ(pinned["files"], 1) << pinned.dump();
  EXPECT_GT(pinned["fetched_bytes"], 500'000);
  EXPECT_EQ(*read("Library/a.jpg"), big('a'));
  EXPECT_EQ((must("evict", {{"all", true}}))["evicted"], 0);
  EXPECT_EQ((must("unpin", {{"paths", {"Library/a.jpg"}}}))["files"], 1);
  EXPECT_EQ((must("evict", {{"all", true}}))["evicted"], 1);
}

TEST_F(ServicesTest, AThumbnailComesFromTheDatabaseOrIsMade) {
  put("a.jpg", "one");
  put("t.txt", "text");
  import_and_back_up();
  json result = must("thumbnail", {{"path", "Library/a.jpg"}});
  EXPECT_EQ(*from_base64(result["jpeg_base64"].get<std::string>()), "small picture");
  ASSERT_TRUE(library->thumbnails().remove(sha256("one")));
  result = must("thumbnail", {{"path", "Library/a.jpg"}, {"size", 300}});
  EXPECT_EQ(*from_base64(result["jpeg_base64"].get<std::string>()), "large picture");
  EXPECT_FALSE(ask("thumbnail", {{"path", "Library/a.jpg"}, {"size", 5000}}));
  EXPECT_FALSE(ask("thumbnail", {{"path", "Library/t.txt"}}));
  EXPECT_FALSE(ask("thumbnail", {{"path", "Library"}}));
}

TEST_F(ServicesTest, TrashListsRestoresAndEmpties) {
  put("a.jpg", "one");
  put("b.jpg", "two");
  import_and_back_up();
  ASSERT_TRUE(library->tree().unlink(kLibraryInode, "a.jpg", Caller{}));
  ASSERT_TRUE(library->tree().unlink(kLibraryInode, "b.jpg", Caller{}));
  const json list = must("trash list");
  ASSERT_EQ(list["entries"].size(), 2U) << list.dump();
  EXPECT_EQ(list["entries"][0]["from"], "Library/a.jpg");
  const json restored = must("trash restore", {{"names", {"Library/a.jpg", "nothing"}}});
  EXPECT_EQ(restored["restored"], 1) << restored.dump();
  EXPECT_EQ(restored["failed"].size(), 1U);
  EXPECT_EQ(*read("Library/a.jpg"), "one");
  EXPECT_EQ((must("trash empty", {{"older", "1d"}}))["removed"], 0);
  EXPECT_EQ((must("trash empty", {{"all", true}}))["removed"], 1);
  EXPECT_FALSE(ask("trash empty"));
  EXPECT_TRUE(ask("trash allow"));
}

TEST_F(ServicesTest, FsckOfAHealthyLibraryFindsNothing) {
  put("a.jpg", big('a'));
  put("b.txt", "text");
  import_and_back_up();
  ASSERT_TRUE(ask("evict", {{"all", true}}));
  const json result = must("fsck", {{"read_data", true}});
  EXPECT_EQ(result["problem_count"], 0) << result.dump(2);
}

TEST_F(ServicesTest, FsckFindsRottenBlocksAndFetchesThemAgain) {
  put("a.jpg", big('a'));
  import_and_back_up();
  {
    const Result<UniqueFd> fd = library->contents().open_local(content_of("Library/a.jpg"));
    ASSERT_TRUE(fd);
    const Result<UniqueFd> writable = open_file("/proc/self/fd/" + std::to_string(fd->get()), O_RDWR);
    ASSERT_TRUE(writable) << writable.status().message();
    ASSERT_TRUE(pwrite_full(writable->get(), "rot", 3, 300'000));
  }
  json result = must("fsck", {{"read_data", true}});
  EXPECT_EQ(result["unrepaired"], 1) << result.dump(2);
  EXPECT_THAT(result["problems"][0]["what"].get<std::string>(), HasSubstr("Library/a.jpg: 1 block rotten"));
  result = must("fsck", {{"read_data", true}, {"repair", true}});
  EXPECT_EQ(result["unrepaired"], 0) << result.dump(2);
  EXPECT_EQ(*read("Library/a.jpg"), big('a'));
  EXPECT_EQ((must("fsck", {{"read_data", true}}))["problem_count"], 0);
}

TEST_F(ServicesTest, RottenBytesWithoutACopyAreToldAndLeftAlone) {
  put("a.jpg", big('a'));
  ASSERT_TRUE(ask("import", {{"folder", dir.path("card")}}));
  settle();
  const Result<UniqueFd> fd = library->contents().open_local(content_of("Library/a.jpg"));
  ASSERT_TRUE(fd);
  const Result<UniqueFd> writable = open_file("/proc/self/fd/" + std::to_string(fd->get()), O_RDWR);
  ASSERT_TRUE(writable);
  ASSERT_TRUE(pwrite_full(writable->get(), "rot", 3, 300'000));
  const json result = must("fsck", {{"read_data", true}, {"repair", true}});
  EXPECT_EQ(result["unrepaired"], 1) << result.dump(2);
  EXPECT_EQ((*read("Library/a.jpg")).size(), 1U << 20);
}

TEST_F(ServicesTest, OddNamesAreNamedByTheirEscapedSpelling) {
  const std::string odd = "a\n\xFF.jpg";
  put(odd, big('a'));
  import_and_back_up();
  EXPECT_EQ((must("evict", {{"paths", {"Library/a\\x0A\\xFF.jpg"}}}))["evicted"], 1);
}

}  // namespace
}  // namespace shoebox
