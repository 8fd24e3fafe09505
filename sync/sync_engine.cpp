#include "sync/sync_engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/outbox.h"
#include "sync/counted_remote.h"
#include "sync/remote_test.h"
#include "sync/tidier.h"
#include "sync/uploader.h"

namespace shoebox {
namespace {

// How often wait() looks whether the queue is empty, and how often it tells.
constexpr auto kWaitTick = std::chrono::milliseconds(100);
constexpr int kTicksPerProgress = 10;
// Copies moved at once on one remote: uploads go first.
constexpr uint32_t kTidyConnections = 2;

}  // namespace

struct SyncEngine::State {
  struct Member {
    RemoteSettings settings;
    Status broken;  // not ok: no remote could be made from the settings
    std::unique_ptr<CountedRemote> remote;
    std::unique_ptr<Uploader> uploader;
    std::unique_ptr<Tidier> tidier;  // there when `uploader` is
  };

  explicit State(Dependencies d)
      : outbox(d.outbox), clock(d.clock), fetcher(d.catalog, d.contents, d.clock, std::move(d.fetcher)) {}

  Outbox& outbox;
  const Clock& clock;
  Fetcher fetcher;
  MakeRemote make_remote;
  std::vector<Member> members;  // fixed after construction
  std::thread enqueue;

  mutable Mutex mutex;
  ConditionVariable changed;
  bool started GUARDED_BY(mutex) = false;
  bool stopping GUARDED_BY(mutex) = false;
  bool enqueued GUARDED_BY(mutex) = true;  // false while the search for missing jobs runs

  void enqueue_all();
  Result<RemoteStatus> status_of(const Member& member, bool paused);
};

SyncEngine::SyncEngine(Dependencies dependencies) {
  const std::vector<RemoteSettings> remotes = std::move(dependencies.remotes);
  const int64_t quiet_s = dependencies.quiet_s;
  auto on_disk_full = std::move(dependencies.on_disk_full);
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
      member.uploader = std::make_unique<Uploader>(state_->outbox, *member.remote, &state_->fetcher,
                                                   state_->clock, options);
      Tidier::Options tidying;
      tidying.connections = std::min(settings.connections, kTidyConnections);
      tidying.quiet_s = quiet_s;
      member.tidier =
          std::make_unique<Tidier>(state_->outbox, *member.remote, state_->clock, std::move(tidying));
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
  const auto paused = state_->outbox.paused();
  for (const State::Member& member : state_->members) {
    if (member.uploader) member.uploader->start(paused && *paused);
    if (member.tidier) member.tidier->start(paused && *paused);
  }
  state_->enqueue = std::thread([state = state_.get()] { state->enqueue_all(); });
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
  if (state_->enqueue.joinable()) state_->enqueue.join();
  state_->fetcher.stop();  // first: an upload may wait for a fetch
  for (const State::Member& member : state_->members) {
    if (member.uploader) member.uploader->stop();
    if (member.tidier) member.tidier->stop();
  }
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
  status.online = report.online && fetcher.online(name);
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
    if (member.uploader) member.uploader->set_paused(true);
    if (member.tidier) member.tidier->set_paused(true);
  }
  return Status::ok();
}

Status SyncEngine::resume() {
  SHOEBOX_TRY(state_->outbox.set_paused(false));
  for (const State::Member& member : state_->members) {
    if (member.uploader) member.uploader->set_paused(false);
    if (member.tidier) member.tidier->set_paused(false);
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
    if (member.uploader) member.uploader->run_now();
    if (member.tidier) member.tidier->run_now();
  }
  return Status::ok();
}

Status SyncEngine::wait(CancelToken cancel,
                        const std::function<void(const std::vector<RemoteStatus>&)>& progress)
    NO_THREAD_SAFETY_ANALYSIS {
  for (int tick = 0;; ++tick) {
    SHOEBOX_ASSIGN(const std::vector<RemoteStatus> all, status());
    uint64_t pending = 0;
    uint64_t tidying = 0;  // what fails again and again is not waited for: each original has its copy
    for (const RemoteStatus& status : all) {
      pending += status.pending_files;
      if (!status.paused) tidying += status.tidying_untried;
    }
    if (progress && (pending == 0 || tick % kTicksPerProgress == 0)) progress(all);
    for (const State::Member& member : state_->members) {
      const auto totals = state_->outbox.totals(member.settings.name);
      if (member.tidier && tidying > 0) {
        const Status refused = member.tidier->report().refused;
        if (!refused) return refused.with_context("remote " + member.settings.name);
      }
      if (!totals || totals->pending_files == 0) continue;
      const std::string& name = member.settings.name;
      if (!member.uploader) return member.broken.with_context("remote " + name);
      const Status refused = member.uploader->report().refused;
      if (!refused) return refused.with_context("remote " + name);
    }
    MutexLock lock(state_->mutex);
    if (pending == 0 && tidying == 0 && state_->enqueued) return Status::ok();
    if (pending > 0 && !all.empty() && all.front().paused) {
      return {Code::kBusy,
              fmt::format("backup: paused with {} files waiting; run shoebox backup resume", pending)};
    }
    if (state_->stopping) return {Code::kUnavailable, "backup: the drive is being unmounted"};
    if (cancel.cancelled()) return {Code::kCancelled, "backup: no longer waited for"};
    state_->changed.wait_for(state_->mutex, kWaitTick);
  }
}

}  // namespace shoebox
