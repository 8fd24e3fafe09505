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
  if (dependencies.writer.id.empty()) {
    if (Result<std::string> id = new_owner_id()) dependencies.writer.id = std::move(*id);
  }
  auto on_disk_full = std::move(dependencies.on_disk_full);
  MakeRemote make = std::move(dependencies.make_remote);
  auto admit = std::move(dependencies.admit);
  state_ = std::make_shared<State>(std::move(dependencies));
  state_->make_remote = std::move(make);
  state_->admit = std::move(admit);
  if (on_disk_full) state_->fetcher.on_disk_full(std::move(on_disk_full));
  state_->fetcher.on_copy_missing(
      [state = state_.get()](ContentNo content, const std::string& remote, const std::string& key) {
        // Where another one writes, it was moved: that is for the catalog of that one to know.
        if (!state->writes_to(remote)) return;
        const Status noted = state->outbox.copy_lost(content, remote, key);
        if (noted.code() == Code::kDataLoss) state->note_lost(content, remote, true);
        log::warning("remote {}: the object of content {} is gone; {}", remote, content.value,
                     noted ? "it is queued again" : noted.message());
      });
  state_->fetcher.on_copy_found([state = state_.get()](ContentNo content, const std::string& remote) {
    state->note_lost(content, remote, false);
  });
  State::Members members;
  for (const RemoteSettings& settings : remotes) members.push_back(state_->make_member(settings));
  {
    MutexLock lock(state_->mutex);
    state_->members = std::move(members);
  }
  state_->follow_commits(state_);
}

SyncEngine::State::Members SyncEngine::State::all() const {
  MutexLock lock(mutex);
  return members;
}

std::shared_ptr<SyncEngine::State::Member> SyncEngine::State::make_member(const RemoteSettings& settings) {
  const auto made = std::make_shared<Member>();
  Member& member = *made;
  member.settings = settings;
  const UploadPolicy& policy = settings.policy;
  const auto totals = outbox.totals(settings.name);
  auto remote = make_remote(settings, totals && totals->confirmed_files > 0);
  if (!remote) {
    member.broken = remote.status();
    log::error("remote {}: {}", settings.name, remote.status().message());
    return made;
  }
  member.remote = std::make_unique<CountedRemote>(std::move(*remote));
  member.paced =
      std::make_unique<PacedRemote>(*member.remote, clock, policy, settings.connections + kOthersAtWork);
  fetcher.add_remote(std::shared_ptr<Remote>(made, member.remote.get()));
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
  CatalogBackup::Options backup = backup_options;
  backup.policy = policy;
  backup.on_sent = [this, tidier = member.tidier.get()] {
    forget_changes();
    tidier->wake_now();
  };
  backup.more_to_come = [this] { return at_work_for_owner(); };
  backup.may_look = [lease = member.lease.get()] { return lease->report().this_library; };
  backup.sender.looks = &member.remote->uncounted();
  backup.sender.on_gone_back = [this, leased = member.leased.get()](const CancelToken& cancel) {
    return doubt(*leased, cancel);
  };
  member.backup = std::make_unique<CatalogBackup>(catalog, *member.leased, clock, std::move(backup));
  outbox.set_backed_up(settings.name, [weak = std::weak_ptr<Member>(made)]() -> uint64_t {
    const std::shared_ptr<Member> there = weak.lock();
    return there ? there->backup->sent_up_to() : 0;
  });
  return made;
}

void SyncEngine::State::Member::stop() const {
  for (RemoteWorker* const worker : workers()) worker->stop();
  if (lease) lease->stop();
}

std::vector<RemoteWorker*> SyncEngine::State::Member::workers() const {
  if (!uploader) return {};
  return {uploader.get(), tidier.get(), sidecars.get(), backup.get()};
}

void SyncEngine::State::each_worker(const std::function<void(RemoteWorker&)>& work) const {
  for (const auto& member : all()) {
    for (RemoteWorker* const worker : member->workers()) work(*worker);
  }
}

bool SyncEngine::State::at_work_for_owner() const {
  const Members now = all();
  return std::any_of(now.begin(), now.end(), [](const std::shared_ptr<Member>& member) {
    return member->uploader && (member->uploader->report().asked_for || member->tidier->report().asked_for ||
                                member->sidecars->report().asked_for);
  });
}

// `self`: a commit may tell to the last.
void SyncEngine::State::follow_commits(const std::shared_ptr<State>& self) {
  const auto each = [weak = std::weak_ptr<State>(self)](const std::function<void(const Member&)>& tell) {
    const std::shared_ptr<State> state = weak.lock();
    if (!state) return;
    for (const auto& member : state->all()) {
      if (member->uploader) tell(*member);
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
  {
    MutexLock lock(mutex);
    if (changing) return;  // one that is made anew may need them
  }
  uint64_t up_to = std::numeric_limits<uint64_t>::max();
  for (const auto& member : all()) {
    if (member->backup) up_to = std::min(up_to, member->backup->needs_no_changes_up_to());
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
    state_->works = uploads;
  }
  state_->fetcher.start();
  if (state_->follow) state_->start_follower(state_->thumbnails);
  if (!uploads) return;
  state_->watch_surroundings();
  for (const auto& member : state_->all()) state_->start_member(*member);
  state_->enqueue = std::thread([state = state_.get()] { state->enqueue_all(); });
  state_->verifying = std::thread([state = state_.get()] { state->verify_by_itself(); });
}

void SyncEngine::State::start_member(const Member& member) {
  if (member.lease) member.lease->start();
  const auto paused = outbox.paused();
  Surroundings told;
  {
    MutexLock lock(mutex);
    told = around;
  }
  for (RemoteWorker* const worker : member.workers()) {
    worker->set_surroundings(told);
    worker->start(paused && *paused);
  }
  // What was told meanwhile may have come before.
  const auto now_paused = outbox.paused();
  Surroundings now;
  {
    MutexLock lock(mutex);
    now = around;
  }
  for (RemoteWorker* const worker : member.workers()) {
    if (now != told) worker->set_surroundings(now);
    if (paused && now_paused && *paused != *now_paused) worker->set_paused(*now_paused);
  }
}

void SyncEngine::State::enqueue_all() {
  std::vector<std::string> names;
  for (const auto& member : all()) names.push_back(member->settings.name);
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

void SyncEngine::stop() NO_THREAD_SAFETY_ANALYSIS {
  {
    MutexLock lock(state_->mutex);
    if (!state_->started || state_->stopping) return;
    state_->stopping = true;
    state_->changed.notify_all();
    state_->changed.wait(state_->mutex, [this]() NO_THREAD_SAFETY_ANALYSIS { return !state_->changing; });
  }
  state_->stop_verifying.cancel();
  state_->surroundings.reset();
  if (state_->enqueue.joinable()) state_->enqueue.join();
  state_->fetcher.stop();  // first: an upload or a repair may wait for a fetch
  if (state_->verifying.joinable()) state_->verifying.join();
  if (state_->follower) state_->follower->stop();
  for (const auto& member : state_->all()) member->stop();
}

void SyncEngine::State::watch_surroundings() {
  const Members now = all();
  const bool wanted = std::any_of(now.begin(), now.end(), [](const std::shared_ptr<Member>& member) {
    return !member->settings.policy.on_metered || !member->settings.policy.on_battery;
  });
  if (!wanted || surroundings) return;
  surroundings = std::make_unique<SurroundingsWatch>(kSurroundingsPeriod, [this](const Surroundings& told) {
    {
      MutexLock lock(mutex);
      around = told;
    }
    each_worker([&](RemoteWorker& worker) { worker.set_surroundings(told); });
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
