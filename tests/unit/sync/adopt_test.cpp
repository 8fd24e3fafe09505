#include "sync/adopt.h"

#include <filesystem>

#include "store/wanted_keys.h"
#include "store/xmp_sidecar.h"
#include "sync/fetcher.h"
#include "sync/verifier.h"
#include "tests/unit/sync/adopt_fixture.h"

namespace shoebox {
namespace {

using testing::kMiB;
using testing::some_bytes;
using testing::StandingRemote;

class AdoptTest : public testing::SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    contents_->on_hashed([this](ContentNo content, const ContentHashes& hashes, Residence residence) {
      return tree_->content_hashed(content, hashes, residence);
    });
    Fetcher::Options options;
    options.threads = 2;
    options.backoff.random = [] { return 0.0; };
    fetcher_ = std::make_unique<Fetcher>(*catalog_, *contents_, clock_, options);
    fetcher_->add_remote(remote_);
    fetcher_->start();
  }
  void TearDown() override { fetcher_.reset(); }

  Result<AdoptReport> adopt(AdoptRequest request = {}, const CancelToken& cancel = {}) {
    request.remote = remote_.name();
    Adopter::Options options;
    options.batch = batch_;
    options.backoff.random = [] { return 0.0; };
    const Adopter adopter({*catalog_, *contents_, *tree_, clock_}, options);
    return adopter.run(remote_, request, cancel, nullptr);
  }
  InodeRecord file(const std::string& path) {
    const auto entry = tree_->resolve(path);
    EXPECT_TRUE(entry) << path << ": " << entry.status().message();
    return entry ? entry->inode : InodeRecord{};
  }
  ContentState state(const std::string& path) { return (*catalog_->content(file(path).content))->state; }
  Status read_all(const std::string& path) {
    const InodeRecord inode = file(path);
    return fetch(*fetcher_, inode.content, {0, inode.size});
  }
  std::vector<std::string> names(InodeNo folder = kLibraryInode) {
    std::vector<std::string> found;
    EXPECT_TRUE(catalog_->for_each_entry(folder, "", [&](const DirEntry& entry) {
      found.push_back(entry.name);
      return true;
    }));
    return found;
  }

  StandingRemote remote_{"bucket"};
  std::unique_ptr<Fetcher> fetcher_;
  size_t batch_ = 5;
};

TEST_F(AdoptTest, EachOriginalCostsTwoRangesAndTheRemoteIsAsItWas) {
  for (int i = 0; i < 20; ++i) remote_.place(fmt::format("2019/{:02}.jpg", i), some_bytes(2 * kMiB, i + 1));
  remote_.place("film.mp4", some_bytes(3 * kMiB, 77));
  remote_.place("note.txt", "small");
  const auto before = remote_.all();
  const auto report = adopt();
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_EQ(report->listed, 22U);
  EXPECT_EQ(report->photos, 20U);
  EXPECT_EQ(report->videos, 1U);
  EXPECT_EQ(report->others, 1U);
  EXPECT_EQ(report->failed, 0U);
  EXPECT_EQ(report->original_bytes, 20 * 2 * kMiB + 3 * kMiB + 5);
  EXPECT_EQ(remote_.gets(), 21 * 2 + 1U);
  EXPECT_EQ(report->requests, remote_.gets() + remote_.lists());
  EXPECT_LE(remote_.bytes_sent(), 21 * (kHeadBytes + kTailBytes + 4096) + 5);
  EXPECT_EQ(report->received_bytes, remote_.bytes_sent());
  EXPECT_EQ(remote_.all(), before);
  EXPECT_EQ(file("Library/2019/07.jpg").size, 2 * kMiB);
  EXPECT_EQ(file("Library/2019/07.jpg").mtime.seconds, 1'500'000'000);
  EXPECT_EQ(state("Library/note.txt"), ContentState::kSealed);
  // Heads and tails cost nothing from now on.
  remote_.reset_counts();
  EXPECT_TRUE(fetch(*fetcher_, file("Library/film.mp4").content, {0, kHeadBytes}));
  EXPECT_TRUE(fetch(*fetcher_, file("Library/film.mp4").content, {3 * kMiB - kTailBytes, 3 * kMiB}));
  EXPECT_EQ(remote_.gets(), 0U);
}

TEST_F(AdoptTest, ASecondRunAsksForNothingButTheListing) {
  for (int i = 0; i < 10; ++i) remote_.place(fmt::format("{}.jpg", i), some_bytes(kMiB, i + 1));
  remote_.place("same.jpg", some_bytes(1000, 5));
  remote_.place("same again.jpg", some_bytes(1000, 5));
  remote_.place("empty.txt", "");
  ASSERT_TRUE(adopt());
  remote_.reset_counts();
  const auto again = adopt();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->already, 13U);
  EXPECT_EQ(again->photos + again->others, 0U);
  EXPECT_EQ(remote_.gets(), 0U);
  EXPECT_EQ(names().size(), 13U);
}

TEST_F(AdoptTest, ARunThatWasBrokenOffIsGoneOnWith) {
  for (int i = 0; i < 30; ++i) remote_.place(fmt::format("{:02}.jpg", i), some_bytes(kMiB, i + 1));
  const CancelToken cancel;
  std::atomic<int> asked{0};
  remote_.before_get = [&](const std::string&, ByteRange) {
    if (++asked == 30) cancel.cancel();
    return Status::ok();
  };
  EXPECT_EQ(adopt({}, cancel).code(), Code::kCancelled);
  remote_.before_get = nullptr;
  const size_t done = names().size();
  EXPECT_GE(done, 10U);
  EXPECT_LT(done, 30U);
  remote_.reset_counts();
  const auto report = adopt();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->already, done);
  EXPECT_EQ(report->photos, 30 - done);
  EXPECT_EQ(remote_.gets(), 2 * (30 - done)) << "nothing is fetched twice";
  EXPECT_EQ(names().size(), 30U);
}

TEST_F(AdoptTest, WhatPassesIsTriedAgainAndWhatDoesNotEndsTheRun) {
  remote_.place("a.jpg", some_bytes(kMiB, 1));
  int failures = 3;
  remote_.before_get = [&](const std::string&, ByteRange) {
    return failures-- > 0 ? Status(Code::kThrottled, "slow down") : Status::ok();
  };
  ASSERT_TRUE(adopt());
  EXPECT_EQ(names(), std::vector<std::string>{"a.jpg"});
  remote_.place("b.jpg", some_bytes(kMiB, 2));
  remote_.before_get = [&](const std::string&, ByteRange) { return Status(Code::kUnauthorized, "no"); };
  EXPECT_EQ(adopt().code(), Code::kUnauthorized);
  EXPECT_EQ(names(), std::vector<std::string>{"a.jpg"});
}

TEST_F(AdoptTest, OneObjectThatCannotBeReadFailsAlone) {
  remote_.place("a.jpg", some_bytes(kMiB, 1));
  remote_.place("b.jpg", some_bytes(kMiB, 2));
  remote_.place("c.jpg", some_bytes(kMiB, 3));
  remote_.before_get = [&](const std::string& key, ByteRange) {
    if (key == "b.jpg") return Status(Code::kDataLoss, "does not decrypt");
    if (key == "c.jpg") return Status(Code::kConflict, "another etag");
    return Status::ok();
  };
  const auto report = adopt();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->failed, 2U);
  ASSERT_EQ(report->findings.size(), 2U);
  EXPECT_EQ(report->findings[0].why, "does not decrypt");
  EXPECT_EQ(names(), std::vector<std::string>{"a.jpg"});
}

TEST_F(AdoptTest, HostileKeysStayInLibrary) {
  const std::string longest(300, 'n');
  const std::vector<std::string> keys = {"../../etc/passwd.jpg",
                                         "a/../../b.jpg",
                                         "x//y.jpg",
                                         "line\nbreak.jpg",
                                         "folder/.",
                                         longest + ".jpg",
                                         "a",
                                         "a/b.jpg",
                                         ".hidden.jpg",
                                         "Thumbs.db",
                                         ".shoebox/x.jpg"};
  for (const std::string& key : keys) remote_.place(key, "bytes of " + key);
  const auto report = adopt();
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_EQ(report->failed, 0U);
  EXPECT_EQ(report->listed, keys.size() - 1);
  EXPECT_EQ(report->skipped, 3U) << "folder/. is hidden as well";
  EXPECT_TRUE(tree_->resolve("Library/．．/．．/etc/passwd.jpg"));
  EXPECT_TRUE(tree_->resolve("Library/a (2)/．．/．．/b.jpg"));
  EXPECT_TRUE(tree_->resolve("Library/a (2)/b.jpg"));
  EXPECT_TRUE(tree_->resolve("Library/x/y.jpg"));
  EXPECT_TRUE(tree_->resolve("Library/line␊break.jpg"));
  EXPECT_EQ(report->findings.size(), 6U) << "what got another name is told";
  std::string shortened;
  for (const std::string& name : names()) {
    if (name.starts_with("nnn")) shortened = name;
  }
  EXPECT_LE(shortened.size(), 255U);
  EXPECT_TRUE(shortened.ends_with(".jpg"));
  remote_.reset_counts();
  const auto again = adopt();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->already, 7U);
  EXPECT_EQ(remote_.gets(), 0U);
}

TEST_F(AdoptTest, TheFolderOfABucketThatIsCalledLibraryIsNoFolderMore) {
  remote_.place("Library/2019/a.jpg", "a");
  remote_.place("2019/b.jpg", "b");
  ASSERT_TRUE(adopt());
  EXPECT_TRUE(tree_->resolve("Library/2019/a.jpg"));
  EXPECT_TRUE(tree_->resolve("Library/2019/b.jpg"));
  EXPECT_EQ((*catalog_->copy(file("Library/2019/a.jpg").content, "bucket"))->adopted_path, "");
  remote_.place("Library/c.jpg", "c");
  AdoptRequest into;
  into.into = "Library/old";
  ASSERT_TRUE(adopt(into));
  EXPECT_TRUE(tree_->resolve("Library/old/c.jpg"));
}

TEST_F(AdoptTest, ADryRunChangesNothing) {
  remote_.place("a.jpg", some_bytes(kMiB, 1));
  AdoptRequest dry;
  dry.dry_run = true;
  const auto report = adopt(dry);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->photos, 1U);
  EXPECT_EQ(report->original_bytes, kMiB);
  EXPECT_EQ(remote_.gets(), 0U);
  EXPECT_TRUE(names().empty());
}

TEST_F(AdoptTest, TheFirstFullReadRecordsHashesAndFindsTwins) {
  remote_.place("a.jpg", some_bytes(2 * kMiB, 1));
  remote_.place("b.jpg", some_bytes(2 * kMiB, 1));
  ASSERT_TRUE(adopt());
  const auto before = remote_.all();
  ASSERT_TRUE(read_all("Library/a.jpg"));
  EXPECT_EQ(state("Library/a.jpg"), ContentState::kSealed);
  const ContentNo first = file("Library/a.jpg").content;
  EXPECT_EQ((*catalog_->content(first))->sha256, sha256(some_bytes(2 * kMiB, 1)));
  EXPECT_TRUE(local_bytes(first) == some_bytes(2 * kMiB, 1));
  ASSERT_TRUE(read_all("Library/b.jpg"));
  EXPECT_EQ(file("Library/b.jpg").content, first);
  EXPECT_EQ(file("Library/b.jpg").photo, file("Library/a.jpg").photo);
  EXPECT_EQ(remote_.all(), before);
  // Nothing is to be tidied, whatever is asked.
  const auto step = outbox_->next_tidy("bucket", true, nullptr, nullptr);
  ASSERT_TRUE(step);
  EXPECT_FALSE(*step);
  const auto again = adopt();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->already, 2U);
}

TEST_F(AdoptTest, AnOriginalThatWasReadLeavesTheDiskAgainAndComesBackVerified) {
  remote_.place("a.jpg", some_bytes(2 * kMiB, 1));
  ASSERT_TRUE(adopt());
  ASSERT_TRUE(read_all("Library/a.jpg"));
  const ContentNo content = file("Library/a.jpg").content;
  ASSERT_TRUE(contents_->evict(content));
  ASSERT_TRUE(read_all("Library/a.jpg"));
  EXPECT_TRUE(local_bytes(content) == some_bytes(2 * kMiB, 1));
}

TEST_F(AdoptTest, AnObjectThatChangedBehindOurBackIsNeverMixedWithWhatIsHeld) {
  remote_.place("a.jpg", some_bytes(12 * kMiB, 1));
  ASSERT_TRUE(adopt());
  const ContentNo content = file("Library/a.jpg").content;
  ASSERT_TRUE(fetch(*fetcher_, content, {kMiB, 2 * kMiB}));
  remote_.place("a.jpg", some_bytes(12 * kMiB, 2));
  const Status status = read_all("Library/a.jpg");
  EXPECT_EQ(status.code(), Code::kDataLoss);
  EXPECT_NE(status.message().find("changed since it was adopted"), std::string::npos) << status.message();
  EXPECT_NE(fetcher_->last_error("bucket").find("changed since it was adopted"), std::string::npos);
  EXPECT_EQ(state("Library/a.jpg"), ContentState::kAdopted);
  // Adopting again takes what stands there now; of the former bytes nothing is left.
  const auto report = adopt();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->changed, 1U);
  EXPECT_NE(file("Library/a.jpg").content, content);
  ASSERT_TRUE(read_all("Library/a.jpg"));
  EXPECT_TRUE(local_bytes(file("Library/a.jpg").content) == some_bytes(12 * kMiB, 2));
}

TEST_F(AdoptTest, AChangeInTheMiddleOfAReadLeavesNothingOfIt) {
  remote_.place("a.jpg", some_bytes(6 * kMiB, 1));
  ASSERT_TRUE(adopt());
  const ContentNo content = file("Library/a.jpg").content;
  remote_.during_get = [this](const std::string& key) {
    remote_.during_get = nullptr;
    remote_.place(key, some_bytes(6 * kMiB, 2));
  };
  EXPECT_EQ(fetch(*fetcher_, content, {kMiB, 2 * kMiB}).code(), Code::kDataLoss);
  EXPECT_FALSE(contents_->missing(content, {kMiB, 2 * kMiB})->empty());
  EXPECT_EQ(contents_->missing(content, {kMiB, 2 * kMiB})->front().begin, kMiB);
}

TEST_F(AdoptTest, VerifyingReadsWholeWithoutKeepingTheBytes) {
  remote_.place("a.jpg", some_bytes(2 * kMiB, 1));
  remote_.place("b.jpg", some_bytes(2 * kMiB, 2));
  ASSERT_TRUE(adopt());
  remote_.place("b.jpg", some_bytes(2 * kMiB, 3));
  Verifier verifier(*catalog_, *contents_, *outbox_, *fetcher_, clock_);
  VerifyRequest request;
  request.unread = VerifyRequest::Unread::kLeaveOut;
  auto report = verifier.run({&remote_}, request, {}, nullptr);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->to_check, 0U) << "what nobody read is left to its owner";
  request.unread = VerifyRequest::Unread::kOnly;
  request.repair = true;
  report = verifier.run({&remote_}, request, {}, nullptr);
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_EQ(report->checked, 2U);
  EXPECT_EQ(report->damaged, 1U);
  EXPECT_EQ(report->queued_again, 0U);
  EXPECT_EQ(state("Library/a.jpg"), ContentState::kSealed);
  EXPECT_EQ((*catalog_->content(file("Library/a.jpg").content))->residence, Residence::kPartial);
  EXPECT_EQ(state("Library/b.jpg"), ContentState::kAdopted);
  ASSERT_TRUE(read_all("Library/a.jpg"));
  EXPECT_TRUE(local_bytes(file("Library/a.jpg").content) == some_bytes(2 * kMiB, 1));
}

TEST_F(AdoptTest, AnotherRemoteGetsACopyOnceTheBytesWereRead) {
  settings_.remotes.push_back({.name = "nas", .url = "file:///nas"});
  remote_.place("2019/a.jpg", some_bytes(2 * kMiB, 1));
  ASSERT_TRUE(adopt());
  clock_.advance(1000);
  auto found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].content.state, ContentState::kAdopted);
  EXPECT_EQ(found[0].key, "");
  ASSERT_TRUE(read_all("Library/2019/a.jpg"));
  found = ready("nas");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].content.state, ContentState::kSealed);
  EXPECT_EQ(found[0].key, "Library/2019/a.jpg");
}

TEST_F(AdoptTest, ACopyOfTheLibrarysOwnThatSomebodyChangedIsLeftAlone) {
  const ContentNo own = add("own.jpg", "own bytes", {});
  const auto txn = catalog_->begin();
  txn->put_copy(own, "bucket", {"Library/own.jpg", "etag", 9, 1});
  ASSERT_TRUE(txn->commit());
  remote_.place("Library/own.jpg", "other bytes");
  const auto report = adopt();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->skipped, 1U);
  EXPECT_EQ(file("Library/own.jpg").content, own);
}

TEST_F(AdoptTest, AnObjectThatIsWhatTheFileOfItsNameHoldsIsItsCopyAndNoSecondFile) {
  settings_.remotes.push_back({.name = "bucket", .url = "s3://bucket"});
  const std::string bytes = some_bytes(2 * kMiB, 1);
  const ContentNo own = add("a.jpg", bytes, {"bucket"});
  add("b.jpg", some_bytes(2 * kMiB, 2), {});
  remote_.place("a.jpg", bytes);
  remote_.place("b.jpg", some_bytes(2 * kMiB, 3));
  const auto report = adopt();
  ASSERT_TRUE(report) << report.status().message();
  EXPECT_EQ(report->already, 1U);
  EXPECT_EQ(report->photos, 1U);
  EXPECT_EQ(names(), (std::vector<std::string>{"a.jpg", "b (2).jpg", "b.jpg"}));
  ASSERT_TRUE(*catalog_->copy(own, "bucket"));
  EXPECT_EQ((*catalog_->copy(own, "bucket"))->key, "a.jpg");
  EXPECT_EQ(pending("bucket"), 0U);
  remote_.reset_counts();
  ASSERT_TRUE(adopt());
  EXPECT_EQ(remote_.gets(), 0U);
}

TEST_F(AdoptTest, SidecarsThatTheLibraryWroteThereAreNoFiles) {
  OwnerStatements said;
  said.tags = {"beach"};
  remote_.place("a.jpg", some_bytes(kMiB, 1));
  remote_.place("a.jpg.xmp", xmp_sidecar(said, sha256("bytes"), PhotoId(7)));
  remote_.place("b.jpg.xmp", xmp_sidecar(said));
  const auto report = adopt();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->skipped, 1U);
  EXPECT_EQ(names(), (std::vector<std::string>{"a.jpg", "b.jpg.xmp"}));
}

TEST_F(AdoptTest, ANameThatIsTakenGetsANumber) {
  add("a.jpg", "mine", {});
  remote_.place("a.jpg", "theirs");
  const auto report = adopt();
  ASSERT_TRUE(report);
  EXPECT_EQ(names(), (std::vector<std::string>{"a (2).jpg", "a.jpg"}));
  ASSERT_EQ(report->findings.size(), 1U);
  EXPECT_EQ(report->findings[0].why, "Library/a (2).jpg");
}

}  // namespace
}  // namespace shoebox
