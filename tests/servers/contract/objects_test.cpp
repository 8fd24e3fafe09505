// The contract of remote.h that every kind of remote keeps: single objects.
#include <array>
#include <thread>

#include "contract.h"

namespace shoebox {
namespace {

using Objects = ContractTest;

TEST_F(Objects, CheckFindsTheRemoteUsable) {
  const Status status = remote_->check({});
  EXPECT_TRUE(status) << status.message();
}

TEST_F(Objects, WhatWasPutIsReadBack) {
  for (const size_t size : {size_t{1}, size_t{4096}, size_t{300'000}, size_t{5'000'000}}) {
    const std::string bytes = noise(size, 1);
    auto stored = put(std::to_string(size), bytes);
    ASSERT_TRUE(stored) << stored.status().message();
    EXPECT_EQ(stored->size, size);
    EXPECT_EQ(stored->key, key(std::to_string(size)));
    auto read = get(std::to_string(size), {0, size});
    ASSERT_TRUE(read) << read.status().message();
    EXPECT_TRUE(*read == bytes);
  }
}

TEST_F(Objects, AnEmptyObjectIsAnObject) {
  ASSERT_TRUE(put("empty", ""));
  auto there = remote_->stat(key("empty"), {});
  ASSERT_TRUE(there) << there.status().message();
  EXPECT_EQ(there->size, 0u);
  auto read = get("empty", {0, 0});
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(*read, "");
}

TEST_F(Objects, NamesThatPeopleGiveWork) {
  for (const std::string name :
       {"a b.jpg", "IMG_1 (2).jpg", "50%.jpg", "%41.jpg", "a+b=c&d.jpg", "what?#1;2.jpg", "it's \"it\"!.jpg",
        "M\xc3\xbcnchen/\xe2\x98\x83.jpg", "\xf0\x9f\x93\xb7.jpg", "~tilde$@,:*.jpg", "<x>&amp;.jpg",
        "a'b|c\\d.jpg", "deep/er/and/deeper.jpg", ".hidden", "..two", "trailing."}) {
    auto stored = put(name, "bytes of " + name);
    ASSERT_TRUE(stored) << name << ": " << stored.status().message();
    auto read = get(name, {0, 9 + name.size()});
    ASSERT_TRUE(read) << name << ": " << read.status().message();
    EXPECT_EQ(*read, "bytes of " + name);
    EXPECT_EQ(list(key(name)), std::vector<std::string>{key(name)}) << name;
    const Status copied = remote_->copy(key(name), key("copies/" + name), {});
    EXPECT_TRUE(copied) << name << ": " << copied.message();
    EXPECT_TRUE(remote_->remove(key(name), {})) << name;
  }
}

TEST_F(Objects, KeysThatAreNoPathsAreRefused) {
  const UniqueFd fd = file_with("x");
  const std::vector<std::string> refused = {"",       "/a",  "a//b", "../a",
                                            "a/../b", "a/.", "a/",   std::string("a\0b", 3)};
  for (const std::string& bad : refused) {
    auto stored = remote_->put(bad, fd.get(), options_for("x"), {});
    EXPECT_EQ(stored.code(), Code::kInvalid) << bad;
    EXPECT_EQ(remote_->stat(bad, {}).code(), Code::kInvalid) << bad;
    EXPECT_EQ(remote_->remove(bad, {}).code(), Code::kInvalid) << bad;
  }
}

TEST_F(Objects, RangesAreExact) {
  const std::string bytes = noise(1'000'000, 2);
  ASSERT_TRUE(put("ranges", bytes));
  for (const ByteRange range : {ByteRange{0, 2}, ByteRange{999'999, 1'000'000}, ByteRange{262'144, 524'288},
                                ByteRange{123'457, 123'458}, ByteRange{0, 1'000'000}}) {
    auto read = get("ranges", range);
    ASSERT_TRUE(read) << read.status().message();
    EXPECT_TRUE(*read == bytes.substr(range.begin, range.size())) << range.begin;
  }
}

TEST_F(Objects, TheFirstByteAloneCanBeRead) {
  ASSERT_TRUE(put("first", "0123456789"));
  auto read = get("first", {0, 1});
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(*read, "0");
}

TEST_F(Objects, ReadingPastTheEndIsDataLossNotAShortRead) {
  ASSERT_TRUE(put("short", "0123456789"));
  EXPECT_EQ(get("short", {5, 20}).code(), Code::kDataLoss);
  EXPECT_EQ(get("short", {10, 20}).code(), Code::kDataLoss);
  EXPECT_EQ(get("short", {0, 11}).code(), Code::kDataLoss);
}

TEST_F(Objects, StatTellsWhatPutTold) {
  auto stored = put("told", noise(10'000, 3));
  ASSERT_TRUE(stored);
  auto there = remote_->stat(key("told"), {});
  ASSERT_TRUE(there) << there.status().message();
  EXPECT_EQ(there->etag, stored->etag);
  EXPECT_EQ(there->size, 10'000u);
  EXPECT_EQ(there->key, key("told"));
  EXPECT_GT(there->modified_s, 1'600'000'000);
}

TEST_F(Objects, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(remote_->stat(key("nowhere"), {}).code(), Code::kNotFound);
  EXPECT_EQ(get("nowhere", {0, 10}).code(), Code::kNotFound);
  EXPECT_EQ(remote_->stat(key("no/where/at/all"), {}).code(), Code::kNotFound);
  ASSERT_TRUE(put("nowhere-else", "x"));
  EXPECT_EQ(remote_->stat(key("nowhere"), {}).code(), Code::kNotFound);
  EXPECT_EQ(remote_->copy(key("nowhere"), key("copy"), {}).code(), Code::kNotFound);
}

TEST_F(Objects, ReplacingChangesBytesAndEtag) {
  auto first = put("replaced", "first bytes");
  auto second = put("replaced", "other bytes");
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  EXPECT_NE(first->etag, second->etag);
  EXPECT_EQ(*get("replaced", {0, 11}), "other bytes");
}

TEST_F(Objects, ReadingWithTheEtagOfOtherBytesIsAConflict) {
  auto first = put("pinned", "first bytes");
  ASSERT_TRUE(first);
  EXPECT_EQ(*get("pinned", {0, 5}, first->etag), "first");
  ASSERT_TRUE(put("pinned", "other bytes"));
  EXPECT_EQ(get("pinned", {0, 5}, first->etag).code(), Code::kConflict);
}

TEST_F(Objects, PutIfAbsentKeepsWhatStandsThere) {
  PutOptions if_absent;
  if_absent.if_absent = true;
  auto first = put("once", "first bytes", if_absent);
  ASSERT_TRUE(first) << first.status().message();
  EXPECT_EQ(put("once", "other bytes", if_absent).code(), Code::kConflict);
  EXPECT_EQ(*get("once", {0, 11}), "first bytes");
}

TEST_F(Objects, PutIfAbsentOfTheSameBytesIsTheSamePut) {
  PutOptions if_absent;
  if_absent.if_absent = true;
  auto first = put("again", "first bytes", if_absent);
  auto again = put("again", "first bytes", if_absent);
  ASSERT_TRUE(first);
  ASSERT_TRUE(again) << again.status().message();
  EXPECT_EQ(first->etag, again->etag);
}

TEST_F(Objects, LocalBytesThatChangedAreNotStored) {
  PutOptions options = options_for("what was recorded");
  const UniqueFd fd = file_with("what is there now");
  EXPECT_EQ(remote_->put(key("rotten"), fd.get(), options, {}).code(), Code::kDataLoss);
  options.size = 1000;
  EXPECT_EQ(remote_->put(key("rotten"), fd.get(), options, {}).code(), Code::kDataLoss);
  EXPECT_EQ(remote_->stat(key("rotten"), {}).code(), Code::kNotFound);
}

TEST_F(Objects, ACopyHasTheSameBytesAndReplaces) {
  const std::string bytes = noise(100'000, 4);
  ASSERT_TRUE(put("from", bytes));
  ASSERT_TRUE(put("to/here", "old"));
  const Status copied = remote_->copy(key("from"), key("to/here"), {});
  ASSERT_TRUE(copied) << copied.message();
  EXPECT_TRUE(*get("to/here", {0, bytes.size()}) == bytes);
  EXPECT_TRUE(*get("from", {0, bytes.size()}) == bytes);
}

TEST_F(Objects, RemovingIsFinalAndMayBeRepeated) {
  ASSERT_TRUE(put("gone/soon", "x"));
  EXPECT_TRUE(remote_->remove(key("gone/soon"), {}));
  EXPECT_EQ(remote_->stat(key("gone/soon"), {}).code(), Code::kNotFound);
  const Status again = remote_->remove(key("gone/soon"), {});
  EXPECT_TRUE(again) << again.message();
  EXPECT_TRUE(put("gone/soon", "y"));
}

TEST_F(Objects, ASinkThatFailsEndsTheRead) {
  const std::string bytes = noise(3'000'000, 5);
  ASSERT_TRUE(put("sink", bytes));
  int calls = 0;
  const Status status = remote_->get(key("sink"), {0, bytes.size()}, "",
                                     [&](std::string_view) -> Status {
                                       ++calls;
                                       return {Code::kNoSpace, "full"};
                                     },
                                     {});
  EXPECT_EQ(status.code(), Code::kNoSpace);
  EXPECT_EQ(calls, 1);
}

TEST_F(Objects, CancelAndDeadlineEndACall) {
  const UniqueFd fd = file_with("x");
  RequestContext cancelled;
  cancelled.cancel.cancel();
  EXPECT_EQ(remote_->put(key("never"), fd.get(), options_for("x"), cancelled).code(), Code::kCancelled);
  RequestContext late;
  late.deadline = std::chrono::steady_clock::now();
  EXPECT_EQ(remote_->put(key("never"), fd.get(), options_for("x"), late).code(), Code::kTimeout);
  EXPECT_EQ(remote_->check(late).code(), Code::kTimeout);
  EXPECT_EQ(remote_->stat(key("never"), {}).code(), Code::kNotFound);
}

TEST_F(Objects, OfRacingPutsOneStandsWhole) {
  std::vector<std::thread> writers;
  std::array<Status, 4> stored;
  for (uint32_t i = 0; i < 4; ++i) {
    // rclone's server answers 500 to one who looks while another's MOVE replaces the object: senders try
    // again.
    writers.emplace_back([&, i] {
      for (int tries = 0; tries < 4; ++tries) {
        stored[i] = put("raced", noise(200'000, 100 + i)).status();
        if (stored[i].code() != Code::kUnavailable) break;
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  for (const Status& status : stored) EXPECT_TRUE(status) << status.message();
  auto read = get("raced", {0, 200'000});
  ASSERT_TRUE(read) << read.status().message();
  int equal = 0;
  for (uint32_t i = 0; i < 4; ++i) equal += *read == noise(200'000, 100 + i) ? 1 : 0;
  EXPECT_EQ(equal, 1);
}

TEST_F(Objects, RequestsAreCounted) {
  RequestHints hints;
  RequestContext context;
  context.hints = &hints;
  ASSERT_TRUE(put("counted", "0123456789"));
  ASSERT_TRUE(remote_->get(
      key("counted"), {0, 10}, "", [](std::string_view) { return Status::ok(); }, context));
  EXPECT_EQ(hints.requests, 1u);
}

}  // namespace
}  // namespace shoebox
