#include "sync/verifier.h"

#include <gmock/gmock.h>

#include "store/base/hash.h"
#include "store/lost_copies.h"
#include "sync/fetcher.h"
#include "sync/remote/temporary.h"
#include "sync/tidy.h"
#include "sync/upload.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::FakeRemote;
using ::testing::HasSubstr;
using testing::some_bytes;

class VerifierTest : public testing::SyncFixture {
 protected:
  void SetUp() override {
    SyncFixture::SetUp();
    fetcher_ = std::make_unique<Fetcher>(*catalog_, *contents_, clock_, Fetcher::Options());
    fetcher_->add_remote(nas_);
    fetcher_->add_remote(cloud_);
    fetcher_->start();
    verifier_ = std::make_unique<Verifier>(*catalog_, *contents_, *outbox_, *fetcher_, clock_);
  }
  void TearDown() override { fetcher_->stop(); }

  // A content whose copies stand on these remotes, confirmed long ago.
  ContentNo add_copied(const std::string& name, const std::string& bytes, std::vector<FakeRemote*> on) {
    const ContentNo content = add(name, bytes, {});
    const auto txn = catalog_->begin();
    for (FakeRemote* remote : on) {
      remote->place("Library/" + name, bytes);
      txn->put_copy(content, remote->name(), {"Library/" + name, "etag", bytes.size(), 1000});
    }
    EXPECT_TRUE(txn->commit());
    return content;
  }
  VerifyReport run(VerifyRequest request = {}) {
    const auto report = verifier_->run({&nas_, &cloud_}, request, {}, nullptr);
    EXPECT_TRUE(report) << report.status().message();
    return report ? *report : VerifyReport();
  }

  void send_all() {
    for (const ReadyUpload& upload : ready("nas")) {
      RequestHints hints;
      const auto copy = Upload{*outbox_, nas_, fetcher_.get(), clock_}.send(upload, {}, hints);
      ASSERT_TRUE(copy) << copy.status().message();
      ASSERT_TRUE(outbox_->confirmed(upload.job.content, "nas", *copy));
      outbox_->ended(upload.job.content, "nas");
    }
  }
  bool stands_aside(const std::string& bytes) {
    for (const std::string& key : nas_.keys())
      if (key.starts_with(".shoebox/versions/Library/rotten.jpg") && nas_.object(key) == bytes) return true;
    return false;
  }

  FakeRemote nas_{"nas"}, cloud_{"cloud"};
  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<Verifier> verifier_;
};

TEST_F(VerifierTest, GoodCopiesAreNotedAsSeenNow) {
  const ContentNo content = add_copied("a.jpg", some_bytes(300'000), {&nas_, &cloud_});
  add_copied("empty", "", {&nas_});
  const VerifyReport report = run();
  EXPECT_EQ(report.checked, 3U);
  EXPECT_EQ(report.checked_bytes, 600'000U);
  EXPECT_EQ(report.missing + report.damaged + report.unchecked, 0U);
  EXPECT_EQ((*catalog_->copy(content, "nas"))->confirmed_s, clock_.now().seconds);
  VerifyRequest older;
  older.confirmed_before_s = clock_.now().seconds;
  EXPECT_EQ(run(older).to_check, 0U) << "seen just now";
}

TEST_F(VerifierTest, MissingAndDamagedAreToldApartAndCountNoMore) {
  const ContentNo gone = add_copied("gone.jpg", "gone", {&nas_});
  const ContentNo rotten = add_copied("rotten.jpg", "fresh", {&nas_});
  ASSERT_TRUE(nas_.remove("Library/gone.jpg", {}));
  nas_.place("Library/rotten.jpg", "FRESH");
  const VerifyReport report = run();
  EXPECT_EQ(report.missing, 1U);
  EXPECT_EQ(report.damaged, 1U);
  EXPECT_EQ(report.findings.size(), 2U);
  EXPECT_FALSE(*catalog_->copy(gone, "nas")) << "else the bytes here could be evicted";
  EXPECT_EQ(report.queued_again, 2U);
  EXPECT_EQ(pending("nas"), 2U);
  EXPECT_FALSE(*catalog_->copy(rotten, "nas"));
  EXPECT_EQ(nas_.object("Library/rotten.jpg"), "FRESH") << "nothing is done there before this disk knows why";

  nas_.set_trusting(true);  // it would take the bad one for the upload
  send_all();
  EXPECT_EQ(nas_.object("Library/rotten.jpg"), "fresh");
  EXPECT_EQ(nas_.object("Library/gone.jpg"), "gone");
  EXPECT_TRUE(stands_aside("FRESH")) << "nothing of the owner's is deleted";
  EXPECT_EQ(pending("nas"), 0U);
}

TEST_F(VerifierTest, ABadObjectIsKeptAsideAlsoWhenItsFileIsCalledSomethingElseByThen) {
  add_copied("rotten.jpg", "fresh", {&nas_});
  nas_.place("Library/rotten.jpg", "FRESH");
  VerifyRequest request;
  request.repair = true;
  ASSERT_EQ(run(request).queued_again, 1U);
  rename("rotten.jpg", "renamed.jpg");
  send_all();
  EXPECT_EQ(nas_.object("Library/renamed.jpg"), "fresh");
  for (auto step = *outbox_->next_tidy("nas", true, nullptr, nullptr); step;
       step = *outbox_->next_tidy("nas", true, nullptr, nullptr)) {
    RequestHints hints;
    ASSERT_TRUE((Tidy{*outbox_, nas_, clock_}.run(*step, {}, hints)));
  }
  EXPECT_FALSE(nas_.object("Library/rotten.jpg"));
  EXPECT_TRUE(stands_aside("FRESH"));
}

TEST_F(VerifierTest, AnEmptyFileMustStandThereToo) {
  add_copied("gone", "", {&nas_});
  add_copied("grown", "", {&cloud_});
  ASSERT_TRUE(nas_.remove("Library/gone", {}));
  cloud_.place("Library/grown", "bytes");
  const VerifyReport report = run();
  EXPECT_EQ(report.missing, 1U);
  EXPECT_EQ(report.damaged, 1U);
}

TEST_F(VerifierTest, ARemoteThatDoesNotAnswerHasLostNothing) {
  for (int i = 0; i < 5; ++i) add_copied("f" + std::to_string(i), "bytes", {&nas_});
  add_copied("on the other", "bytes there", {&cloud_});
  nas_.set_down(true);
  VerifyRequest request;
  request.repair = true;
  const VerifyReport report = run(request);
  EXPECT_EQ(report.unchecked, 5U);
  EXPECT_EQ(report.checked, 1U);
  EXPECT_EQ(report.missing + report.damaged, 0U);
  EXPECT_EQ(pending("nas"), 0U);
  EXPECT_LE(nas_.gets().size(), 1U) << "given up after the first";
}

TEST_F(VerifierTest, AnEvictedOriginalIsRepairedFromTheOtherRemote) {
  const std::string bytes = some_bytes(2 << 20);
  const ContentNo content = add_copied("a.jpg", bytes, {&nas_, &cloud_});
  ASSERT_TRUE(contents_->evict(content));
  nas_.place("Library/a.jpg", std::string(bytes.size(), 'x'));
  VerifyRequest request;
  request.remote = "nas";
  request.repair = true;
  const VerifyReport report = run(request);
  EXPECT_EQ(report.damaged, 1U);
  EXPECT_EQ(report.queued_again, 1U);
  EXPECT_EQ(pending("nas"), 1U);
  EXPECT_TRUE(local_bytes(content) == bytes);
}

TEST_F(VerifierTest, TheOnlyCopyIsNeverForgotten) {
  const std::string bytes = some_bytes(2 << 20);
  const ContentNo content = add_copied("a.jpg", bytes, {&nas_});
  ASSERT_TRUE(contents_->evict(content));
  nas_.place("Library/a.jpg", std::string(bytes.size(), 'x'));
  VerifyRequest request;
  request.repair = true;
  const VerifyReport report = run(request);
  EXPECT_EQ(report.damaged, 1U);
  EXPECT_EQ(report.queued_again, 0U);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_THAT(report.findings[0].why, HasSubstr("only copy"));
  EXPECT_TRUE(*catalog_->copy(content, "nas"));
  EXPECT_EQ((*count_lost_copies(*catalog_))["nas"], 1U);
  nas_.place("Library/a.jpg", bytes);  // the NAS was found again
  EXPECT_EQ(run().damaged, 0U);
  EXPECT_EQ((*count_lost_copies(*catalog_))["nas"], 0U);
}

TEST_F(VerifierTest, ABitThatFlippedOnTheWayOnceIsNoDamage) {
  add_copied("a.jpg", "bytes", {&nas_});
  nas_.fail_next(Status(Code::kDataLoss, "fake: the body ended early"));
  const VerifyReport report = run();
  EXPECT_EQ(report.damaged, 0U);
  EXPECT_EQ(report.checked, 1U);
  EXPECT_EQ(nas_.gets().size(), 2U);
}

TEST_F(VerifierTest, ASampleReadsAShare) {
  for (int i = 0; i < 400; ++i) add_copied("f" + std::to_string(i), "bytes " + std::to_string(i), {&nas_});
  VerifyRequest request;
  request.share = 0.25;
  const uint64_t read = run(request).to_check;
  EXPECT_GT(read, 40U);
  EXPECT_LT(read, 200U);
}

// --- sidecars, read back with the originals that they stand beside

class VerifierSidecarTest : public VerifierTest {
 protected:
  // One that was sent.
  void SetUp() override {
    VerifierTest::SetUp();
    photo_ = **catalog_->photo_of_content(add_copied("a.jpg", "photo", {&nas_}));
    send("said");
  }
  void send(const std::string& bytes, const std::string& etag = "etag") {
    nas_.place(kKey, bytes);
    const auto txn = catalog_->begin();
    txn->put_sidecar(photo_, "nas", {kKey, etag, bytes.size(), sha256(bytes)});
    ASSERT_TRUE(txn->commit());
    look();
  }
  // The sender looked whether there is something to be sent, as it does after each note about a copy.
  void look() {
    const auto txn = catalog_->begin();
    txn->erase_sidecar_mark("nas", photo_);
    ASSERT_TRUE(txn->commit());
  }
  [[nodiscard]] bool is_sent_again() const { return catalog_->sidecar_mark("nas", photo_)->has_value(); }

  static constexpr const char* kKey = "Library/a.jpg.xmp";
  PhotoId photo_;
};

TEST_F(VerifierSidecarTest, AGoodOneIsCountedAndNothingMore) {
  const VerifyReport report = run();
  EXPECT_EQ(report.sidecars, 1U);
  EXPECT_EQ(report.checked, 1U);
  EXPECT_EQ(report.missing + report.damaged + report.unchecked, 0U);
  EXPECT_TRUE(*catalog_->sidecar(photo_, "nas"));
}

TEST_F(VerifierSidecarTest, AMissingOneIsSentAgainOnlyWhenAsked) {
  ASSERT_TRUE(nas_.remove(kKey, {}));
  EXPECT_EQ(run().missing, 1U);
  EXPECT_TRUE(*catalog_->sidecar(photo_, "nas"));
  look();
  VerifyRequest request;
  request.repair = true;
  EXPECT_EQ(run(request).queued_again, 1U);
  EXPECT_TRUE(is_sent_again());
  EXPECT_FALSE(*catalog_->sidecar(photo_, "nas"));
}

TEST_F(VerifierSidecarTest, ADamagedOneStaysKnownAsOursAndIsReplaced) {
  nas_.place(kKey, "SAID");  // under the same ETag
  VerifyRequest request;
  request.repair = true;
  const VerifyReport report = run(request);
  EXPECT_EQ(report.damaged, 1U);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].what, "damaged");
  const auto standing = *catalog_->sidecar(photo_, "nas");
  ASSERT_TRUE(standing);
  EXPECT_EQ(standing->etag, "etag");
  EXPECT_TRUE(standing->sha256.is_zero()) << "whatever is to be said, it is not what stands there";
  EXPECT_TRUE(is_sent_again());
}

TEST_F(VerifierSidecarTest, WhatSomebodyWroteInItsPlaceIsTheirs) {
  send("said", "another etag");
  nas_.place(kKey, "theirs");
  VerifyRequest request;
  request.repair = true;
  const VerifyReport report = run(request);
  EXPECT_EQ(report.damaged, 1U);
  EXPECT_EQ(report.findings.at(0).what, "replaced by something else");
  EXPECT_FALSE(*catalog_->sidecar(photo_, "nas")) << "the sender finds out whose it is";
  EXPECT_EQ(nas_.object(kKey), "theirs");
}

TEST_F(VerifierSidecarTest, TheRightBytesUnderAnotherEtagAreOursByIt) {
  send("said", "another etag");
  EXPECT_EQ(run().damaged, 0U);
  EXPECT_EQ((*catalog_->sidecar(photo_, "nas"))->etag, "etag");
}

TEST_F(VerifierSidecarTest, ARemoteThatFailsHasLostNone) {
  nas_.before_get = [this] {
    if (nas_.gets().size() == 1) nas_.fail_next({Code::kUnavailable, "out of order"});
  };
  VerifyRequest request;
  request.repair = true;
  const VerifyReport report = run(request);
  EXPECT_EQ(report.unchecked, 1U);
  EXPECT_EQ(report.missing + report.damaged + report.queued_again, 0U);
}

// --- what uploads that were broken off left

TEST_F(VerifierTest, WhatBrokenOffUploadsLeftIsRemovedUnlessSomebodyGoesOnWithIt) {
  const ContentNo content = add_copied("a.jpg", "bytes", {&nas_});
  add("b.jpg", "to be sent", {"nas"});
  ASSERT_TRUE(outbox_->save_progress(add("c.jpg", "half sent", {"nas"}), "nas",
                                     "key\nmultipart 1 9 noted\n1 etag\n"));
  ASSERT_TRUE(outbox_->sending(ready("nas").front().job.content, "nas", "Library/b.jpg"));
  nas_.leave("", "temporary");
  nas_.leave("Library/a.jpg", "begun before it was sent");
  nas_.leave("Library/b.jpg", "begun, and its id forgotten");
  nas_.leave("Library/b.jpg", "noted");
  nas_.leave(".shoebox/versions/d.jpg", "a copy that was broken off");
  nas_.leave("Library/theirs.jpg", "of another program");
  const VerifyReport report = run();
  EXPECT_EQ(report.leftovers, 4U);
  EXPECT_EQ(nas_.leftovers(), (std::vector<std::string>{"noted", "of another program"}));
  EXPECT_TRUE(*catalog_->copy(content, "nas"));
}

TEST_F(VerifierTest, ProbesThatACrashLeftAreRemovedAndThoseOfOthersWorkAreNot) {
  const auto own = new_temporary_name();
  nas_.place(".shoebox/probe-" + std::string(32, '0'), "left");
  nas_.place(".shoebox/probe-" + *own, "of this moment");
  nas_.place(".shoebox/probe-1-a", "tidying knows");
  {
    const auto txn = catalog_->begin();
    txn->put_loose("nas", ".shoebox/probe-1-a", {ContentNo(), "", 1, ContentHash(), 0, 0, ""});
    ASSERT_TRUE(txn->commit());
  }
  EXPECT_EQ(run().leftovers, 1U);
  EXPECT_EQ(nas_.keys().size(), 2U);
}

TEST_F(VerifierTest, WhereLeftoversCannotBeLookedForItIsTold) {
  nas_.leave("", "temporary");
  nas_.fail_next({Code::kUnavailable, "out of order"});
  const VerifyReport report = run();
  EXPECT_EQ(report.leftovers, 0U);
  ASSERT_EQ(report.findings.size(), 1U);
  EXPECT_EQ(report.findings[0].what, "leftovers not looked for");
  EXPECT_EQ(nas_.leftovers().size(), 1U);
  VerifyRequest quiet;
  quiet.wake_remotes = false;
  EXPECT_EQ(run(quiet).leftovers, 0U) << "nothing was read there: its disk may sleep";
  EXPECT_EQ(run().leftovers, 1U);
}

}  // namespace
}  // namespace shoebox
