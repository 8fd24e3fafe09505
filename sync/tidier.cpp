#include "sync/tidier.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <optional>
#include <thread>
#include <unordered_set>
#include <vector>

#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/outbox.h"
#include "sync/remote_gate.h"
#include "sync/tidy.h"

namespace shoebox {
namespace {

using Steady = Clock::Steady;

// A fake clock does not end a wait: the longest one in real time.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::minutes(1);

}  // namespace

struct Tidier::State {
  State(Outbox& o, Remote& r, const Clock& c, Options opts)
      : outbox(o),
        remote(r),
        clock(c),
        options(std::move(opts)),
        tidy{o, r, c},
        gate(r.name(), "tidy", c, options.policy, options.backoff) {}

  Outbox& outbox;
  Remote& remote;
  const Clock& clock;
  const Options options;
  const Tidy tidy;
  std::vector<std::thread> threads;

  mutable Mutex mutex;  // leaf: nothing is called while it is held
  ConditionVariable changed;
  bool stopping GUARDED_BY(mutex) = false;
  RemoteGate gate GUARDED_BY(mutex);
  bool woken GUARDED_BY(mutex) = true;
  bool looking GUARDED_BY(mutex) = false;        // one thread asks the outbox
  bool urgent GUARDED_BY(mutex) = false;         // run_now(): until nothing is left to be tried
  bool awaits_backup GUARDED_BY(mutex) = false;  // of the catalog: removals go on after it
  bool ending GUARDED_BY(mutex) = false;         // nothing more is tried in this hurry
  std::unordered_set<ContentNo> running GUARDED_BY(mutex);
  uint32_t at_work GUARDED_BY(mutex) = 0;
  CancelToken cancel GUARDED_BY(mutex);
  Steady quiet_until GUARDED_BY(mutex) = Steady::min();
  Steady next_due GUARDED_BY(mutex) = Steady::max();

  void run();
  bool may_look() REQUIRES(mutex);
  void wait_for_work() REQUIRES(mutex);
  std::optional<TidyStep> look() REQUIRES(mutex);
  void work(const TidyStep& step) REQUIRES(mutex);
  void look_at_policy() REQUIRES(mutex);
  void break_off() REQUIRES(mutex);
};

void Tidier::State::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "tidier");
  MutexLock lock(mutex);
  while (!stopping) {
    look_at_policy();
    if (!may_look()) {
      wait_for_work();
      continue;
    }
    if (const std::optional<TidyStep> step = look()) work(*step);
  }
}

// What is under way when the policy closes is broken off: it begins anew, and nothing is lost.
void Tidier::State::look_at_policy() {
  const RemoteGate::Turn turn = gate.look(urgent);
  if (turn == RemoteGate::Turn::kOpened) woken = true;
  if (turn == RemoteGate::Turn::kClosed) break_off();
}

void Tidier::State::break_off() {
  cancel.cancel();
  cancel = CancelToken();
}

bool Tidier::State::may_look() {
  const Steady now = clock.steady();
  if (!gate.is_open() || looking || (now < quiet_until && !urgent)) return false;
  if (!gate.online() && at_work > 0) return false;  // one probe after an outage
  if (ending) return false;
  return woken || (urgent && at_work == 0 && !awaits_backup) || now >= next_due;
}

void Tidier::State::wait_for_work() NO_THREAD_SAFETY_ANALYSIS {
  const Steady now = clock.steady();
  Steady until = next_due;
  if (woken && now < quiet_until) until = std::min(until, quiet_until);
  if (gate.backs_off()) until = gate.hold_until();
  std::chrono::nanoseconds longest = kLongestWait;
  if (until != Steady::max() && until > now) {
    longest = std::min<std::chrono::nanoseconds>(longest, until - now);
  }
  changed.wait_for(mutex, longest);
}

std::optional<TidyStep> Tidier::State::look() NO_THREAD_SAFETY_ANALYSIS {
  looking = true;
  woken = false;
  const bool hurry = urgent;
  const std::unordered_set<ContentNo> skipped = running;
  mutex.unlock();
  int64_t due_s = 0;
  auto step = outbox.next_tidy(
      remote.name(), false, [&](ContentNo content) { return skipped.contains(content); }, &due_s);
  if (step && !*step && hurry) {
    step = outbox.next_tidy(
        remote.name(), true, [&](ContentNo content) { return skipped.contains(content); }, nullptr);
  }
  const int64_t now_s = clock.now().seconds;
  mutex.lock();
  looking = false;
  next_due =
      due_s == 0 ? Steady::max() : clock.steady() + std::chrono::seconds(std::max<int64_t>(1, due_s - now_s));
  changed.notify_all();
  if (!step) {
    gate.note_error(step.status());
    next_due = clock.steady() + std::chrono::seconds(10);
    return std::nullopt;
  }
  awaits_backup = outbox.tidy_awaits_backup(remote.name());
  if (!*step) {
    if (at_work == 0 && !awaits_backup) urgent = false;  // else the policy may break off what the others do
    return std::nullopt;
  }
  woken = true;  // there may be more behind it
  return *step;
}

void Tidier::State::work(const TidyStep& step) NO_THREAD_SAFETY_ANALYSIS {
  if (step.content) running.insert(step.content);
  ++at_work;
  const CancelToken token = cancel;
  mutex.unlock();
  RequestHints hints;
  Status status;
  try {
    status = tidy.run(step, token, hints);
  } catch (const std::exception& e) {
    status = Status(Code::kIo, fmt::format("{}: {}", step.key, e.what()));
  }
  mutex.lock();
  const bool given_up = !status && status.code() == Code::kCancelled && token.cancelled();
  const double delay_s =
      given_up ? 0 : gate.judge(status, step.attempts + 1, hints.retry_after_s, "").delay_s;
  if (!status && urgent) ending = true;  // each is tried once in a hurry
  mutex.unlock();
  if (!status) {
    const int64_t not_before_s =
        given_up ? 0 : clock.now().seconds + std::max<int64_t>(1, static_cast<int64_t>(std::ceil(delay_s)));
    const Status noted = outbox.tidy_failed(step, remote.name(), status, not_before_s);
    if (!noted) log::error("noting that {} was not tidied: {}", step.key, noted.message());
  }
  mutex.lock();
  running.erase(step.content);
  --at_work;
  if (ending && at_work == 0) ending = urgent = false;
  woken = true;
  changed.notify_all();
}

Tidier::Tidier(Outbox& outbox, Remote& remote, const Clock& clock, Options options)
    : state_(std::make_unique<State>(outbox, remote, clock, std::move(options))) {}

Tidier::~Tidier() { stop(); }

void Tidier::start(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
    state_->quiet_until = state_->clock.steady() + std::chrono::seconds(state_->options.quiet_s);
  }
  for (uint32_t i = 0; i < std::max<uint32_t>(1, state_->options.connections); ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
  }
}

void Tidier::stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->cancel.cancel();
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

void Tidier::wake() {
  {
    MutexLock lock(state_->mutex);
    if (state_->woken) return;
    state_->woken = true;
    if (state_->at_work == 0) {
      state_->quiet_until = state_->clock.steady() + std::chrono::seconds(state_->options.quiet_s);
    }
  }
  state_->changed.notify_all();
}

void Tidier::wake_now() {
  {
    MutexLock lock(state_->mutex);
    state_->woken = true;
    state_->awaits_backup = false;
    state_->quiet_until = Steady::min();
  }
  state_->changed.notify_all();
}

void Tidier::set_paused(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
    state_->woken = true;
    if (paused) state_->break_off();
  }
  state_->changed.notify_all();
}

void Tidier::set_surroundings(const Surroundings& around) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_surroundings(around);
    state_->look_at_policy();
  }
  state_->changed.notify_all();
}

void Tidier::run_now() {
  {
    MutexLock lock(state_->mutex);
    state_->urgent = true;
    state_->ending = false;
    state_->gate.reopen();
    state_->look_at_policy();  // so that nobody is told any more that it holds
    state_->woken = true;
  }
  state_->changed.notify_all();
}

void Tidier::try_again() {
  {
    MutexLock lock(state_->mutex);
    state_->gate.reopen();
    state_->woken = true;
  }
  state_->changed.notify_all();
}

Tidier::Report Tidier::report() const {
  MutexLock lock(state_->mutex);
  return {state_->gate.online(),     state_->urgent,
          state_->gate.held(),       state_->gate.why_closed(),
          state_->gate.last_error(), state_->gate.last_error_s(),
          state_->gate.refused()};
}

}  // namespace shoebox
