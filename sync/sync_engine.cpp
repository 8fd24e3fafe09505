#include "sync/sync_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <thread>

#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/outbox.h"
#include "sync/adopt.h"
#include "sync/counted_remote.h"
#include "sync/remote_test.h"
#include "sync/surroundings_watch.h"
#include "sync/tidier.h"
#include "sync/uploader.h"
#include "sync/verifier.h"

namespace shoebox {
namespace {

// How often wait() looks whether the queue is empty, and how often it tells.
constexpr auto kWaitTick = std::chrono::milliseconds(100);
constexpr int kTicksPerProgress = 10;
// Copies moved at once on one remote: uploads go first.
constexpr uint32_t kTidyConnections = 2;
// How often NetworkManager and UPower are asked, where a policy wants to know.
constexpr auto kSurroundingsPeriod = std::chrono::seconds(10);

}  // namespace

struct SyncEngine::State {
  struct Member {
    RemoteSettings settings;
    Status broken;  // not ok: no remote could be made from the settings
    std::unique_ptr<CountedRemote> remote;
    std::unique_ptr<Uploader> uploader;
    std::unique_ptr<Tidier> tidier;  // there when `uploader` is
    std::unique_ptr<CatalogBackup> backup;
  };

  explicit State(Dependencies d)
      : catalog(d.catalog),
        contents(d.contents),
        tree(d.tree),
        outbox(d.outbox),
        clock(d.clock),
        verify_period_s(d.verify_period_s),
        fetcher(d.catalog, d.contents, d.clock, std::move(d.fetcher)),
        verifier(d.catalog, d.contents, d.outbox, fetcher, d.clock) {}

  Catalog& catalog;
  ContentStore& contents;
  Tree* const tree;
  Outbox& outbox;
  const Clock& clock;
  const int64_t verify_period_s;
  Fetcher fetcher;
  Verifier verifier;
  MakeRemote make_remote;
  std::vector<Member> members;  // fixed after construction
  std::unique_ptr<SurroundingsWatch> surroundings;
  std::thread enqueue;
  std::thread verifying;
  CancelToken stop_verifying;

  mutable Mutex mutex;
  ConditionVariable changed;
  bool started GUARDED_BY(mutex) = false;
  bool stopping GUARDED_BY(mutex) = false;
  bool enqueued GUARDED_BY(mutex) = true;  // false while the search for missing jobs runs

  void enqueue_all();
  void make_backup(Member& member, CatalogBackup::Options options);
  void forget_changes();
  [[nodiscard]] Status hurry_backups() const;
  void verify_by_itself();
  void watch_surroundings();
  KeptBack kept_back(const RemoteSettings& remote, ContentNo content) const;
  Result<std::vector<Remote*>> remotes_called(const std::string& name);
  Result<RemoteStatus> status_of(const Member& member, bool paused);
};

SyncEngine::SyncEngine(Dependencies dependencies) {
  const std::vector<RemoteSettings> remotes = std::move(dependencies.remotes);
  const int64_t quiet_s = dependencies.quiet_s;
  auto on_disk_full = std::move(dependencies.on_disk_full);
  const CatalogBackup::Options backup_options = dependencies.catalog_backup;
  MakeRemote make = std::move(dependencies.make_remote);
  state_ = std::make_shared<State>(std::move(dependencies));
  state_->make_remote = std::move(make);
  if (on_disk_full) state_->fetcher.on_disk_full(std::move(on_disk_full));
  state_->fetcher.on_copy_missing(
      [state = state_.get()](ContentNo content, const std::string& remote, const std::string& key) {
        const Status noted = state->outbox.copy_lost(content, remote, key);
        log::warning("remote {}: the object of content {} is gone; {}", remote, content.value,
                     noted ? "it is queued again" : noted.message());
      });
  for (const RemoteSettings& settings : remotes) {
    State::Member member;
    member.settings = settings;
    const auto totals = state_->outbox.totals(settings.name);
    auto remote = state_->make_remote(settings, totals && totals->confirmed_files > 0);
    if (remote) {
      member.remote = std::make_unique<CountedRemote>(std::move(*remote));
      state_->fetcher.add_remote(*member.remote);
      Uploader::Options options;
      options.connections = settings.connections;
      options.quiet_s = quiet_s;
      options.policy = settings.policy;
      if (settings.policy.photos_only || settings.policy.video_quota_bytes) {
        options.kept_back = [state = state_.get(), settings](ContentNo content) {
          return state->kept_back(settings, content);
        };
      }
      member.uploader = std::make_unique<Uploader>(state_->outbox, *member.remote, &state_->fetcher,
                                                   state_->clock, options);
      Tidier::Options tidying;
      tidying.connections = std::min(settings.connections, kTidyConnections);
      tidying.quiet_s = quiet_s;
      member.tidier =
          std::make_unique<Tidier>(state_->outbox, *member.remote, state_->clock, std::move(tidying));
      state_->make_backup(member, backup_options);
    } else {
      member.broken = remote.status();
      log::error("remote {}: {}", settings.name, remote.status().message());
    }
    state_->members.push_back(std::move(member));
  }
  state_->outbox.on_job([weak = std::weak_ptr<State>(state_)] {
    const std::shared_ptr<State> state = weak.lock();
    if (!state) return;
    for (const State::Member& member : state->members) {
      if (member.uploader) member.uploader->wake();
    }
  });
  state_->outbox.on_tidy([weak = std::weak_ptr<State>(state_)] {
    const std::shared_ptr<State> state = weak.lock();
    if (!state) return;
    for (const State::Member& member : state->members) {
      if (member.tidier) member.tidier->wake();
    }
  });
  state_->catalog.add_observer([weak = std::weak_ptr<State>(state_)](const Change&) {
    const std::shared_ptr<State> state = weak.lock();
    if (!state) return;
    for (const State::Member& member : state->members) {
      if (member.backup) member.backup->wake();
    }
  });
}

void SyncEngine::State::make_backup(Member& member, CatalogBackup::Options options) {
  options.on_sent = [this] { forget_changes(); };
  member.backup = std::make_unique<CatalogBackup>(catalog, *member.remote, clock, std::move(options));
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
  if (!uploads) return;
  state_->watch_surroundings();
  const auto paused = state_->outbox.paused();
  for (const State::Member& member : state_->members) {
    if (!member.uploader) continue;
    member.uploader->start(paused && *paused);
    member.tidier->start(paused && *paused);
    member.backup->start(paused && *paused);
  }
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
  for (const State::Member& member : state_->members) {
    if (!member.uploader) continue;
    member.uploader->stop();
    member.tidier->stop();
    member.backup->stop();
  }
}

// A share of the copies each hour, those first that were not seen for the longest time.
void SyncEngine::State::verify_by_itself() NO_THREAD_SAFETY_ANALYSIS {
  constexpr auto kEvery = std::chrono::hours(1);
  constexpr uint64_t kMostAtOnce = 10'000;
  MutexLock lock(mutex);
  while (!stopping) {
    changed.wait_for(mutex, kEvery, [this]() REQUIRES(mutex) { return stopping; });
    if (stopping) return;
    mutex.unlock();
    VerifyRequest request;
    request.confirmed_before_s = clock.now().seconds - verify_period_s;
    request.at_most = kMostAtOnce;
    request.unread =
        VerifyRequest::Unread::kLeaveOut;  // what was adopted is read when its owner wants it read
    request.repair = true;
    const Result<bool> paused = outbox.paused();
    const Result<std::vector<Remote*>> remotes = remotes_called("");
    if (paused && !*paused && remotes) {
      const Result<VerifyReport> report = verifier.run(*remotes, request, stop_verifying, nullptr);
      if (report && report->missing + report->damaged > 0) {
        log::warning("verified {} copies: {} missing, {} damaged; {} are sent again", report->checked,
                     report->missing, report->damaged, report->queued_again);
      } else if (!report && report.code() != Code::kCancelled) {
        log::warning("verifying copies: {}", report.status().message());
      }
    }
    mutex.lock();
  }
}

void SyncEngine::State::watch_surroundings() {
  const bool wanted = std::any_of(members.begin(), members.end(), [](const Member& member) {
    return !member.settings.policy.on_metered || !member.settings.policy.on_battery;
  });
  if (!wanted) return;
  surroundings = std::make_unique<SurroundingsWatch>(kSurroundingsPeriod, [this](const Surroundings& around) {
    for (const Member& member : members) {
      if (member.uploader) member.uploader->set_surroundings(around);
    }
  });
}

// The videos that are there are added up each time the quota is asked for a video: that is seldom.
KeptBack SyncEngine::State::kept_back(const RemoteSettings& remote, ContentNo content) const {
  const auto photo_id = catalog.photo_of_content(content);
  if (!photo_id || !*photo_id) return {};
  const auto photo = catalog.photo(**photo_id);
  const auto record = catalog.content(content);
  if (!photo || !*photo || !record || !*record) return {};
  if ((*photo)->info.kind != MediaKind::kVideo) return {};
  uint64_t there = 0;
  if (remote.policy.video_quota_bytes && !remote.policy.photos_only) {
    (void)catalog.for_each_photo([&](PhotoId, const PhotoRecord& other) {
      if (other.info.kind != MediaKind::kVideo) return true;
      const auto copy = catalog.copy(other.content, remote.name);
      if (copy && *copy) there += (*copy)->size;
      return true;
    });
  }
  return {shoebox::kept_back(remote.policy, MediaKind::kVideo, (*record)->size, there), (*record)->size};
}

Result<std::vector<Remote*>> SyncEngine::State::remotes_called(const std::string& name) {
  std::vector<Remote*> remotes;
  bool known = name.empty();
  for (const Member& member : members) {
    if (!name.empty() && member.settings.name != name) continue;
    known = true;
    if (member.remote) {
      remotes.push_back(member.remote.get());
    } else if (!name.empty()) {
      return member.broken.with_context("remote " + name);
    }
  }
  if (!known)
    return Status(Code::kNotFound, fmt::format("no remote is called \"{}\"; see shoebox status", name));
  return remotes;
}

Result<VerifyReport> SyncEngine::verify(const VerifyRequest& request, CancelToken cancel,
                                        const std::function<void(const VerifyReport&)>& progress) {
  SHOEBOX_ASSIGN(const std::vector<Remote*> remotes, state_->remotes_called(request.remote));
  return state_->verifier.run(remotes, request, cancel, progress);
}

Result<AdoptReport> SyncEngine::adopt(const AdoptRequest& request, CancelToken cancel,
                                      const std::function<void(const AdoptReport&)>& progress) {
  State& state = *state_;
  if (request.remote.empty() || state.tree == nullptr)
    return Status(Code::kInvalid, "adopt: name one remote");
  SHOEBOX_ASSIGN(const std::vector<Remote*> remotes, state.remotes_called(request.remote));
  const Adopter adopter({state.catalog, state.contents, *state.tree, state.clock}, {});
  return adopter.run(*remotes.front(), request, cancel, progress);
}

Result<RemoteStatus> SyncEngine::State::status_of(const Member& member, bool paused) {
  const std::string& name = member.settings.name;
  SHOEBOX_ASSIGN(const Outbox::Totals totals, outbox.totals(name));
  RemoteStatus status;
  status.name = name;
  status.url = member.settings.url;
  status.paused = paused;
  status.pending_files = totals.pending_files;
  status.pending_bytes = totals.pending_bytes;
  status.confirmed_files = totals.confirmed_files;
  status.confirmed_bytes = totals.confirmed_bytes;
  status.last_error = totals.last_error;
  if (!member.uploader) {
    status.online = false;
    status.last_error = member.broken.message();
    status.waiting_for = "settings that work";
    return status;
  }
  SHOEBOX_ASSIGN(const Outbox::TidyTotals tidying, outbox.tidy_totals(name));
  status.tidying = tidying.pending;
  status.tidying_untried = tidying.untried;
  const RemoteCounters& counters = member.remote->counters();
  status.requests = counters.requests;
  status.bytes_sent = counters.bytes_sent;
  status.bytes_received = counters.bytes_received;
  const Uploader::Report report = member.uploader->report();
  // Who is refused reads nothing there either.
  const bool refused = report.refused.code() == Code::kUnauthorized;
  status.online = report.online && !refused && fetcher.online(name);
  if (status.pending_files > 0 || paused || !report.online) status.waiting_for = report.waiting_for;
  if (report.last_error_s > 0) {
    status.last_error = report.last_error;
    status.last_error_s = report.last_error_s;
  }
  const Tidier::Report tidier = member.tidier->report();
  if (tidier.last_error_s > status.last_error_s) {
    status.last_error = tidier.last_error;
    status.last_error_s = tidier.last_error_s;
  }
  const int64_t fetch_error_s = fetcher.last_error_s(name);
  if (fetch_error_s > status.last_error_s) {
    status.last_error = fetcher.last_error(name);
    status.last_error_s = fetch_error_s;
  }
  const CatalogBackup::Report backup = member.backup->report();
  status.catalog_backed_up_s = backup.sent_s;
  status.catalog_pending = backup.pending;
  status.catalog_waiting_for = backup.waiting_for;
  status.catalog_error = backup.last_error;
  return status;
}

Result<std::vector<RemoteStatus>> SyncEngine::status() {
  SHOEBOX_ASSIGN(const bool paused, state_->outbox.paused());
  std::vector<RemoteStatus> all;
  for (const State::Member& member : state_->members) {
    SHOEBOX_ASSIGN(RemoteStatus status, state_->status_of(member, paused));
    all.push_back(std::move(status));
  }
  return all;
}

Status SyncEngine::pause() {
  SHOEBOX_TRY(state_->outbox.set_paused(true));
  for (const State::Member& member : state_->members) {
    if (!member.uploader) continue;
    member.uploader->set_paused(true);
    member.tidier->set_paused(true);
    member.backup->set_paused(true);
  }
  return Status::ok();
}

Status SyncEngine::resume() {
  SHOEBOX_TRY(state_->outbox.set_paused(false));
  for (const State::Member& member : state_->members) {
    if (!member.uploader) continue;
    member.uploader->set_paused(false);
    member.tidier->set_paused(false);
    member.backup->set_paused(false);
  }
  return Status::ok();
}

Status SyncEngine::test(const RemoteSettings& settings, CancelToken cancel) {
  const auto totals = state_->outbox.totals(settings.name);
  SHOEBOX_ASSIGN(const std::unique_ptr<Remote> remote,
                 state_->make_remote(settings, totals && totals->confirmed_files > 0));
  return test_remote(*remote, state_->clock, cancel);
}

Status SyncEngine::run_now() {
  for (const State::Member& member : state_->members) {
    if (!member.uploader) continue;
    member.uploader->run_now();
    member.tidier->run_now();
    member.backup->run_now();
  }
  return Status::ok();
}

// The originals are all there: so shall the catalog be, which says where.
Status SyncEngine::State::hurry_backups() const {
  for (const Member& member : members) {
    if (!member.backup) continue;
    const CatalogBackup::Report report = member.backup->report();
    if (!report.refused) return report.refused.with_context("remote " + member.settings.name);
    if (report.pending > 0 && report.waiting_for.empty()) member.backup->run_now();
  }
  return Status::ok();
}

Status SyncEngine::wait(CancelToken cancel,
                        const std::function<void(const std::vector<RemoteStatus>&)>& progress)
    NO_THREAD_SAFETY_ANALYSIS {
  for (int tick = 0;; ++tick) {
    SHOEBOX_ASSIGN(const std::vector<RemoteStatus> all, status());
    uint64_t pending = 0;  // but for what a policy keeps back
    uint64_t tidying = 0;  // what fails again and again is not waited for: each original has its copy
    uint64_t changes = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const auto& uploader = state_->members[i].uploader;
      const uint64_t kept = uploader ? uploader->report().kept_back : 0;
      pending += all[i].pending_files - std::min(kept, all[i].pending_files);
      changes += all[i].catalog_pending;
      if (!all[i].paused) tidying += all[i].tidying_untried;
    }
    if (progress && (pending + changes == 0 || tick % kTicksPerProgress == 0)) progress(all);
    for (const State::Member& member : state_->members) {
      const auto totals = state_->outbox.totals(member.settings.name);
      if (member.tidier && tidying > 0) {
        const Status refused = member.tidier->report().refused;
        if (!refused) return refused.with_context("remote " + member.settings.name);
      }
      if (!totals || totals->pending_files == 0) continue;
      const std::string& name = member.settings.name;
      if (!member.uploader) return member.broken.with_context("remote " + name);
      const Uploader::Report report = member.uploader->report();
      if (!report.refused) return report.refused.with_context("remote " + name);
      if (!report.held.empty() && report.kept_back < totals->pending_files) {
        return {Code::kBusy, fmt::format("remote {}: {} files wait by its policy: {}", name,
                                         totals->pending_files, report.held)};
      }
    }
    const bool paused = !all.empty() && all.front().paused;
    if (pending == 0 && changes > 0 && !paused) SHOEBOX_TRY(state_->hurry_backups());
    MutexLock lock(state_->mutex);
    if (pending + changes + tidying == 0 && state_->enqueued) return Status::ok();
    if (pending > 0 && paused) {
      return {Code::kBusy,
              fmt::format("backup: paused with {} files waiting; run shoebox backup resume", pending)};
    }
    if (changes > 0 && paused && state_->enqueued) {
      return {Code::kBusy, "backup: paused with a changed catalog waiting; run shoebox backup resume"};
    }
    if (state_->stopping) return {Code::kUnavailable, "backup: the drive is being unmounted"};
    if (cancel.cancelled()) return {Code::kCancelled, "backup: no longer waited for"};
    state_->changed.wait_for(state_->mutex, kWaitTick);
  }
}

}  // namespace shoebox
