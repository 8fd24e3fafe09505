// A small library whose engine has one remote that the test holds in its hands.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "sync/sync_engine.h"
#include "tests/unit/sync/fake_remote.h"
#include "tests/unit/sync/owner_world.h"
#include "tests/unit/sync/sync_fixture.h"

namespace shoebox::testing {

class OneRemoteFixture : public SyncFixture {
 protected:
  // Not started.
  std::unique_ptr<SyncEngine> make_engine(UploadPolicy policy = {}) {
    RemoteSettings settings;
    settings.name = "nas";
    settings.url = "file:///a";
    settings.policy = std::move(policy);
    return std::make_unique<SyncEngine>(SyncEngine::Dependencies{
        .catalog = *catalog_,
        .contents = *contents_,
        .outbox = *outbox_,
        .clock = clock_,
        .remotes = {settings},
        .make_remote = [this](const RemoteSettings&, bool) -> Result<std::unique_ptr<Remote>> {
          return std::unique_ptr<Remote>(std::make_unique<HookedRemote>(remote_));
        },
        .on_disk_full = {},
        .fetcher = {},
        .catalog_backup = catalog_backup_,
        .verify_period_s = verify_period_s_,
        .verify_first = std::chrono::milliseconds(1),
        .verify_every = std::chrono::milliseconds(1),
        .writer = {.id = std::string(32, 'a'), .host = "desk", .user = "anna", .now = {}}});
  }
  // Everything is on the remote.
  static void settle(SyncEngine& engine) {
    ASSERT_TRUE(engine.run_now());
    const Status all = engine.wait({}, nullptr);
    ASSERT_TRUE(all) << all.message();
  }

  FakeRemote remote_{"nas"};
  // Of the engines made from then on.
  CatalogBackup::Options catalog_backup_;
  int64_t verify_period_s_ = 0;
};

}  // namespace shoebox::testing
