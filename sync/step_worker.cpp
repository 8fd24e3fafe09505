#include "sync/step_worker.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <thread>
#include <unordered_set>
#include <vector>

#include "store/base/log.h"
#include "store/base/mutex.h"

namespace shoebox {
namespace {

using Steady = Clock::Steady;

// A fake clock does not end a wait: the longest one in real time.
constexpr std::chrono::nanoseconds kLongestWait = std::chrono::minutes(1);

}  // namespace

struct StepWorker::State {
  State(std::unique_ptr<StepSource> s, std::string w, const std::string& remote, const Clock& c, Options opts)
      : source(std::move(s)),
        work_name(std::move(w)),
        clock(c),
        options(std::move(opts)),
        gate(remote, work_name, c, options.policy, options.backoff) {}

  const std::unique_ptr<StepSource> source;
  const std::string work_name;
  const Clock& clock;
  const Options options;
  std::vector<std::thread> threads;

  mutable Mutex mutex;  // leaf: nothing is called while it is held
  ConditionVariable changed;
  bool stopping GUARDED_BY(mutex) = false;
  RemoteGate gate GUARDED_BY(mutex);
  bool woken GUARDED_BY(mutex) = true;
  bool looking GUARDED_BY(mutex) = false;  // one thread asks the source
  bool heard GUARDED_BY(mutex) = false;    // wake() came meanwhile
  bool urgent GUARDED_BY(mutex) = false;   // run_now(): until nothing is left to be tried
  bool awaits GUARDED_BY(mutex) = false;   // wake_now()
  bool ending GUARDED_BY(mutex) = false;   // nothing more is tried in this hurry
  std::unordered_set<uint64_t> running GUARDED_BY(mutex);
  uint32_t at_work GUARDED_BY(mutex) = 0;
  CancelToken cancel GUARDED_BY(mutex);
  Steady quiet_until GUARDED_BY(mutex) = Steady::min();
  Steady next_due GUARDED_BY(mutex) = Steady::max();

  void run();
  bool may_look() REQUIRES(mutex);
  void wait_for_work() REQUIRES(mutex);
  std::unique_ptr<WorkerStep> look() REQUIRES(mutex);
  void work(WorkerStep& step) REQUIRES(mutex);
  void look_at_policy() REQUIRES(mutex);
  void break_off() REQUIRES(mutex);
  void be_quiet() REQUIRES(mutex);
};

void StepWorker::State::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), work_name.substr(0, 15).c_str());
  MutexLock lock(mutex);
  while (!stopping) {
    look_at_policy();
    if (!may_look()) {
      wait_for_work();
      continue;
    }
    if (const std::unique_ptr<WorkerStep> step = look()) work(*step);
  }
}

// What is under way when the policy closes is broken off: it begins anew, and nothing is lost.
void StepWorker::State::look_at_policy() {
  const RemoteGate::Turn turn = gate.look(urgent);
  if (turn == RemoteGate::Turn::kOpened) woken = true;
  if (turn == RemoteGate::Turn::kClosed) break_off();
}

void StepWorker::State::break_off() {
  cancel.cancel();
  cancel = CancelToken();
}

void StepWorker::State::be_quiet() { quiet_until = clock.steady() + std::chrono::seconds(options.quiet_s); }

bool StepWorker::State::may_look() {
  const Steady now = clock.steady();
  if (!gate.is_open() || looking || (now < quiet_until && !urgent)) return false;
  if (!gate.online() && at_work > 0) return false;  // one probe after an outage
  if (ending) return false;
  return woken || (urgent && at_work == 0 && !awaits) || now >= next_due;
}

void StepWorker::State::wait_for_work() NO_THREAD_SAFETY_ANALYSIS {
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

std::unique_ptr<WorkerStep> StepWorker::State::look() NO_THREAD_SAFETY_ANALYSIS {
  looking = true;
  woken = heard = false;
  const bool hurry = urgent;
  const std::unordered_set<uint64_t> skipped = running;
  mutex.unlock();
  int64_t due_s = 0;
  const auto skip = [&](uint64_t subject) { return skipped.contains(subject); };
  auto step = source->next(false, skip, &due_s);
  if (step && !*step && hurry) step = source->next(true, skip, nullptr);
  const int64_t now_s = clock.now().seconds;
  mutex.lock();
  looking = false;
  next_due =
      due_s == 0 ? Steady::max() : clock.steady() + std::chrono::seconds(std::max<int64_t>(1, due_s - now_s));
  changed.notify_all();
  if (!step) {
    gate.note_error(step.status());
    next_due = clock.steady() + std::chrono::seconds(10);
    return nullptr;
  }
  awaits = source->awaits();
  if (!*step) {
    if (at_work == 0 && !awaits) urgent = false;  // else the policy may break off what the others do
    if (heard && at_work == 0) be_quiet();
    return nullptr;
  }
  woken = true;  // there may be more behind it
  return std::move(*step);
}

void StepWorker::State::work(WorkerStep& step) NO_THREAD_SAFETY_ANALYSIS {
  if (step.subject != 0) running.insert(step.subject);
  ++at_work;
  const CancelToken token = cancel;
  mutex.unlock();
  RequestHints hints;
  Status status;
  try {
    status = step.run(token, hints);
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
    const Status noted = step.failed(status, not_before_s);
    if (!noted) log::error("{}: noting what became of {}: {}", work_name, step.key, noted.message());
  }
  mutex.lock();
  running.erase(step.subject);
  --at_work;
  if (ending && at_work == 0) ending = urgent = false;
  woken = true;
  changed.notify_all();
}

StepWorker::StepWorker(std::unique_ptr<StepSource> source, std::string work, const std::string& remote,
                       const Clock& clock, Options options)
    : state_(std::make_unique<State>(std::move(source), std::move(work), remote, clock, std::move(options))) {
}

StepWorker::~StepWorker() { stop(); }

void StepWorker::start(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
    state_->be_quiet();
  }
  for (uint32_t i = 0; i < std::max<uint32_t>(1, state_->options.connections); ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->run(); });
  }
}

void StepWorker::stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->cancel.cancel();
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

void StepWorker::wake() {
  {
    MutexLock lock(state_->mutex);
    if (state_->woken) return;
    state_->woken = true;
    // A source notes in the catalog what it hands out, which is heard here as well: no reason to let what
    // comes behind it wait.
    state_->heard = state_->looking;
    if (state_->at_work == 0 && !state_->looking) state_->be_quiet();
  }
  state_->changed.notify_all();
}

void StepWorker::wake_now() {
  {
    MutexLock lock(state_->mutex);
    state_->woken = true;
    state_->awaits = state_->heard = false;
    state_->quiet_until = Steady::min();
  }
  state_->changed.notify_all();
}

void StepWorker::set_paused(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
    state_->woken = true;
    if (paused) state_->break_off();
  }
  state_->changed.notify_all();
}

void StepWorker::set_surroundings(const Surroundings& around) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_surroundings(around);
    state_->look_at_policy();
  }
  state_->changed.notify_all();
}

void StepWorker::run_now() {
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

void StepWorker::try_again() {
  {
    MutexLock lock(state_->mutex);
    state_->gate.reopen();
    state_->woken = true;
  }
  state_->changed.notify_all();
}

StepWorker::Report StepWorker::report() const {
  MutexLock lock(state_->mutex);
  return {state_->gate.report(), state_->urgent};
}

}  // namespace shoebox
