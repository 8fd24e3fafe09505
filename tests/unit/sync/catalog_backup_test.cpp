// When the catalog is sent: after its delay, at once when asked, not while paused, again after an error;
// each remote by itself.

#include "sync/catalog_backup.h"

#include "sync/sync_engine.h"
#include "tests/unit/sync/backup_fixture.h"

namespace shoebox {
namespace {

using testing::FakeRemote;

class CatalogBackupTest : public testing::SyncFixture {
 protected:
  void start(bool paused = false, CatalogBackup::Options options = {}) {
    options.backoff.random = [] { return 0.5; };
    options.on_sent = [this] {
      MutexLock lock(mutex_);
      ++sent_;
      changed_.notify_all();
    };
    backup_ = std::make_unique<CatalogBackup>(*catalog_, remote_, clock_, std::move(options));
    catalog_->add_observer([this](const Change&) { backup_->wake(); });
    backup_->start(paused);
  }
  void TearDown() override {
    remote_.release();
    if (backup_) backup_->stop();
  }
  void wait_until(const std::function<bool()>& condition) {
    while (!condition()) {
      MutexLock lock(mutex_);
      changed_.wait_for(mutex_, std::chrono::milliseconds(2));
    }
  }
  // Time flies meanwhile; the thread looks at the clock when it is woken.
  void fly_until(const std::function<bool()>& condition) {
    wait_until([&] {
      if (condition()) return true;
      clock_.advance(1);
      backup_->set_paused(false);
      return false;
    });
  }
  void change() {
    const auto txn = catalog_->begin();
    txn->put_view_directory(ViewId::kAlbums, "album " + std::to_string(++changes_), kAlbumsInode);
    ASSERT_TRUE(txn->commit());
  }

  FakeRemote remote_{"nas"};
  Mutex mutex_;
  ConditionVariable changed_;
  int sent_ GUARDED_BY(mutex_) = 0;
  int changes_ = 0;
  std::unique_ptr<CatalogBackup> backup_;
};

TEST_F(CatalogBackupTest, ChangesAreSentByThemselvesAfterTheirDelay) {
  start();
  for (int round = 0; round < 3; ++round) {
    change();
    const int64_t begin = clock_.now().seconds;
    fly_until([&] { return backup_->report().pending == 0; });
    EXPECT_GE(backup_->report().sent_s, begin + 5);
  }
}

TEST_F(CatalogBackupTest, RunNowWaitsForNothing) {
  start();
  change();
  backup_->run_now();
  wait_until([&] { return backup_->report().pending == 0; });
  EXPECT_EQ(clock_.now().seconds, 1'700'000'000) << "the clock stood still";
  EXPECT_EQ(backup_->report().sent_s, clock_.now().seconds);
}

TEST_F(CatalogBackupTest, PausedNothingIsSentAndWhatIsBeingSentIsBrokenOff) {
  remote_.hold();
  start();
  backup_->run_now();
  remote_.wait_for_calls(1);
  backup_->set_paused(true);
  wait_until([&] { return backup_->report().waiting_for == "paused"; });
  remote_.release();
  clock_.advance(1000);
  EXPECT_GT(backup_->report().pending, 0U);
  EXPECT_TRUE(backup_->report().last_error.empty()) << "breaking off is no failure";
  backup_->set_paused(false);
  backup_->run_now();
  wait_until([&] { return backup_->report().pending == 0; });
}

TEST_F(CatalogBackupTest, ByHandItWaitsUntilItIsAskedForAndThenForAllThatComesOfIt) {
  std::atomic<bool> uploading{true};
  CatalogBackup::Options options;
  options.policy.manual = true;
  options.more_to_come = [&] { return uploading.load(); };
  start(false, std::move(options));
  change();
  clock_.advance(1000);
  wait_until([&] { return backup_->report().held.find("manual") == 0; });
  EXPECT_EQ(backup_->report().waiting_for, backup_->report().held);
  EXPECT_EQ(remote_.puts(), 0U);
  backup_->run_now();
  wait_until([&] { return backup_->report().pending == 0; });
  change();  // of an upload that was asked for as well
  fly_until([&] { return backup_->report().pending == 0; });
  uploading = false;
  fly_until([&] {
    backup_->wake();
    if (backup_->report().pending == 0) change();
    return !backup_->report().held.empty();
  });
  const uint64_t puts = remote_.puts();
  clock_.advance(1000);
  EXPECT_GT(backup_->report().pending, 0U);
  EXPECT_EQ(remote_.puts(), puts);
}

TEST_F(CatalogBackupTest, OnAMeteredConnectionWhatIsBeingSentIsBrokenOff) {
  CatalogBackup::Options options;
  options.policy.on_metered = false;
  remote_.hold();
  start(false, std::move(options));
  backup_->run_now();
  remote_.wait_for_calls(1);
  backup_->set_surroundings({.metered = true});
  wait_until([&] { return backup_->report().held == "the connection is metered"; });
  remote_.release();
  clock_.advance(1000);
  EXPECT_GT(backup_->report().pending, 0U);
  EXPECT_TRUE(backup_->report().last_error.empty()) << "breaking off is no failure";
  backup_->set_surroundings({});
  fly_until([&] { return backup_->report().pending == 0; });
}

TEST_F(CatalogBackupTest, AnErrorIsToldAndTriedAgainAfterItsBackOff) {
  remote_.set_down(true);
  start();
  backup_->run_now();
  wait_until([&] { return !backup_->report().last_error.empty(); });
  EXPECT_NE(backup_->report().waiting_for.find("retry"), std::string::npos);
  remote_.set_down(false);
  fly_until([&] { return backup_->report().pending == 0 && backup_->report().last_error.empty(); });
}

TEST_F(CatalogBackupTest, TheWaitOfTheEngineIncludesTheCatalogOfEachRemote) {
  add("a.jpg", "bytes", {"nas", "attic"});
  std::map<std::string, FakeRemote*> remotes;
  SyncEngine engine(
      {.catalog = *catalog_,
       .contents = *contents_,
       .outbox = *outbox_,
       .clock = clock_,
       .remotes = {{.name = "nas", .url = "file:///a"}, {.name = "attic", .url = "file:///b"}},
       .make_remote = [&](const RemoteSettings& settings, bool) -> Result<std::unique_ptr<Remote>> {
         auto made = std::make_unique<FakeRemote>(settings.name);
         remotes[settings.name] = made.get();
         return std::unique_ptr<Remote>(std::move(made));
       },
       .on_disk_full = {},
       .fetcher = {},
       .catalog_backup = {}});
  remotes["attic"]->set_down(true);
  engine.start();
  wait_until([&] {
    clock_.advance(1);
    EXPECT_TRUE(engine.run_now());
    const auto status = engine.status();
    return status->at(0).pending_files == 0 && status->at(0).catalog_pending == 0;
  });
  EXPECT_GT(engine.status()->at(1).catalog_pending, 0U) << "the one that is down holds nobody up";
  EXPECT_GT(engine.status()->at(0).catalog_backed_up_s, 0);
  remotes["attic"]->set_down(false);
  wait_until([&] {
    clock_.advance(1);
    EXPECT_TRUE(engine.run_now());
    return engine.status()->at(1).pending_files == 0;
  });
  clock_.advance(1000);
  ASSERT_TRUE(engine.run_now());
  ASSERT_TRUE(engine.wait({}, nullptr));
  const std::string id = catalog_->meta(keys::kMetaLibraryId).value().value();
  for (const auto& [name, remote] : remotes) {
    EXPECT_EQ(testing::restored_rows(*remote, clock_, id), testing::backed_up_rows(*catalog_)) << name;
    const auto heads = BackupCopy(*remote, clock_).heads(id);
    EXPECT_EQ(heads->whole.front().originals, 1U);
    EXPECT_EQ(heads->whole.front().pending, 0U);
    EXPECT_EQ(heads->whole.front().remote, name);
  }
  engine.stop();
}

}  // namespace
}  // namespace shoebox
