#include "sync/catalog_backup.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <optional>
#include <thread>

#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

using Steady = Clock::Steady;

// The clock of a test moves when nobody waits for it: look this often.
constexpr auto kLongestWait = std::chrono::seconds(1);
constexpr auto kLookWhetherDone = std::chrono::milliseconds(100);
// As long as nothing there counts for eviction: how often it looks whether it may look by now, and how long
// it waits after a look that failed.
constexpr auto kLookWhileInDoubt = std::chrono::milliseconds(200);
constexpr auto kFailedLookRest = std::chrono::seconds(5);

}  // namespace

struct CatalogBackup::State {
  State(Catalog& c, Remote& r, const Clock& k, Options o)
      : catalog(c),
        remote(r),
        clock(k),
        options(std::move(o)),
        sender(c, r, k, options.sender),
        gate(r.name(), "backup of the catalog", k, options.policy, options.backoff) {}

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
  RemoteGate gate GUARDED_BY(mutex);
  bool urgent GUARDED_BY(mutex) = false;     // run_now(): what waits goes without delay
  bool asked_for GUARDED_BY(mutex) = false;  // and the policy does not hold it, nor what else comes of it
  std::optional<uint64_t> asked_up_to GUARDED_BY(mutex);  // the last change that comes of it, once it is made
  CancelToken cancel GUARDED_BY(mutex);                   // of what is being sent
  Steady due GUARDED_BY(mutex) = Steady::max();           // of the changes that wait
  Steady last_begin GUARDED_BY(mutex) = Steady::min();
  Steady next_look GUARDED_BY(mutex) = Steady::min();
  uint32_t failures GUARDED_BY(mutex) = 0;

  [[nodiscard]] uint64_t pending() const {
    const uint64_t last = catalog.last_change();
    const uint64_t sent = sender.sent();
    return last > sent ? last - sent : sender.more() || sender.harmed() ? 1 : 0;
  }
  void run();
  [[nodiscard]] bool is_due() REQUIRES(mutex);
  void send() REQUIRES(mutex);
  [[nodiscard]] bool may_look() REQUIRES(mutex);
  void look() REQUIRES(mutex);
  void look_whether_done() REQUIRES(mutex);
};

bool CatalogBackup::State::is_due() {
  (void)gate.look(asked_for);
  if (gate.paused()) return false;
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
  return gate.is_open() && (urgent || now >= due);
}

// What is changed after all that was asked for is done, was not asked for.
void CatalogBackup::State::look_whether_done() NO_THREAD_SAFETY_ANALYSIS {
  if (!asked_up_to) {
    mutex.unlock();
    const bool more = options.more_to_come && options.more_to_come();
    mutex.lock();
    // Whatever comes of it was committed before more_to_come() said so.
    if (!more) asked_up_to = catalog.last_change();
  }
  if (asked_up_to && sender.sent() >= *asked_up_to && !sender.more()) asked_for = false;
}

void CatalogBackup::State::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "catalog-backup");
  MutexLock lock(mutex);
  while (!stopping) {
    if (asked_for) look_whether_done();
    if (is_due()) {
      send();
    } else if (may_look()) {
      look();
    } else if (asked_for && !gate.paused()) {
      changed.wait_for(mutex, kLookWhetherDone);
    } else if (due == Steady::max() || gate.paused()) {
      // Nothing to send until a commit, or a resume, comes.
      std::chrono::milliseconds most = std::chrono::seconds(options.look_s);
      if (sender.in_doubt() && options.may_look) most = kLookWhileInDoubt;
      changed.wait_for(mutex, most, [&]() NO_THREAD_SAFETY_ANALYSIS {
        return stopping || urgent || asked_for || (!gate.paused() && dirty.load());
      });
      if (gate.paused()) urgent = asked_for = false;
    } else {
      std::chrono::nanoseconds left = std::max(due, gate.hold_until()) - clock.steady();
      if (!gate.held().empty()) left = kLongestWait;
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
    (void)gate.judge(status, 0, 0, "");
    failures = 0;
    gate.forget_error();
  } else if (!token.cancelled()) {
    const RemoteGate::Verdict verdict = gate.judge(status, ++failures, hints.retry_after_s, "");
    if (!verdict.closed) gate.close_for(verdict.delay_s, "an error");
  }
  changed.notify_all();
}

bool CatalogBackup::State::may_look() NO_THREAD_SAFETY_ANALYSIS {
  if (clock.steady() < next_look || !options.may_look) return false;
  mutex.unlock();
  const bool may = options.may_look();
  mutex.lock();
  return may && !stopping;
}

void CatalogBackup::State::look() NO_THREAD_SAFETY_ANALYSIS {
  cancel = CancelToken();
  const CancelToken token = cancel;
  next_look = clock.steady() + std::chrono::seconds(options.look_s);
  mutex.unlock();
  Status looked;
  try {
    looked = sender.look(token);
  } catch (const std::exception& e) {
    looked = Status(Code::kIo, e.what());
  }
  // Who sends there, or asks who owns it, tells what is wrong.
  if (!looked) log::debug("remote {}: looking at its backup: {}", remote.name(), looked.message());
  mutex.lock();
  if (sender.in_doubt()) next_look = std::min(next_look, clock.steady() + kFailedLookRest);
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
    state_->gate.set_paused(paused);
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

Status CatalogBackup::finish(const CancelToken& cancel) {
  State& state = *state_;
  {
    MutexLock lock(state.mutex);
    if (state.pending() == 0) return Status::ok();
    (void)state.gate.look(false);
    if (const std::string why = state.gate.why_closed(); !why.empty()) return {Code::kUnavailable, why};
  }
  while (state.pending() > 0) {
    if (cancel.cancelled()) return {Code::kCancelled, "not sent in time"};
    RequestHints hints;
    SHOEBOX_TRY(state.sender.send(cancel, hints));
  }
  // What is noted of the head: after a power cut it has to be known again.
  return state.catalog.sync();
}

void CatalogBackup::wake() {
  if (state_->dirty.exchange(true)) return;
  { MutexLock lock(state_->mutex); }  // not between its look and its wait
  state_->changed.notify_all();
}

void CatalogBackup::set_paused(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
    if (paused) state_->cancel.cancel();
    state_->dirty = true;
  }
  state_->changed.notify_all();
}

void CatalogBackup::set_surroundings(const Surroundings& around) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_surroundings(around);
    if (state_->gate.look(state_->asked_for) == RemoteGate::Turn::kClosed) state_->cancel.cancel();
  }
  state_->changed.notify_all();
}

void CatalogBackup::run_now() {
  {
    MutexLock lock(state_->mutex);
    state_->urgent = true;
    state_->asked_for = true;
    state_->asked_up_to.reset();
    state_->gate.reopen();
    (void)state_->gate.look(true);  // so that nobody is told any more that it holds
  }
  state_->changed.notify_all();
}

void CatalogBackup::send_again(const std::set<std::string>& keys) {
  state_->sender.send_again(keys);
  {
    MutexLock lock(state_->mutex);
    state_->dirty = true;
  }
  state_->changed.notify_all();
}

void CatalogBackup::try_again() {
  {
    MutexLock lock(state_->mutex);
    state_->gate.reopen();
    state_->gate.forget_error();
    state_->dirty = true;
  }
  state_->changed.notify_all();
}

CatalogBackup::Report CatalogBackup::report() const {
  MutexLock lock(state_->mutex);
  Report report{state_->gate.report(), state_->pending(), state_->sender.sent_s()};
  if (report.pending > 0) return report;
  report.held.clear();
  report.waiting_for.clear();
  return report;
}

bool CatalogBackup::in_doubt() const { return state_->sender.in_doubt(); }

uint64_t CatalogBackup::sent_up_to() const { return state_->sender.sent(); }

uint64_t CatalogBackup::needs_no_changes_up_to() const { return state_->sender.snapshot(); }

}  // namespace shoebox
