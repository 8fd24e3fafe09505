// What a directory adds to the contract of tests/servers/contract: the marker, symlinks, crashes.
#include "sync/remote/dir_remote.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "sync/remote/temporary.h"

namespace shoebox {
namespace {

namespace fs = std::filesystem;

class DirRemoteTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/tmp/shoebox-dir-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    base_ = path;
    root_ = base_ + "/nas";
    fs::create_directory(root_);
    remote_ = std::make_unique<DirRemote>("nas", root_, false);
  }
  void TearDown() override { fs::remove_all(base_); }

  Result<RemoteObject> put(const std::string& key, const std::string& bytes, bool if_absent = false) {
    const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
    EXPECT_TRUE(pwrite_full(fd.get(), bytes.data(), bytes.size(), 0));
    PutOptions options;
    options.size = bytes.size();
    options.sha256 = sha256(bytes);
    options.if_absent = if_absent;
    return remote_->put(key, fd.get(), options, {});
  }
  Result<std::string> get(const std::string& key, ByteRange range) {
    std::string bytes;
    SHOEBOX_TRY(remote_->get(key, range, "",
                             [&](std::string_view piece) {
                               bytes += piece;
                               return Status::ok();
                             },
                             {}));
    return bytes;
  }
  [[nodiscard]] size_t temporaries() const {
    const fs::path folder = root_ + "/.shoebox/tmp";
    if (!fs::exists(folder)) return 0;
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
  }

  std::string base_;
  std::string root_;
  std::unique_ptr<DirRemote> remote_;
};

TEST_F(DirRemoteTest, ObjectsAreOrdinaryFilesUnderTheirKeys) {
  ASSERT_TRUE(put("Library/2023/07/IMG_1.jpg", "bytes"));
  EXPECT_EQ(*read_file(root_ + "/Library/2023/07/IMG_1.jpg"), "bytes");
  EXPECT_EQ(temporaries(), 0u);
}

TEST_F(DirRemoteTest, AFolderThatIsNotThereIsUnavailableAndNotMade) {
  DirRemote missing("nas", base_ + "/unplugged", false);
  const Status status = missing.check({});
  EXPECT_EQ(status.code(), Code::kUnavailable);
  EXPECT_NE(status.message().find("mkdir -p"), std::string::npos) << status.message();
  EXPECT_FALSE(fs::exists(base_ + "/unplugged"));
}

TEST_F(DirRemoteTest, AnUnmountedNasIsUnavailableNeverEmpty) {
  ASSERT_TRUE(put("a", "bytes"));
  // Unmounted: an empty folder stands there instead.
  fs::rename(root_, base_ + "/elsewhere");
  fs::create_directory(root_);
  EXPECT_EQ(remote_->stat("a", {}).code(), Code::kUnavailable);
  EXPECT_EQ(remote_->list("", "", {}).code(), Code::kUnavailable);
  EXPECT_EQ(get("a", {0, 5}).code(), Code::kUnavailable);
  EXPECT_EQ(put("b", "bytes").code(), Code::kUnavailable);
  EXPECT_EQ(remote_->remove("a", {}).code(), Code::kUnavailable);
  EXPECT_TRUE(fs::is_empty(root_)) << "nothing is written below the mount point";
  fs::remove(root_);
  fs::rename(base_ + "/elsewhere", root_);
  EXPECT_EQ(*get("a", {0, 5}), "bytes");
}

TEST_F(DirRemoteTest, AfterARestartAsWellWhenTheCatalogKnowsCopies) {
  DirRemote used("nas", root_, true);
  EXPECT_EQ(used.check({}).code(), Code::kUnavailable);
  EXPECT_TRUE(fs::is_empty(root_));
  fs::create_directory(root_ + "/.shoebox");
  ASSERT_TRUE(write_file_atomically(root_ + "/.shoebox/remote", "", 0644));
  EXPECT_TRUE(used.check({})) << "a marker made by hand says that it is the right folder";
}

TEST_F(DirRemoteTest, AFolderOfANewerVersionIsRefused) {
  fs::create_directory(root_ + "/.shoebox");
  ASSERT_TRUE(write_file_atomically(root_ + "/.shoebox/remote", "format = 2\n", 0644));
  EXPECT_EQ(remote_->check({}).code(), Code::kIncompatible);
  EXPECT_EQ(put("a", "bytes").code(), Code::kIncompatible);
}

TEST_F(DirRemoteTest, SymlinksAreNeverFollowed) {
  ASSERT_TRUE(remote_->check({}));
  fs::create_directory(base_ + "/outside");
  ASSERT_TRUE(write_file_atomically(base_ + "/outside/secret", "secret"));
  fs::create_directory_symlink(base_ + "/outside", root_ + "/link");
  fs::create_symlink(base_ + "/outside/secret", root_ + "/file");
  EXPECT_FALSE(get("link/secret", {0, 6}));
  EXPECT_FALSE(get("file", {0, 6}));
  EXPECT_FALSE(put("link/new", "bytes"));
  EXPECT_FALSE(fs::exists(base_ + "/outside/new"));
  EXPECT_TRUE(remote_->list("", "", {})->objects.empty());
  ASSERT_TRUE(put("file", "bytes")) << "replaces the link itself";
  EXPECT_EQ(*read_file(base_ + "/outside/secret"), "secret");
}

TEST_F(DirRemoteTest, TheRemotesOwnFilesAreNoObjects) {
  ASSERT_TRUE(put(".shoebox/catalog/x", "bytes"));
  EXPECT_EQ(put(".shoebox/remote", "x").code(), Code::kInvalid);
  EXPECT_EQ(put(".shoebox/tmp/x", "x").code(), Code::kInvalid);
  auto page = remote_->list("", "", {});
  ASSERT_TRUE(page);
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, ".shoebox/catalog/x");
}

TEST_F(DirRemoteTest, WhatACrashLeftIsNoObjectAndGoesAfterADay) {
  fs::create_directories(root_ + "/.shoebox/tmp");
  ASSERT_TRUE(write_file_atomically(root_ + "/.shoebox/remote", "format = 1\n", 0644));
  for (const char* name : {"/.shoebox/tmp/old", "/.shoebox/tmp/young"}) {
    ASSERT_TRUE(write_file_atomically(root_ + name, "half", 0644));
  }
  const timespec old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  ::utimensat(AT_FDCWD, (root_ + "/.shoebox/tmp/old").c_str(), old, 0);
  EXPECT_TRUE(remote_->list("", "", {})->objects.empty());
  EXPECT_FALSE(fs::exists(root_ + "/.shoebox/tmp/old"));
  EXPECT_TRUE(fs::exists(root_ + "/.shoebox/tmp/young")) << "perhaps of another machine";
}

TEST_F(DirRemoteTest, EtagsSurviveARemountAndShowForeignChanges) {
  auto stored = put("a", "12345");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->modified_s % 2, 0) << "FAT keeps even seconds only";
  auto replaced = put("a", "54321");
  ASSERT_TRUE(replaced);
  EXPECT_NE(replaced->etag, stored->etag) << "within the same two seconds, of the same size";
  EXPECT_EQ(remote_->stat("a", {})->etag, replaced->etag);
  ASSERT_TRUE(write_file_atomically(root_ + "/a", "xxxxx", 0644));
  EXPECT_NE(remote_->stat("a", {})->etag, replaced->etag);
}

TEST_F(DirRemoteTest, EmptyFoldersGoWithTheirLastObject) {
  ASSERT_TRUE(put("a/b/c", "1"));
  ASSERT_TRUE(put("a/d", "2"));
  ASSERT_TRUE(remote_->remove("a/b/c", {}));
  EXPECT_FALSE(fs::exists(root_ + "/a/b"));
  EXPECT_TRUE(fs::exists(root_ + "/a/d"));
  ASSERT_TRUE(remote_->remove("a/d", {}));
  EXPECT_FALSE(fs::exists(root_ + "/a"));
  EXPECT_TRUE(fs::exists(root_));
}

TEST_F(DirRemoteTest, AFailedPutLeavesNothing) {
  ASSERT_TRUE(remote_->check({}));
  const UniqueFd fd(::memfd_create("body", MFD_CLOEXEC));
  ASSERT_TRUE(write_full(fd.get(), "short"));
  PutOptions options;
  options.size = 100;
  options.sha256 = sha256("x");
  EXPECT_EQ(remote_->put("new/a", fd.get(), options, {}).code(), Code::kDataLoss);
  EXPECT_EQ(temporaries(), 0u);
  EXPECT_FALSE(fs::exists(root_ + "/new"));
}

TEST_F(DirRemoteTest, ACopyIsOfTheBytesThatAreKnown) {
  ASSERT_TRUE(put("a", "rotten"));
  RequestContext context;
  context.source_sha256 = sha256("sound");
  EXPECT_EQ(remote_->copy("a", "b", context).code(), Code::kDataLoss);
  EXPECT_EQ(remote_->stat("b", {}).code(), Code::kNotFound);
  context.source_sha256 = sha256("rotten");
  EXPECT_TRUE(remote_->copy("a", "b", context));
  EXPECT_TRUE(remote_->copy("a", "c", {}));
  EXPECT_TRUE(remote_->stat("c", {}));
}

TEST_F(DirRemoteTest, AKeyWhereAFolderOrFileIsInTheWayIsRefusedOrNotFound) {
  ASSERT_TRUE(put("a/b", "1"));
  EXPECT_EQ(put("a", "2").code(), Code::kInvalid);
  EXPECT_EQ(put("a/b/c", "3").code(), Code::kInvalid);
  EXPECT_EQ(remote_->stat("a", {}).code(), Code::kNotFound);
  EXPECT_EQ(remote_->stat("a/b/c", {}).code(), Code::kNotFound);
  EXPECT_EQ(remote_->remove("a", {}).code(), Code::kInvalid);
  EXPECT_EQ(*get("a/b", {0, 1}), "1");
}

TEST_F(DirRemoteTest, SpecialFilesDoNotStopIt) {
  ASSERT_TRUE(remote_->check({}));
  ASSERT_EQ(::mkfifo((root_ + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(get("fifo", {0, 1}).code(), Code::kInvalid);
  EXPECT_TRUE(remote_->list("", "", {})->objects.empty());
}

TEST_F(DirRemoteTest, TemporariesOfAnEarlierProcessAreRemovedOnceNobodyGoesOnWithThem) {
  ASSERT_TRUE(put("a.jpg", "bytes"));
  const auto own = new_temporary_name();
  ASSERT_TRUE(own);
  const std::string left(32, '0'), noted(32, '1');
  for (const std::string& name : {*own, left, noted})
    ASSERT_TRUE(write_file_atomically(root_ + "/.shoebox/tmp/" + name, "half of it"));
  const auto given_up = [&](const Leftover& one) { return one.id != noted; };
  EXPECT_EQ(*remote_->remove_leftovers("a.jpg", given_up, {}), 0U) << "it does not tell what it was to be";
  EXPECT_EQ(*remote_->remove_leftovers("", given_up, {}), 1U);
  EXPECT_FALSE(fs::exists(root_ + "/.shoebox/tmp/" + left));
  EXPECT_TRUE(fs::exists(root_ + "/.shoebox/tmp/" + noted));
  EXPECT_TRUE(fs::exists(root_ + "/.shoebox/tmp/" + *own)) << "this process is at it";
  fs::rename(root_, base_ + "/unmounted");
  EXPECT_EQ(remote_->remove_leftovers("", given_up, {}).code(), Code::kUnavailable);
}

}  // namespace
}  // namespace shoebox
