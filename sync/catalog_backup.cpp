#include "sync/catalog_backup.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>

#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

using Steady = Clock::Steady;

constexpr double kRefusedRetryS = 60;  // wrong keys may be put right while we run
// The clock of a test moves when nobody waits for it: look this often.
constexpr auto kLongestWait = std::chrono::seconds(1);

std::chrono::nanoseconds seconds(double s) { return std::chrono::nanoseconds(static_cast<int64_t>(s * 1e9)); }

}  // namespace

struct CatalogBackup::State {
  State(Catalog& c, Remote& r, const Clock& k, Options o)
      : catalog(c), remote(r), clock(k), options(std::move(o)), sender(c, r, k, options.sender) {}

  Catalog& catalog;
  Remote& remote;
  const Clock& clock;
  const Options options;
  CatalogSender sender;
  std::thread thread;
  std::atomic<bool> dirty{true};  // a commit came since the thread looked

  mutable Mutex mutex;  // leaf: nothing is called while it is held
  ConditionVariable changed;
  bool stopping GUARDED_BY(mutex) = false;
  bool paused GUARDED_BY(mutex) = false;
  bool urgent GUARDED_BY(mutex) = false;
  CancelToken cancel GUARDED_BY(mutex);          // of what is being sent
  Steady due GUARDED_BY(mutex) = Steady::max();  // of the changes that wait
  Steady last_begin GUARDED_BY(mutex) = Steady::min();
  Steady hold_until GUARDED_BY(mutex) = Steady::min();
  uint32_t failures GUARDED_BY(mutex) = 0;
  std::string last_error GUARDED_BY(mutex);
  int64_t last_error_s GUARDED_BY(mutex) = 0;
  Status refused GUARDED_BY(mutex);

  [[nodiscard]] uint64_t pending() const {
    const uint64_t last = catalog.last_change();
    const uint64_t sent = sender.sent();
    return last > sent ? last - sent : sender.more() ? 1 : 0;
  }
  void run();
  [[nodiscard]] bool is_due() REQUIRES(mutex);
  void send() REQUIRES(mutex);
  void failed(const Status& why, const RequestHints& hints) REQUIRES(mutex);
};

bool CatalogBackup::State::is_due() {
  if (paused) return false;
  dirty = false;
  if (pending() == 0) {
    due = Steady::max();
    urgent = false;
    return false;
  }
  const Steady now = clock.steady();
  if (due == Steady::max()) {
    due = now + std::chrono::seconds(options.delay_s);
    if (sender.more()) {
      due = now;
    } else if (last_begin != Steady::min()) {
      due = std::max(due, last_begin + std::chrono::seconds(options.interval_s));
    }
  }
  return now >= hold_until && (urgent || now >= due);
}

void CatalogBackup::State::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "catalog-backup");
  MutexLock lock(mutex);
  while (!stopping) {
    if (is_due()) {
      send();
    } else if (due == Steady::max() || paused) {
      // Nothing to do until a commit, or a resume, comes.
      changed.wait(
          mutex, [&]() NO_THREAD_SAFETY_ANALYSIS { return stopping || urgent || (!paused && dirty.load()); });
      if (paused) urgent = false;
    } else {
      const auto left = std::max(due, hold_until) - clock.steady();
      changed.wait_for(
          mutex, std::clamp<std::chrono::nanoseconds>(left, std::chrono::milliseconds(1), kLongestWait));
    }
  }
}

void CatalogBackup::State::send() NO_THREAD_SAFETY_ANALYSIS {
  cancel = CancelToken();
  const CancelToken token = cancel;
  last_begin = clock.steady();
  due = Steady::max();
  mutex.unlock();
  RequestHints hints;
  Status status;
  try {
    status = sender.send(token, hints);
  } catch (const std::exception& e) {
    status = Status(Code::kIo, fmt::format("backup of the catalog: {}", e.what()));
  }
  if (status && options.on_sent) options.on_sent();
  mutex.lock();
  if (status) {
    failures = 0;
    last_error.clear();
    refused = Status::ok();
  } else if (!token.cancelled()) {
    failed(status, hints);
  }
  changed.notify_all();
}

void CatalogBackup::State::failed(const Status& why, const RequestHints& hints) {
  ++failures;
  if (last_error != why.message()) {
    log::warning("remote {}: backup of the catalog: {}", remote.name(), why.message());
  }
  last_error = why.message();
  last_error_s = clock.now().seconds;
  const bool refuses =
      why.code() == Code::kUnauthorized || why.code() == Code::kNoSpace || why.code() == Code::kReadOnly;
  refused = refuses ? why : Status::ok();
  const double delay = refuses ? kRefusedRetryS : options.backoff.delay_s(failures, hints.retry_after_s);
  hold_until = clock.steady() + seconds(delay);
}

CatalogBackup::CatalogBackup(Catalog& catalog, Remote& remote, const Clock& clock, Options options)
    : state_(std::make_unique<State>(catalog, remote, clock, std::move(options))) {
  const Status loaded = state_->sender.load();
  if (!loaded) log::error("remote {}: what its backup holds: {}", remote.name(), loaded.message());
}

CatalogBackup::~CatalogBackup() { stop(); }

void CatalogBackup::start(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->paused = paused;
  }
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void CatalogBackup::stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->cancel.cancel();
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

void CatalogBackup::wake() {
  if (state_->dirty.exchange(true)) return;
  { MutexLock lock(state_->mutex); }  // not between its look and its wait
  state_->changed.notify_all();
}

void CatalogBackup::set_paused(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->paused = paused;
    if (paused) state_->cancel.cancel();
    state_->dirty = true;
  }
  state_->changed.notify_all();
}

void CatalogBackup::run_now() {
  {
    MutexLock lock(state_->mutex);
    state_->urgent = true;
    state_->hold_until = Steady::min();
    state_->refused = Status::ok();
  }
  state_->changed.notify_all();
}

void CatalogBackup::try_again() {
  {
    MutexLock lock(state_->mutex);
    state_->hold_until = Steady::min();
    state_->refused = Status::ok();
    state_->last_error.clear();
    state_->dirty = true;
  }
  state_->changed.notify_all();
}

CatalogBackup::Report CatalogBackup::report() const {
  MutexLock lock(state_->mutex);
  Report report;
  report.pending = state_->pending();
  report.sent_s = state_->sender.sent_s();
  report.last_error = state_->last_error;
  report.last_error_s = state_->last_error_s;
  report.refused = state_->refused;
  if (report.pending == 0) return report;
  const Steady now = state_->clock.steady();
  if (state_->paused) {
    report.waiting_for = "paused";
  } else if (now < state_->hold_until) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(state_->hold_until - now).count() + 1;
    report.waiting_for = fmt::format("an error, retry in {} s", left);
  }
  return report;
}

uint64_t CatalogBackup::needs_no_changes_up_to() const { return state_->sender.snapshot(); }

}  // namespace shoebox
