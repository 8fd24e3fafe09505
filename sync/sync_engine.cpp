#include "sync/sync_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/outbox.h"
#include "sync/owner_record.h"
#include "sync/sync_engine_state.h"

namespace shoebox {
namespace {

// Copies moved at once on one remote: uploads go first.
constexpr uint32_t kTidyConnections = 2;
// What shares the bandwidth with uploads: tidying, sidecars, the backup of the catalog, verifying.
constexpr uint32_t kOthersAtWork = 2 * kTidyConnections + 2;
// How often NetworkManager and UPower are asked, where a policy wants to know.
constexpr auto kSurroundingsPeriod = std::chrono::seconds(10);

}  // namespace

SyncEngine::SyncEngine(Dependencies dependencies) {
  const std::vector<RemoteSettings> remotes = std::move(dependencies.remotes);
  const int64_t quiet_s = dependencies.quiet_s;
  if (dependencies.writer.id.empty()) {
    if (Result<std::string> id = new_owner_id()) dependencies.writer.id = std::move(*id);
  }
  auto on_disk_full = std::move(dependencies.on_disk_full);
  const CatalogBackup::Options backup_options = dependencies.catalog_backup;
  MakeRemote make = std::move(dependencies.make_remote);
  state_ = std::make_shared<State>(std::move(dependencies));
  state_->make_remote = std::move(make);
  if (on_disk_full) state_->fetcher.on_disk_full(std::move(on_disk_full));
  state_->fetcher.on_copy_missing(
      [state = state_.get()](ContentNo content, const std::string& remote, const std::string& key) {
        // Where another one writes, it was moved: that is for the catalog of that one to know.
        if (!state->writes_to(remote)) return;
        const Status noted = state->outbox.copy_lost(content, remote, key);
        log::warning("remote {}: the object of content {} is gone; {}", remote, content.value,
                     noted ? "it is queued again" : noted.message());
      });
  for (const RemoteSettings& settings : remotes) {
    state_->members.push_back(state_->make_member(settings, quiet_s, backup_options));
  }
  state_->follow_commits(state_);
}

SyncEngine::State::Member SyncEngine::State::make_member(const RemoteSettings& settings, int64_t quiet_s,
                                                         CatalogBackup::Options backup) {
  Member member;
  member.settings = settings;
  const UploadPolicy& policy = settings.policy;
  const auto totals = outbox.totals(settings.name);
  auto remote = make_remote(settings, totals && totals->confirmed_files > 0);
  if (!remote) {
    member.broken = remote.status();
    log::error("remote {}: {}", settings.name, remote.status().message());
    return member;
  }
  member.remote = std::make_unique<CountedRemote>(std::move(*remote));
  member.paced =
      std::make_unique<PacedRemote>(*member.remote, clock, policy, settings.connections + kOthersAtWork);
  fetcher.add_remote(*member.remote);
  make_lease(member);
  Uploader::Options uploading;
  uploading.connections = settings.connections;
  uploading.quiet_s = quiet_s;
  uploading.policy = policy;
  if (policy.photos_only || policy.video_quota_bytes) {
    member.videos = std::make_unique<VideoPolicy>(catalog, settings.name, policy);
    uploading.kept_back = [videos = member.videos.get()](ContentNo content) {
      return videos->kept_back(content);
    };
  }
  member.uploader = std::make_unique<Uploader>(outbox, *member.leased, &fetcher, clock, std::move(uploading));
  Tidier::Options tidying;
  tidying.connections = std::min(settings.connections, kTidyConnections);
  tidying.quiet_s = quiet_s;
  tidying.policy = policy;
  member.sidecars = std::make_unique<SidecarSender>(outbox, *member.leased, clock, tidying);
  member.tidier = std::make_unique<Tidier>(outbox, *member.leased, clock, std::move(tidying));
  backup.policy = policy;
  backup.on_sent = [this, tidier = member.tidier.get()] {
    forget_changes();
    tidier->wake_now();
  };
  backup.more_to_come = [this] { return at_work_for_owner(); };
  member.backup = std::make_unique<CatalogBackup>(catalog, *member.leased, clock, std::move(backup));
  outbox.set_backed_up(settings.name, [weak = weak_from_this(), sent = member.backup.get()]() -> uint64_t {
    const std::shared_ptr<State> state = weak.lock();
    return state ? sent->sent_up_to() : 0;
  });
  return member;
}

std::vector<RemoteWorker*> SyncEngine::State::Member::workers() const {
  if (!uploader) return {};
  return {uploader.get(), tidier.get(), sidecars.get(), backup.get()};
}

void SyncEngine::State::each_worker(const std::function<void(RemoteWorker&)>& work) const {
  for (const Member& member : members) {
    for (RemoteWorker* const worker : member.workers()) work(*worker);
  }
}

bool SyncEngine::State::at_work_for_owner() const {
  return std::any_of(members.begin(), members.end(), [](const Member& member) {
    return member.uploader && (member.uploader->report().asked_for || member.tidier->report().asked_for ||
                               member.sidecars->report().asked_for);
  });
}

// `self`: a commit may tell to the last.
void SyncEngine::State::follow_commits(const std::shared_ptr<State>& self) {
  const auto each = [weak = std::weak_ptr<State>(self)](const std::function<void(const Member&)>& tell) {
    const std::shared_ptr<State> state = weak.lock();
    if (!state) return;
    for (const Member& member : state->members) {
      if (member.uploader) tell(member);
    }
  };
  outbox.on_job([each] { each([](const Member& member) { member.uploader->wake(); }); });
  outbox.on_tidy([each] { each([](const Member& member) { member.tidier->wake(); }); });
  outbox.on_sidecar([each] { each([](const Member& member) { member.sidecars->wake(); }); });
  catalog.add_observer([each](const Change& change) {
    each([&change](const Member& member) {
      if (member.videos) member.videos->observe(change);
      member.backup->wake();
    });
  });
}

// What no remote's backup needs any more. One that cannot be reached keeps the list, which is bounded.
void SyncEngine::State::forget_changes() {
  uint64_t up_to = std::numeric_limits<uint64_t>::max();
  for (const Member& member : members) {
    if (member.backup) up_to = std::min(up_to, member.backup->needs_no_changes_up_to());
  }
  const Status forgotten = catalog.forget_changes(up_to);
  if (!forgotten) log::warning("list of changes: {}", forgotten.message());
}

SyncEngine::~SyncEngine() { stop(); }

ContentSource& SyncEngine::source() { return state_->fetcher; }

void SyncEngine::start(bool uploads) {
  {
    MutexLock lock(state_->mutex);
    if (state_->started) return;
    state_->started = true;
    state_->enqueued = !uploads;
  }
  state_->fetcher.start();
  if (state_->follow) state_->start_follower(state_->thumbnails);
  if (!uploads) return;
  state_->watch_surroundings();
  const auto paused = state_->outbox.paused();
  for (const State::Member& member : state_->members) {
    if (member.lease) member.lease->start();
  }
  state_->each_worker([&](RemoteWorker& worker) { worker.start(paused && *paused); });
  state_->enqueue = std::thread([state = state_.get()] { state->enqueue_all(); });
  if (state_->verify_period_s > 0)
    state_->verifying = std::thread([state = state_.get()] { state->verify_by_itself(); });
}

void SyncEngine::State::enqueue_all() {
  std::vector<std::string> names;
  for (const Member& member : members) names.push_back(member.settings.name);
  const Status dropped = outbox.drop_jobs_of_others(names);
  if (!dropped) log::error("queued uploads of remotes that are not in the settings: {}", dropped.message());
  for (const std::string& name : names) {
    {
      MutexLock lock(mutex);
      if (stopping) break;
    }
    const auto queued = outbox.enqueue_missing(name);
    if (!queued) {
      log::error("remote {}: looking for what is not queued: {}", name, queued.status().message());
    } else if (*queued > 0) {
      log::info("remote {}: {} files queued that had no copy there", name, *queued);
    }
  }
  const Status sidecars = outbox.enqueue_sidecars();
  if (!sidecars) log::error("looking for sidecars to be sent: {}", sidecars.message());
  {
    MutexLock lock(mutex);
    enqueued = true;
  }
  changed.notify_all();
}

void SyncEngine::stop() {
  {
    MutexLock lock(state_->mutex);
    if (!state_->started || state_->stopping) return;
    state_->stopping = true;
  }
  state_->changed.notify_all();
  state_->stop_verifying.cancel();
  state_->surroundings.reset();
  if (state_->enqueue.joinable()) state_->enqueue.join();
  state_->fetcher.stop();  // first: an upload or a repair may wait for a fetch
  if (state_->verifying.joinable()) state_->verifying.join();
  if (state_->follower) state_->follower->stop();
  state_->each_worker([](RemoteWorker& worker) { worker.stop(); });
  for (const State::Member& member : state_->members) {
    if (member.lease) member.lease->stop();
  }
}

void SyncEngine::State::watch_surroundings() {
  const bool wanted = std::any_of(members.begin(), members.end(), [](const Member& member) {
    return !member.settings.policy.on_metered || !member.settings.policy.on_battery;
  });
  if (!wanted) return;
  surroundings = std::make_unique<SurroundingsWatch>(kSurroundingsPeriod, [this](const Surroundings& around) {
    each_worker([&](RemoteWorker& worker) { worker.set_surroundings(around); });
  });
}

Status SyncEngine::pause() {
  SHOEBOX_TRY(state_->outbox.set_paused(true));
  state_->each_worker([](RemoteWorker& worker) { worker.set_paused(true); });
  return Status::ok();
}

Status SyncEngine::resume() {
  SHOEBOX_TRY(state_->outbox.set_paused(false));
  state_->each_worker([](RemoteWorker& worker) { worker.set_paused(false); });
  return Status::ok();
}

Status SyncEngine::run_now() {
  state_->each_worker([](RemoteWorker& worker) { worker.run_now(); });
  return Status::ok();
}

}  // namespace shoebox
