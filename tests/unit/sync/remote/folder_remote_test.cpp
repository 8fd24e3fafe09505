#include "sync/remote/folder_remote.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>

#include "fake_folder_server.h"

namespace shoebox {
namespace {

class FolderRemoteTest : public ::testing::Test {
 protected:
  void SetUp() override { make(false); }
  // Another mount of the same server.
  void make(bool used_before) {
    auto server = std::make_unique<FakeFolderServer>();
    if (server_ != nullptr) server->nodes = server_->nodes;
    server_ = server.get();
    remote_ = std::make_unique<FolderRemote>("nas", std::move(server), used_before);
  }
  Result<RemoteObject> put(const std::string& key, const std::string& bytes, bool if_absent = true) {
    const UniqueFd fd(::memfd_create("test", MFD_CLOEXEC));
    EXPECT_TRUE(write_full(fd.get(), bytes));
    PutOptions options;
    options.size = bytes.size();
    options.sha256 = sha256(bytes);
    options.if_absent = if_absent;
    return remote_->put(key, fd.get(), options, {});
  }
  std::string stored(const std::string& key) { return server_->nodes.at(key).bytes; }
  // Fails the first `times` calls of this operation.
  void fail(const std::string& operation, Status status, int times = 1) {
    server_->before = [=, left = times](const std::string& called, const std::string&) mutable {
      return called == operation && left-- > 0 ? status : Status::ok();
    };
  }

  FakeFolderServer* server_ = nullptr;
  std::unique_ptr<FolderRemote> remote_;
};

TEST_F(FolderRemoteTest, TheFirstUseLeavesTheMarker) {
  ASSERT_TRUE(remote_->check({}));
  EXPECT_NE(stored(".shoebox/remote").find("format = 1"), std::string::npos);
}

TEST_F(FolderRemoteTest, AFolderThatWasUsedBeforeAndHasNoMarkerIsNotMounted) {
  make(true);
  EXPECT_EQ(remote_->check({}).code(), Code::kUnavailable);
  EXPECT_EQ(remote_->stat("a", {}).code(), Code::kUnavailable) << "never \"not found\"";
  EXPECT_EQ(remote_->list("", "", {}).code(), Code::kUnavailable) << "never \"empty\"";
  EXPECT_EQ(put("a", "bytes").code(), Code::kUnavailable);
  EXPECT_EQ(remote_->remove("a", {}).code(), Code::kUnavailable);
  EXPECT_EQ(server_->nodes.size(), 1u) << "nothing was written";
}

TEST_F(FolderRemoteTest, AFolderThatIsNotThereIsNotMadeUp) {
  server_->nodes.clear();
  EXPECT_EQ(remote_->check({}).code(), Code::kUnavailable);
  EXPECT_TRUE(server_->nodes.empty());
}

TEST_F(FolderRemoteTest, NothingIsGoneWhileTheMarkerIsGone) {
  ASSERT_TRUE(put("a/b", "bytes"));
  const auto mounted = std::exchange(server_->nodes, {{"", {true, "", 0}}});  // unmounted under our feet
  EXPECT_EQ(remote_->stat("a/b", {}).code(), Code::kUnavailable);
  EXPECT_EQ(remote_->list("", "", {}).code(), Code::kUnavailable);
  EXPECT_EQ(remote_->remove("a/b", {}).code(), Code::kUnavailable);
  EXPECT_EQ(put("a/c", "other").code(), Code::kUnavailable);
  EXPECT_EQ(server_->nodes.size(), 1u);
  server_->nodes = mounted;
  EXPECT_TRUE(remote_->stat("a/b", {}));
}

TEST_F(FolderRemoteTest, AMarkerOfANewerVersionIsRefused) {
  ASSERT_TRUE(remote_->check({}));
  server_->nodes[".shoebox/remote"].bytes = "format = 2\n";
  make(true);
  EXPECT_EQ(remote_->check({}).code(), Code::kIncompatible);
}

TEST_F(FolderRemoteTest, WhatWasPutStandsThereAndNothingElse) {
  auto stored_object = put("Library/2023/a.jpg", "bytes");
  ASSERT_TRUE(stored_object) << stored_object.status().message();
  EXPECT_EQ(stored("Library/2023/a.jpg"), "bytes");
  EXPECT_EQ(server_->temporaries(), 0u);
}

TEST_F(FolderRemoteTest, BytesThatCameOutWrongAreNotConfirmed) {
  for (const bool hashes : {false, true}) {
    server_->hashes = hashes;
    server_->flips_bits = false;
    ASSERT_TRUE(remote_->check({}));
    server_->flips_bits = true;
    EXPECT_EQ(put("a", "some bytes").code(), Code::kDataLoss) << hashes;
    EXPECT_FALSE(server_->nodes.contains("a"));
    EXPECT_EQ(server_->temporaries(), 0u);
  }
}

TEST_F(FolderRemoteTest, AHashOfTheServerSparesReadingBack) {
  server_->hashes = true;
  ASSERT_TRUE(remote_->check({}));
  fail("read", {Code::kIo, "not wanted"}, 1000);
  ASSERT_TRUE(put("a", "bytes"));
  server_->hashes = false;
  EXPECT_EQ(put("b", "bytes").code(), Code::kIo) << "without one it is read back";
}

TEST_F(FolderRemoteTest, PutIfAbsentKeepsOtherBytesAndKnowsItsOwn) {
  ASSERT_TRUE(put("a", "first"));
  EXPECT_EQ(put("a", "other").code(), Code::kConflict);
  EXPECT_TRUE(put("a", "first"));
  EXPECT_EQ(stored("a"), "first");
  EXPECT_TRUE(put("a", "other", false));
  EXPECT_EQ(stored("a"), "other");
}

TEST_F(FolderRemoteTest, SomethingThatCameInBetweenIsNotOverwritten) {
  ASSERT_TRUE(remote_->check({}));
  server_->after = [this](const std::string& operation, const std::string&) {
    if (operation == "write") server_->nodes["a"] = {false, "of somebody else", 99};
    return Status::ok();
  };
  EXPECT_EQ(put("a", "mine").code(), Code::kConflict);
  EXPECT_EQ(stored("a"), "of somebody else");
  EXPECT_EQ(server_->temporaries(), 0u);
}

TEST_F(FolderRemoteTest, AMoveWhoseAnswerWasLostCounts) {
  ASSERT_TRUE(remote_->check({}));
  for (const Code lost : {Code::kNotFound, Code::kConflict}) {  // what the repetition is answered
    server_->after = [&](const std::string& operation, const std::string&) {
      return operation == "move" ? Status(lost, "answer to a repetition") : Status::ok();
    };
    const std::string key = lost == Code::kNotFound ? "a" : "b";
    auto done = put(key, "bytes");
    EXPECT_TRUE(done) << done.status().message();
    EXPECT_EQ(stored(key), "bytes");
  }
}

TEST_F(FolderRemoteTest, AFailedStepIsAnErrorAndTheNextAttemptSucceeds) {
  for (const char* operation : {"facts", "write", "read", "move", "make_folder"}) {
    make(false);
    server_->nodes = {{"", {true, "", 0}}};
    ASSERT_TRUE(put("before", "x"));
    fail(operation, {Code::kUnavailable, "503"});
    auto broken = put("folder/a", "bytes");
    EXPECT_EQ(broken.code(), Code::kUnavailable) << operation;
    auto again = put("folder/a", "bytes");
    EXPECT_TRUE(again) << operation << ": " << again.status().message();
    EXPECT_EQ(stored("folder/a"), "bytes");
  }
}

TEST_F(FolderRemoteTest, AFolderThatVanishedIsMadeAgain) {
  ASSERT_TRUE(put("folder/a", "bytes"));
  server_->nodes.erase("folder/a");
  server_->nodes.erase("folder");
  EXPECT_TRUE(put("folder/b", "bytes"));
  server_->nodes.erase(".shoebox/tmp");
  EXPECT_TRUE(put("folder/c", "bytes"));
}

TEST_F(FolderRemoteTest, FilesAndFoldersAreNotTakenForEachOther) {
  ASSERT_TRUE(put("a/b", "bytes"));
  EXPECT_EQ(put("a/b/c", "x").code(), Code::kInvalid);
  EXPECT_EQ(put("a", "x").code(), Code::kInvalid);
  EXPECT_EQ(put("a", "x", false).code(), Code::kInvalid);
  EXPECT_EQ(remote_->remove("a", {}).code(), Code::kInvalid) << "a folder would go with everything in it";
  EXPECT_EQ(remote_->stat("a", {}).code(), Code::kNotFound);
  EXPECT_EQ(stored("a/b"), "bytes");
}

TEST_F(FolderRemoteTest, KeysOfTheRemoteItselfAreRefused) {
  for (const char* key : {".shoebox/remote", ".shoebox/tmp", ".shoebox/tmp/x"}) {
    EXPECT_EQ(put(key, "x").code(), Code::kInvalid);
    EXPECT_EQ(remote_->remove(key, {}).code(), Code::kInvalid);
  }
}

TEST_F(FolderRemoteTest, CopiesByTheServerElseThroughHere) {
  for (const bool can_copy : {true, false}) {
    server_->can_copy = can_copy;
    ASSERT_TRUE(put("from", "bytes", false));
    const Status copied = remote_->copy("from", "to/here", {});
    ASSERT_TRUE(copied) << copied.message();
    EXPECT_EQ(stored("to/here"), "bytes");
    EXPECT_EQ(remote_->copy("nowhere", "x", {}).code(), Code::kNotFound);
    EXPECT_EQ(server_->temporaries(), 0u);
  }
}

// The source goes once the copy stands: what was read wrong must not take its place.
TEST_F(FolderRemoteTest, WhatCameWrongFromTheServerIsNotCopiedThroughHere) {
  server_->can_copy = false;
  ASSERT_TRUE(put("from", "bytes", false));
  for (const bool hash_is_known : {true, false}) {
    RequestContext context;
    if (hash_is_known) context.source_sha256 = sha256("bytes");
    server_->flip_reads = 1;
    EXPECT_EQ(remote_->copy("from", "to", context).code(), Code::kDataLoss);
    EXPECT_EQ(remote_->stat("to", {}).code(), Code::kNotFound);
    ASSERT_TRUE(remote_->copy("from", "to", context));
    EXPECT_EQ(stored("to"), "bytes");
    ASSERT_TRUE(remote_->remove("to", {}));
  }
}

TEST_F(FolderRemoteTest, AListingThatFailsSomewhereIsNoListing) {
  for (const char* key : {"a/1", "b/1", "c/1"}) ASSERT_TRUE(put(key, "x"));
  server_->before = [](const std::string& operation, const std::string& path) {
    return operation == "entries" && path == "b" ? Status(Code::kUnavailable, "503") : Status::ok();
  };
  EXPECT_EQ(remote_->list("", "", {}).code(), Code::kUnavailable);
  EXPECT_EQ(remote_->list("a/", "", {})->objects.size(), 1u);
}

TEST_F(FolderRemoteTest, ListsInTheOrderOfKeysWithoutWhatIsItsOwn) {
  for (const char* key : {"b", "a/2", "a.txt", "a/sub/x", "ab", ".shoebox/catalog/1"})
    ASSERT_TRUE(put(key, "x"));
  server_->nodes[".shoebox/tmp/left"] = {false, "x", 1};
  auto page = remote_->list("", "", {});
  ASSERT_TRUE(page) << page.status().message();
  std::vector<std::string> keys;
  for (const RemoteObject& object : page->objects) keys.push_back(object.key);
  EXPECT_EQ(keys, (std::vector<std::string>{".shoebox/catalog/1", "a.txt", "a/2", "a/sub/x", "ab", "b"}));
  EXPECT_EQ(page->next, "");
}

TEST_F(FolderRemoteTest, TheNextPageDoesNotListTheFolderAgain) {
  ASSERT_TRUE(remote_->check({}));
  for (int i = 0; i < 2'500; ++i) server_->nodes["many/" + std::to_string(i)] = {false, "x", i};
  server_->nodes["many"] = {true, "", 0};
  std::vector<std::string> keys;
  std::string next;
  int listed = 0;
  server_->before = [&](const std::string& operation, const std::string& path) {
    listed += operation == "entries" && path == "many" ? 1 : 0;
    return Status::ok();
  };
  do {
    auto page = remote_->list("many/", next, {});
    ASSERT_TRUE(page);
    for (const RemoteObject& object : page->objects) keys.push_back(object.key);
    next = page->next;
  } while (!next.empty());
  EXPECT_EQ(keys.size(), 2'500u);
  EXPECT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
  EXPECT_EQ(listed, 1);
}

}  // namespace
}  // namespace shoebox
