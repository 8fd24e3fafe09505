// Remotes that come, go and change while the engine runs.
#include <gmock/gmock.h>

#include <map>

#include "store/library_remotes.h"
#include "store/live_settings.h"
#include "store/remote_edit.h"
#include "sync/sync_engine.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox {
namespace {

using ::testing::ElementsAre;
using testing::FakeRemote;
using testing::some_bytes;

class EngineChangeTest : public testing::SyncFixture {
 protected:
  void begin(std::vector<RemoteSettings> remotes) {
    settings_.remotes = std::move(remotes);
    engine_ = std::make_unique<SyncEngine>(SyncEngine::Dependencies{
        .catalog = *catalog_,
        .contents = *contents_,
        .outbox = *outbox_,
        .clock = clock_,
        .remotes = settings_.remotes,
        .make_remote = [this](const RemoteSettings& remote, bool) -> Result<std::unique_ptr<Remote>> {
          if (remote.url == "file:///broken") return Status(Code::kInvalid, "no such folder");
          auto made = std::make_unique<FakeRemote>(remote.name);
          for (const auto& [key, bytes] : placed_) made->place(key, bytes);
          made_[remote.name].push_back(made.get());
          return std::unique_ptr<Remote>(std::move(made));
        },
        .on_disk_full = {},
        .quiet_s = 0,
        .fetcher = {},
        .catalog_backup = {},
        .admit = [this](const RemoteSettings& remote) -> Result<std::function<void()>> {
          if (remote.name == refused_) return Status(Code::kUnauthorized, "a wrong passphrase");
          if (remote.name != renewed_) return std::function<void()>();
          return std::function<void()>([this, name = remote.name] { taken_over_.push_back(name); });
        }});
    for (const RemoteSettings& remote : settings_.remotes) ASSERT_TRUE(outbox_->enqueue_missing(remote.name));
    engine_->start();
  }
  void TearDown() override {
    if (engine_) engine_->stop();
    engine_.reset();
  }
  // As Library does it.
  Status change(std::vector<RemoteSettings> remotes, const std::function<void()>& meanwhile = nullptr) {
    Settings next = settings_;
    next.remotes = std::move(remotes);
    return engine_->change_settings({.read = [&]() -> Result<Settings> { return next; },
                                     .apply = [&](const Settings& read) -> Status {
                                       if (meanwhile) meanwhile();
                                       for (const RemoteSettings& old : settings_.remotes) {
                                         const bool stays = std::any_of(
                                             read.remotes.begin(), read.remotes.end(),
                                             [&](const auto& one) { return one.name == old.name; });
                                         if (!stays) SHOEBOX_TRY(outbox_->stop_serving(old.name));
                                       }
                                       settings_.remotes = read.remotes;
                                       return reconcile_remotes(*catalog_, *outbox_, read);
                                     }});
  }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    const auto status = engine_->status();
    for (const RemoteStatus& one : *status) all.push_back(one.name);
    return all;
  }
  void drain() {
    while (true) {
      clock_.advance(1);
      EXPECT_TRUE(engine_->run_now());
      uint64_t left = 0;
      const auto status = engine_->status();
      for (const RemoteStatus& one : *status) left += one.pending_files;
      if (left == 0) return;
      std::this_thread::yield();
    }
  }
  FakeRemote& last(const std::string& name) { return *made_.at(name).back(); }

  std::map<std::string, std::vector<FakeRemote*>> made_;  // those before the last one may be gone
  std::map<std::string, std::string> placed_;             // stands on each remote that is made
  std::string refused_, renewed_;
  std::vector<std::string> taken_over_;  // the remote that must not be gone on with
  std::unique_ptr<SyncEngine> engine_;
};

const RemoteSettings kNas{.name = "nas", .url = "file:///nas"};
const RemoteSettings kAttic{.name = "attic", .url = "file:///attic"};

TEST_F(EngineChangeTest, ANewRemoteFillsUp) {
  add("a.jpg", "one", {});
  begin({kNas});
  drain();
  ASSERT_TRUE(change({kAttic, kNas}));
  EXPECT_THAT(names(), ElementsAre("attic", "nas"));
  add("b.jpg", "two", {"nas", "attic"});
  drain();
  EXPECT_EQ(last("attic").object("Library/a.jpg"), "one");
  EXPECT_EQ(last("attic").object("Library/b.jpg"), "two");
  EXPECT_EQ(made_["nas"].size(), 1U) << "the one that stays is left alone";
}

TEST_F(EngineChangeTest, WhatIsUnderWayToARemoteThatGoesIsBrokenOffAndLeavesNoJob) {
  begin({kNas, kAttic});
  last("attic").hold();
  const ContentNo content = add("a.jpg", "one", {"nas", "attic"});
  ASSERT_TRUE(engine_->run_now());
  last("attic").wait_for_calls(1);
  ASSERT_TRUE(let_go_of_remote(*catalog_, settings_.remotes, "attic"));
  ASSERT_TRUE(change({kNas}));
  EXPECT_THAT(names(), ElementsAre("nas"));
  const auto jobs = catalog_->jobs_of_content(content);
  ASSERT_TRUE(jobs);
  for (const UploadJob& job : *jobs) EXPECT_EQ(job.remote, "nas");
  drain();
  EXPECT_TRUE(engine_->wait({}, nullptr));
  add("b.jpg", "two", {"nas"});
  EXPECT_EQ(pending("attic"), 0U);
}

TEST_F(EngineChangeTest, AReadGoesOnAtAnotherRemoteWhenItsOwnLeaves) {
  const std::string bytes = some_bytes(3 << 20);
  const ContentNo content = add("a.jpg", bytes, {});
  {
    const auto txn = catalog_->begin();
    for (const char* remote : {"nas", "attic"})
      txn->put_copy(content, remote, {"Library/a.jpg", "etag", bytes.size(), 1});
    ASSERT_TRUE(txn->commit());
  }
  ASSERT_TRUE(contents_->evict(content));
  placed_["Library/a.jpg"] = bytes;
  begin({kNas, kAttic});
  std::atomic<int> asked{0};
  last("nas").before_get = [&] { ++asked; };
  last("nas").hold();
  std::promise<Status> answer;
  engine_->source().fetch(content, {0, bytes.size()}, {},
                          [&](Status status) { answer.set_value(std::move(status)); });
  last("nas").wait_for_calls(1);
  ASSERT_TRUE(change({kAttic}));
  EXPECT_TRUE(answer.get_future().get());
  ASSERT_TRUE(contents_->settle_fetched(content));
  EXPECT_TRUE(local_bytes(content) == bytes);
}

TEST_F(EngineChangeTest, AnotherPolicyMakesTheRemoteAnewAndReadsSeeNoGap) {
  const std::string bytes = some_bytes(3 << 20);
  const ContentNo content = add("a.jpg", bytes, {});
  {
    const auto txn = catalog_->begin();
    txn->put_copy(content, "nas", {"Library/a.jpg", "etag", bytes.size(), 1});
    ASSERT_TRUE(txn->commit());
  }
  ASSERT_TRUE(contents_->evict(content));
  placed_["Library/a.jpg"] = bytes;
  begin({kNas});
  RemoteSettings manual = kNas;
  manual.policy.manual = true;
  ASSERT_TRUE(change({manual}, [&] {
    EXPECT_TRUE(fetch(engine_->source(), content, {0, bytes.size()})) << "in the middle of the change";
  }));
  EXPECT_EQ(made_["nas"].size(), 2U);
  add("b.jpg", "two", {"nas"});
  EXPECT_NE(engine_->wait({}, nullptr).message().find("manual"), std::string::npos);
}

TEST_F(EngineChangeTest, ARemoteThatCannotBeUsedIsTriedAgainWithTheNextChange) {
  RemoteSettings broken = kAttic;
  broken.url = "file:///broken";
  begin({kNas});
  ASSERT_TRUE(change({kNas, broken}));
  EXPECT_FALSE(engine_->status()->at(1).online);
  ASSERT_TRUE(change({kNas, kAttic}));
  add("a.jpg", "one", {"nas", "attic"});
  drain();
  EXPECT_EQ(last("attic").object("Library/a.jpg"), "one");
}

TEST_F(EngineChangeTest, ARemoteWhosePassphraseIsWrongChangesNothing) {
  begin({kNas});
  refused_ = "attic";
  bool applied = false;
  Settings next = settings_;
  next.remotes = {kAttic};
  const SettingsChange asked{.read = [&]() -> Result<Settings> { return next; },
                             .apply =
                                 [&](const Settings&) {
                                   applied = true;
                                   return Status::ok();
                                 },
                             .look_at_secrets = true};
  EXPECT_EQ(engine_->change_settings(asked).code(), Code::kUnauthorized);
  EXPECT_FALSE(applied);
  add("a.jpg", "one", {"nas"});
  drain();
  EXPECT_EQ(last("nas").object("Library/a.jpg"), "one");
}

TEST_F(EngineChangeTest, NewKeysAreTakenOverOnlyWhenAllAreAdmittedAndTheirRemoteBeginsAnew) {
  begin({kNas, kAttic});
  const SettingsChange asked{.read = [&]() -> Result<Settings> { return settings_; },
                             .apply = [](const Settings&) { return Status::ok(); },
                             .look_at_secrets = true};
  renewed_ = "nas";
  refused_ = "attic";
  EXPECT_EQ(engine_->change_settings(asked).code(), Code::kUnauthorized);
  EXPECT_TRUE(taken_over_.empty());
  EXPECT_EQ(made_["nas"].size(), 1U);
  refused_.clear();
  EXPECT_TRUE(engine_->change_settings(asked));
  EXPECT_EQ(taken_over_, std::vector<std::string>{"nas"});
  EXPECT_EQ(made_["nas"].size(), 2U) << "its settings are the same, its keys are not";
  EXPECT_EQ(made_["attic"].size(), 1U);
}

TEST_F(EngineChangeTest, AnEditedRemoteIsLookedAtWhoeverReadsTheSettings) {
  begin({kNas});
  renewed_ = "nas";
  ASSERT_TRUE(change({kNas, kAttic}));
  EXPECT_TRUE(taken_over_.empty()) << "as it was";
  RemoteSettings moved = kNas;
  moved.url = "file:///elsewhere";
  ASSERT_TRUE(change({moved, kAttic}));
  EXPECT_EQ(taken_over_, std::vector<std::string>{"nas"});
}

TEST_F(EngineChangeTest, ARemoteThatCannotBeReachedIsKnownAsSuch) {
  begin({kNas});
  EXPECT_EQ(engine_->trouble_of("nas"), "");
  EXPECT_EQ(engine_->trouble_of("nobody"), "");
  RemoteSettings broken = kAttic;
  broken.url = "file:///broken";
  ASSERT_TRUE(change({kNas, broken}));
  EXPECT_EQ(engine_->trouble_of("attic"), "no such folder");
  EXPECT_EQ(engine_->trouble_of("nas"), "");
  // One that fails while something is to be sent there, until that has been sent.
  last("nas").set_down(true);
  const ContentNo content = add("a.jpg", "one", {"nas"});
  ASSERT_TRUE(engine_->run_now());
  while (engine_->trouble_of("nas").empty()) std::this_thread::yield();
  EXPECT_FALSE(engine_->status()->at(0).online);
  // Nothing is to be sent any more, so nobody would see it come back: it is not known for longer than it is
  // left alone.
  auto transaction = catalog_->begin();
  transaction->erase_job(content, "nas");
  ASSERT_TRUE(transaction->commit());
  for (int minute = 0; !engine_->trouble_of("nas").empty(); ++minute) {
    ASSERT_LT(minute, 60);
    clock_.advance(60);
    std::this_thread::yield();
  }
}

TEST_F(EngineChangeTest, SettingsThatCannotBeReadChangeNothing) {
  begin({kNas});
  const Status refused = engine_->change_settings(
      {.read = []() -> Result<Settings> { return Status(Code::kBusy, "the only copy"); },
       .apply = [](const Settings&) { return Status::ok(); }});
  EXPECT_EQ(refused.code(), Code::kBusy);
  add("a.jpg", "one", {"nas"});
  drain();
  EXPECT_EQ(last("nas").object("Library/a.jpg"), "one");
}

}  // namespace
}  // namespace shoebox
