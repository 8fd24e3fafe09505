// Uploader, its uploads and the engine around them.

#include "sync/uploader.h"

#include <fcntl.h>

#include "sync/sync_engine.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using testing::FakeRemote;
using testing::some_bytes;

class UploaderTest : public testing::SyncFixture {
 protected:
  void start(bool paused = false, uint32_t connections = 3, Uploader::Options options = {}) {
    options.connections = connections;
    options.backoff.random = [] { return 0.0; };
    uploader_ = std::make_unique<Uploader>(*outbox_, remote_, nullptr, clock_, options);
    outbox_->on_job([this] {
      if (uploader_) uploader_->wake();
      MutexLock lock(mutex_);
      changed_.notify_all();
    });
    uploader_->start(paused);
  }
  void TearDown() override {
    remote_.release();
    if (uploader_) uploader_->stop();
  }
  // Until the queue is empty; time flies meanwhile, so that nothing waits for a back-off.
  void drain() {
    while (pending("nas") > 0) {
      clock_.advance(1);
      uploader_->set_paused(false);  // looks at the clock again
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, std::chrono::milliseconds(2));
    }
  }
  void wait_until(const std::function<bool()>& condition) {
    while (!condition()) {
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, std::chrono::milliseconds(2));
    }
  }

  FakeRemote remote_{"nas"};
  Mutex mutex_;
  ConditionVariable changed_;
  std::unique_ptr<Uploader> uploader_;
};

TEST_F(UploaderTest, QueuedFilesArriveUnderTheirPaths) {
  add("before.jpg", "one", {"nas"});
  start();
  add("after.jpg", "two", {"nas"});
  drain();
  EXPECT_EQ(remote_.object("Library/before.jpg"), "one");
  EXPECT_EQ(remote_.object("Library/after.jpg"), "two");
  EXPECT_EQ(outbox_->totals("nas")->confirmed_files, 2U);
}

TEST_F(UploaderTest, AnOutageIsWaitedOutAndNothingIsLost) {
  remote_.set_down(true);
  for (int i = 0; i < 10; ++i) add("f" + std::to_string(i), "bytes " + std::to_string(i), {"nas"});
  start();
  wait_until([&] { return !uploader_->report().online; });
  EXPECT_EQ(pending("nas"), 10U);
  remote_.set_down(false);
  drain();
  EXPECT_EQ(remote_.keys().size(), 10U);
  EXPECT_TRUE(uploader_->report().online);
}

TEST_F(UploaderTest, ThrottlingLowersHowManyAreSentAtOnceAndSuccessRaisesItAgain) {
  for (int i = 0; i < 60; ++i) add("f" + std::to_string(i), "bytes " + std::to_string(i), {"nas"});
  remote_.fail_next(Status(Code::kThrottled, "503 slow down"));
  start(false, 4);
  wait_until([&] { return uploader_->report().allowed < 4; });
  drain();
  EXPECT_EQ(remote_.keys().size(), 60U);
  EXPECT_EQ(uploader_->report().allowed, 4U);
  EXPECT_LE(remote_.most_at_once(), 4U);
}

TEST_F(UploaderTest, WhatOtherFilesLeaveOfTheConnectionsGoesToThePartsOfOne) {
  remote_.hold();
  add("large.mp4", "one", {"nas"});
  start(false, 4);
  remote_.wait_for_calls(1);
  wait_until([&] { return uploader_->report().running == 1; });  // the first look at the remote is over
  EXPECT_EQ(remote_.shares(), (std::vector<uint32_t>{4}));
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) add(name, name, {"nas"});
  remote_.wait_for_calls(4);
  EXPECT_EQ(remote_.shares(), (std::vector<uint32_t>{1, 1, 1, 1}));
  remote_.release();
  drain();
}

TEST_F(UploaderTest, ARemoteThatAsksToSlowDownGetsFewerPartsAtOnce) {
  add("large.mp4", "one", {"nas"});
  remote_.fail_next(Status(Code::kThrottled, "503 slow down"));
  start(false, 4);
  wait_until([&] { return uploader_->report().allowed == 2; });
  remote_.hold();
  while (remote_.puts() < 2) {
    clock_.advance(1);
    uploader_->set_paused(false);  // looks at the clock again
    MutexLock lock(mutex_);
    changed_.wait_for(mutex_, std::chrono::milliseconds(2));
  }
  remote_.wait_for_calls(2);
  EXPECT_EQ(remote_.shares().back(), 2U);
  remote_.release();
  drain();
}

TEST_F(UploaderTest, ARetryAfterIsHonoured) {
  add("a.jpg", "a", {"nas"});
  remote_.set_retry_after(100);
  remote_.fail_next(Status(Code::kThrottled, "503"));
  start();
  wait_until([&] { return remote_.puts() == 1; });
  wait_until([&] { return uploader_->report().waiting_for.find("slow down") != std::string::npos; });
  wait_until([&] { return uploader_->report().running == 0; });
  int64_t due_s = 0;
  EXPECT_TRUE(ready("nas", 5, &due_s).empty());
  EXPECT_GE(due_s, clock_.now().seconds + 100);
  remote_.set_retry_after(0);
  drain();
}

TEST_F(UploaderTest, PausedNothingIsSentAndWhatIsBeingSentIsBrokenOff) {
  remote_.hold();
  add("a.jpg", "a", {"nas"});
  start();
  remote_.wait_for_calls(1);
  uploader_->set_paused(true);
  wait_until([&] { return uploader_->report().running == 0; });
  EXPECT_EQ(pending("nas"), 1U);
  EXPECT_EQ(uploader_->report().waiting_for, "paused");
  EXPECT_TRUE(ready("nas").size() == 1) << "breaking off is no failure";
  remote_.release();
  uploader_->set_paused(false);
  drain();
  EXPECT_EQ(remote_.object("Library/a.jpg"), "a");
}

TEST_F(UploaderTest, StopBreaksOffWhatHangs) {
  remote_.hold();
  add("a.jpg", "a", {"nas"});
  start();
  remote_.wait_for_calls(1);
  uploader_->stop();
  EXPECT_EQ(pending("nas"), 1U);
}

TEST_F(UploaderTest, RunNowWaitsForNoBackOff) {
  const ContentNo content = add("a.jpg", "a", {"nas"});
  ASSERT_TRUE(outbox_->failed(content, "nas", Status(Code::kUnavailable, "x"), clock_.now().seconds + 9999));
  start();
  uploader_->run_now();
  wait_until([&] { return pending("nas") == 0; });
  EXPECT_EQ(remote_.object("Library/a.jpg"), "a");
}

TEST_F(UploaderTest, ManuallyNothingIsSentBeforeItIsAskedFor) {
  Uploader::Options options;
  options.policy.manual = true;
  for (int i = 0; i < 10; ++i) add("f" + std::to_string(i), "bytes " + std::to_string(i), {"nas"});
  start(false, 3, options);
  wait_until([&] { return !uploader_->report().held.empty(); });
  EXPECT_EQ(uploader_->report().waiting_for, "manual: run shoebox backup now");
  EXPECT_EQ(remote_.puts(), 0U);
  uploader_->run_now();
  wait_until([&] { return pending("nas") == 0; });
  EXPECT_EQ(remote_.keys().size(), 10U);
  wait_until([&] { return !uploader_->report().held.empty(); });
}

TEST_F(UploaderTest, AConnectionThatBecomesMeteredBreaksOffAndHoldsWhatWasAskedForToo) {
  Uploader::Options options;
  options.policy.on_metered = false;
  remote_.hold();
  add("a.jpg", "a", {"nas"});
  start(false, 3, options);
  remote_.wait_for_calls(1);
  uploader_->set_surroundings({.metered = true});
  wait_until([&] { return uploader_->report().running == 0; });
  uploader_->run_now();
  wait_until([&] { return uploader_->report().waiting_for == "the connection is metered"; });
  EXPECT_EQ(pending("nas"), 1U);
  remote_.release();
  uploader_->set_surroundings({});
  drain();
  EXPECT_EQ(remote_.object("Library/a.jpg"), "a");
}

TEST_F(UploaderTest, WhatIsKeptBackIsCountedAndTheRestIsSent) {
  const ContentNo video = add("v.mp4", "moving", {"nas"}, MediaKind::kVideo);
  add("p.jpg", "still", {"nas"}, MediaKind::kPhoto);
  Uploader::Options options;
  options.kept_back = [video](ContentNo content) {
    return content == video ? KeptBack{"videos are not sent there", 6} : KeptBack();
  };
  start(false, 3, options);
  wait_until([&] { return pending("nas") == 1 && uploader_->report().kept_back == 1; });
  wait_until([&] { return uploader_->report().waiting_for == "videos are not sent there"; });
  EXPECT_EQ(uploader_->report().kept_back_bytes, 6U);
  EXPECT_FALSE(remote_.object("Library/v.mp4"));
  EXPECT_EQ(remote_.object("Library/p.jpg"), "still");
}

TEST_F(UploaderTest, WhatStandsUnderTheKeyIsMovedToVersionsAndNotOverwritten) {
  remote_.place("Library/a.jpg", "somebody else's");
  add("a.jpg", "mine", {"nas"});
  start();
  drain();
  EXPECT_EQ(remote_.object("Library/a.jpg"), "mine");
  const auto keys = remote_.keys();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_TRUE(keys[0].starts_with(".shoebox/versions/Library/a.jpg~")) << keys[0];
  EXPECT_EQ(remote_.object(keys[0]), "somebody else's");
}

TEST_F(UploaderTest, ANameThatIsTooLongForAVersionIsKeptUnderItsHash) {
  const std::string name = std::string(246, 'x') + ".jpg";
  remote_.place("Library/" + name, "somebody else's");
  add(name, "mine", {"nas"});
  start();
  drain();
  EXPECT_EQ(remote_.object("Library/" + name), "mine");
  const std::string aside = ".shoebox/versions/" + sha256("Library/" + name).hex() + "~";
  const auto keys = remote_.keys();
  ASSERT_EQ(keys.size(), 2U);
  EXPECT_TRUE(keys[0].starts_with(aside)) << keys[0];
  EXPECT_EQ(remote_.object(keys[0]), "somebody else's");
}

TEST_F(UploaderTest, ANameThatIsTooLongEncryptedGetsAShortKeyOnThatRemoteOnly) {
  RemoteSettings vault;
  vault.url = "file:///vault";
  vault.crypt = true;
  outbox_->set_key_limits("vault", key_limits_of(vault));
  const std::string name = std::string(150, 'x') + ".jpg";
  add(name, "mine", {"nas", "vault"});
  ASSERT_EQ(ready("nas").size(), 1U);
  EXPECT_EQ(ready("nas")[0].key, "Library/" + name);
  ASSERT_EQ(ready("vault").size(), 1U);
  EXPECT_EQ(ready("vault")[0].key, ".shoebox/short/" + sha256("mine").hex() + ".jpg");
}

TEST_F(UploaderTest, AnUploadWhoseAnswerWasLostIsNotSentTwice) {
  remote_.place("Library/a.jpg", "mine");
  add("a.jpg", "mine", {"nas"});
  start();
  drain();
  EXPECT_EQ(remote_.keys().size(), 1U);
}

TEST_F(UploaderTest, ABrokenMultipartUploadResumesUnderItsKeyOnly) {
  add("a.jpg", "a", {"nas"});
  remote_.save_progress_of_next_put("upload 7");
  remote_.fail_next(Status(Code::kTimeout, "broken off"));
  start();
  wait_until([&] { return remote_.puts() >= 1; });
  drain();
  EXPECT_EQ(remote_.last_progress(), "upload 7");

  add("b.jpg", "b", {});
  uploader_->set_paused(true);
  const ContentNo content = catalog_->content_by_hash(sha256("b")).value().value();
  {
    const auto txn = catalog_->begin();
    txn->put_job({content, "nas", 0, 0, "", "Library/old-name.jpg\nupload 8"});
    ASSERT_TRUE(txn->commit());
  }
  uploader_->set_paused(false);
  drain();
  EXPECT_EQ(remote_.last_progress(), "");
}

TEST_F(UploaderTest, AFileDeletedWhileItIsSentIsForgotten) {
  remote_.hold();
  const ContentNo content = add("a.jpg", "a", {"nas"});
  start();
  remote_.wait_for_calls(1);
  {
    const auto txn = catalog_->begin();
    ASSERT_TRUE(txn->erase_content(content));
    ASSERT_TRUE(txn->commit());
  }
  remote_.release();
  wait_until([&] { return uploader_->report().running == 0; });
  EXPECT_EQ(pending("nas"), 0U);
  EXPECT_TRUE(outbox_->copies(content)->empty());
}

TEST_F(UploaderTest, WrongCredentialsAreReportedAndWaitFails) {
  auto owned = std::make_unique<FakeRemote>("nas");
  FakeRemote& remote = *owned;
  remote.fail_next(Status(Code::kUnauthorized, "wrong key"), 1000);
  add("a.jpg", "a", {"nas"});
  RemoteSettings settings;
  settings.name = "nas";
  settings.url = "s3://bucket";
  SyncEngine engine({*catalog_,
                     *contents_,
                     *outbox_,
                     clock_,
                     {settings},
                     [&](const RemoteSettings&, bool) -> Result<std::unique_ptr<Remote>> {
                       return std::unique_ptr<Remote>(std::move(owned));
                     },
                     {},
                     0,
                     {}});
  engine.start();
  const Status status = engine.wait({}, nullptr);
  EXPECT_EQ(status.code(), Code::kUnauthorized);
  EXPECT_NE(status.message().find("wrong key"), std::string::npos);
  engine.stop();
}

TEST_F(UploaderTest, TheEngineSendsToASecondRemoteWhatOnlyTheFirstHas) {
  auto first = std::make_unique<FakeRemote>("first");
  auto second = std::make_unique<FakeRemote>("second");
  FakeRemote& there = *second;
  const std::string bytes = some_bytes(3 << 20);
  const ContentNo content = add("a.jpg", bytes, {});
  first->place("Library/a.jpg", bytes);
  {
    const auto txn = catalog_->begin();
    txn->put_copy(content, "first", {"Library/a.jpg", "e", bytes.size(), 1});
    ASSERT_TRUE(txn->commit());
  }
  ASSERT_TRUE(contents_->evict(content));
  RemoteSettings one, two;
  one.name = "first";
  two.name = "second";
  SyncEngine engine({*catalog_,
                     *contents_,
                     *outbox_,
                     clock_,
                     {one, two},
                     [&](const RemoteSettings& s, bool used) -> Result<std::unique_ptr<Remote>> {
                       EXPECT_EQ(used, s.name == "first");
                       return std::unique_ptr<Remote>(std::move(s.name == "first" ? first : second));
                     },
                     {},
                     5,
                     {}});
  engine.start();
  EXPECT_TRUE(engine.wait({}, nullptr));
  EXPECT_TRUE(there.object("Library/a.jpg") == bytes);
  const auto status = engine.status();
  ASSERT_TRUE(status);
  EXPECT_EQ((*status)[1].confirmed_files, 1U);
  EXPECT_GT((*status)[0].bytes_received, 0U);
  engine.stop();
}

TEST_F(UploaderTest, TheEngineWaitsForNoVideoThatAQuotaKeepsBack) {
  const ContentNo first = add("1.mp4", "twelve bytes", {"nas"}, MediaKind::kVideo);
  RemoteSettings settings;
  settings.name = "nas";
  settings.policy.video_quota_bytes = 20;
  const auto make = [](const RemoteSettings& s, bool) -> Result<std::unique_ptr<Remote>> {
    return std::unique_ptr<Remote>(std::make_unique<FakeRemote>(s.name));
  };
  SyncEngine engine({*catalog_, *contents_, *outbox_, clock_, {settings}, make, {}, 0, {}});
  engine.start();
  EXPECT_TRUE(engine.wait({}, nullptr));
  add("2.mp4", "other twelve", {"nas"}, MediaKind::kVideo);
  add("p.jpg", "a photo of more than the quota", {"nas"}, MediaKind::kPhoto);
  EXPECT_TRUE(engine.wait({}, nullptr));
  EXPECT_EQ(pending("nas"), 1U);
  EXPECT_TRUE(*catalog_->copy(first, "nas"));
  EXPECT_EQ((*engine.status())[0].waiting_for, "the quota for videos is full");
}

TEST_F(UploaderTest, PauseStandsAfterARestartAndWaitSaysSo) {
  add("a.jpg", "a", {"nas"});
  RemoteSettings settings;
  settings.name = "nas";
  const auto make = [](const RemoteSettings& s, bool) -> Result<std::unique_ptr<Remote>> {
    return std::unique_ptr<Remote>(std::make_unique<FakeRemote>(s.name));
  };
  {
    SyncEngine engine({*catalog_, *contents_, *outbox_, clock_, {settings}, make, {}, 5, {}});
    ASSERT_TRUE(engine.pause());
  }
  SyncEngine engine({*catalog_, *contents_, *outbox_, clock_, {settings}, make, {}, 5, {}});
  engine.start();
  EXPECT_EQ(engine.wait({}, nullptr).code(), Code::kBusy);
  EXPECT_TRUE((*engine.status())[0].paused);
  ASSERT_TRUE(engine.resume());
  EXPECT_TRUE(engine.wait({}, nullptr));
}

TEST_F(UploaderTest, ARemoteThatCannotBeMadeIsReportedAndTheOthersGoOn) {
  add("a.jpg", "a", {"bad", "good"});
  RemoteSettings bad, good;
  bad.name = "bad";
  good.name = "good";
  SyncEngine engine({*catalog_,
                     *contents_,
                     *outbox_,
                     clock_,
                     {bad, good},
                     [](const RemoteSettings& s, bool) -> Result<std::unique_ptr<Remote>> {
                       if (s.name == "bad") return Status(Code::kInvalid, "no such scheme");
                       return std::unique_ptr<Remote>(std::make_unique<FakeRemote>(s.name));
                     },
                     {},
                     5,
                     {}});
  engine.start();
  wait_until([&] { return pending("good") == 0; });
  EXPECT_EQ(engine.wait({}, nullptr).code(), Code::kInvalid);
  EXPECT_EQ((*engine.status())[0].last_error, "no such scheme");
}

TEST_F(UploaderTest, WhatTheDiskSpoiledIsToldFromWhatARemoteGotWrong) {
  const ContentNo spoiled = add("spoiled.jpg", "as it was written", {"nas"});
  {
    const auto fd = contents_->open_local(spoiled);
    ASSERT_TRUE(fd);
    const std::string path = "/proc/self/fd/" + std::to_string(fd->get());
    ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
    const auto writable = open_file(path, O_WRONLY);
    ASSERT_TRUE(writable) << writable.status().message();
    ASSERT_TRUE(pwrite_full(writable->get(), "X", 1, 3));
  }
  start(false, 1);
  wait_until([&] { return outbox_->totals("nas")->damaged_files == 1; });
  EXPECT_TRUE(uploader_->report().online);
  EXPECT_EQ(pending("nas"), 1U);

  // The same answer for sound bytes is the remote's fault, and tried again.
  remote_.fail_next(Status(Code::kDataLoss, "put: other bytes arrived"));
  add("sound.jpg", "sound", {"nas"});
  while (pending("nas") > 1) {
    clock_.advance(1);
    uploader_->set_paused(false);
    MutexLock lock(mutex_);
    changed_.wait_for(mutex_, std::chrono::milliseconds(2));
  }
  EXPECT_EQ(remote_.object("Library/sound.jpg"), "sound");
  EXPECT_EQ(outbox_->totals("nas")->damaged_files, 1U);
}

}  // namespace
}  // namespace shoebox
