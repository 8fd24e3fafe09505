#include "sync/verifier.h"

#include <gmock/gmock.h>

#include "sync/fetcher.h"
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

TEST_F(VerifierTest, MissingAndDamagedAreToldApartAndSentAgainOnlyWhenAsked) {
  const ContentNo gone = add_copied("gone.jpg", "gone", {&nas_});
  const ContentNo rotten = add_copied("rotten.jpg", "fresh", {&nas_});
  ASSERT_TRUE(nas_.remove("Library/gone.jpg", {}));
  nas_.place("Library/rotten.jpg", "FRESH");
  VerifyReport report = run();
  EXPECT_EQ(report.missing, 1U);
  EXPECT_EQ(report.damaged, 1U);
  EXPECT_EQ(report.findings.size(), 2U);
  EXPECT_EQ(pending("nas"), 0U);
  EXPECT_TRUE(*catalog_->copy(gone, "nas"));

  VerifyRequest request;
  request.repair = true;
  report = run(request);
  EXPECT_EQ(report.queued_again, 2U);
  EXPECT_EQ(pending("nas"), 2U);
  EXPECT_FALSE(*catalog_->copy(rotten, "nas"));
  EXPECT_FALSE(nas_.object("Library/rotten.jpg")) << "it would be taken for the upload that is to come";
  bool aside = false;
  for (const std::string& key : nas_.keys())
    aside = aside || (key.starts_with(".shoebox/versions/Library/rotten.jpg") && nas_.object(key) == "FRESH");
  EXPECT_TRUE(aside) << "nothing of the owner's is deleted";
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

}  // namespace
}  // namespace shoebox
