#include "sync/uploader.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <exception>
#include <set>
#include <thread>
#include <unordered_map>
#include <unordered_set>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/outbox.h"
#include "sync/upload.h"

namespace shoebox {
namespace {

using Steady = Clock::Steady;
using RealClock = std::chrono::steady_clock;

// Asking the outbox walks its queue: a queue full of what is not ready yet is not walked for every commit.
constexpr auto kLeastScanGap = std::chrono::milliseconds(200);
constexpr size_t kQueueAhead = 4;  // contents asked for per connection
constexpr auto kCheckDeadline = std::chrono::seconds(30);
constexpr auto kReadyWithin = std::chrono::seconds(60);  // sealing and decoding, after `backup now`

}  // namespace

struct Uploader::State {
  State(Outbox& o, Remote& r, ContentSource* s, const Clock& c, Options opts)
      : outbox(o),
        remote(r),
        clock(c),
        options(std::move(opts)),
        upload{o, r, s, c, [this] { return share(); }},
        gate(r.name(), "", c, options.policy, options.backoff) {
    allowed = std::max<uint32_t>(1, options.connections);
  }

  Outbox& outbox;
  Remote& remote;
  const Clock& clock;
  const Options options;
  const Upload upload;
  std::vector<std::thread> threads;

  mutable Mutex mutex;  // leaf: nothing is called while it is held
  ConditionVariable changed;
  bool stopping GUARDED_BY(mutex) = false;
  RemoteGate gate GUARDED_BY(mutex);
  bool woken GUARDED_BY(mutex) = true;                           // the outbox may have something new
  bool scanning GUARDED_BY(mutex) = false;                       // one thread asks the outbox
  bool urgent GUARDED_BY(mutex) = false;                         // run_now(): each content is tried once
  std::unordered_set<ContentNo> urgent_tried GUARDED_BY(mutex);  // and not sent
  Steady urgent_until GUARDED_BY(mutex) = Steady::min();  // what is not ready yet is waited for until then
  std::deque<ReadyUpload> queue GUARDED_BY(mutex);
  std::unordered_map<ContentNo, CancelToken> running GUARDED_BY(mutex);
  Steady next_due GUARDED_BY(mutex) = Steady::max();  // some content becomes ready
  RealClock::time_point next_scan GUARDED_BY(mutex);  // real time: spares the processor only
  uint32_t allowed GUARDED_BY(mutex) = 1;
  uint32_t successes GUARDED_BY(mutex) = 0;
  Steady last_cut GUARDED_BY(mutex) = Steady::min();
  std::unordered_map<ContentNo, uint64_t> kept_back GUARDED_BY(mutex);  // with their sizes
  std::string kept_back_reason GUARDED_BY(mutex);

  void run();
  void look_at_policy() REQUIRES(mutex);
  void first_check();
  bool may_start() REQUIRES(mutex);
  uint32_t share() EXCLUDES(mutex);
  void wait_for_work() REQUIRES(mutex);
  void scan() REQUIRES(mutex);
  void send_one() REQUIRES(mutex);
  double judge(const Status& status, const ReadyUpload* item, const RequestHints& hints) REQUIRES(mutex);
  void cancel_running() REQUIRES(mutex);
};

void Uploader::State::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "uploader");
  MutexLock lock(mutex);
  while (!stopping) {
    look_at_policy();
    if (may_start() && !queue.empty()) {
      send_one();
    } else if (may_start() && !scanning && RealClock::now() >= next_scan &&
               (woken || urgent || clock.steady() >= next_due)) {
      scan();
    } else {
      wait_for_work();
    }
  }
}

// What is under way when the hours end is broken off; a multipart upload resumes later.
void Uploader::State::look_at_policy() {
  switch (gate.look(urgent)) {
    case RemoteGate::Turn::kNone: return;
    case RemoteGate::Turn::kOpened: woken = true; return;
    case RemoteGate::Turn::kClosed: break;
  }
  queue.clear();
  cancel_running();
}

bool Uploader::State::may_start() {
  if (!gate.is_open() || running.size() >= allowed) return false;
  return gate.online() || running.empty();  // one probe after an outage
}

// Requests that each upload under way may have at once: small files come first, as an upload each; what they
// leave goes to the parts of large ones.
uint32_t Uploader::State::share() {
  const MutexLock lock(mutex);
  return std::max<uint32_t>(1, allowed / std::max<uint32_t>(1, static_cast<uint32_t>(running.size())));
}

void Uploader::State::wait_for_work() NO_THREAD_SAFETY_ANALYSIS {
  Steady until = next_due;
  if (gate.backs_off()) until = gate.hold_until();
  std::chrono::nanoseconds longest = std::chrono::minutes(1);
  if (until != Steady::max()) longest = std::min<std::chrono::nanoseconds>(longest, until - clock.steady());
  const auto scan_gap = next_scan - RealClock::now();
  if (woken && scan_gap.count() > 0) longest = std::min<std::chrono::nanoseconds>(longest, scan_gap);
  changed.wait_for(mutex, std::max<std::chrono::nanoseconds>(longest, std::chrono::milliseconds(1)));
}

void Uploader::State::scan() NO_THREAD_SAFETY_ANALYSIS {
  scanning = true;
  woken = false;
  const bool hurry = urgent;
  // Without a policy that holds, whatever gets ready later is sent in its time.
  const bool would_hold = gate.may_hold_later();
  std::unordered_set<ContentNo> skipped = hurry ? urgent_tried : std::unordered_set<ContentNo>();
  for (const auto& [content, token] : running) skipped.insert(content);
  mutex.unlock();
  const auto begin = RealClock::now();
  int64_t due_s = 0;
  std::unordered_map<ContentNo, uint64_t> kept;
  std::string kept_reason;
  auto found = outbox.ready(
      remote.name(), hurry ? 0 : options.quiet_s, options.connections * kQueueAhead,
      [&](ContentNo content) {
        if (skipped.contains(content)) return true;
        KeptBack back = options.kept_back ? options.kept_back(content) : KeptBack();
        if (back.why.empty()) return false;
        kept.emplace(content, back.size);
        kept_reason = std::move(back.why);
        return true;
      },
      &due_s);
  const auto took = RealClock::now() - begin;
  const auto totals = outbox.totals(remote.name());
  const uint64_t pending = would_hold && totals ? totals->pending_files : 0;
  const int64_t now_s = clock.now().seconds;
  mutex.lock();
  scanning = false;
  // A walk that found its fill may not have come to the end: what it did not see stays known.
  if (found && found->size() < options.connections * kQueueAhead) kept_back.clear();
  kept_back.insert(kept.begin(), kept.end());
  if (!kept.empty()) kept_back_reason = kept_reason;
  next_due =
      due_s == 0 ? Steady::max() : clock.steady() + std::chrono::seconds(std::max<int64_t>(1, due_s - now_s));
  if (!found) {
    gate.note_error(found.status());
    next_due = clock.steady() + std::chrono::seconds(10);
  } else if (found->empty()) {
    // Until then what it sends is under way, or not sealed yet; the policy would hold it afterwards.
    const bool more = pending > urgent_tried.size() + kept_back.size() && clock.steady() < urgent_until;
    if (urgent && hurry && running.empty() && !more) {
      urgent = false;
      urgent_tried.clear();
      woken = true;  // what this round left is looked at once more, with its back-off
    }
    next_scan = begin + took + std::max<std::chrono::nanoseconds>(kLeastScanGap, took * 4);
  } else {
    woken = true;  // there may be more behind these
    for (ReadyUpload& item : *found) {
      if (!running.contains(item.job.content)) queue.push_back(std::move(item));
    }
  }
  changed.notify_all();
}

void Uploader::State::send_one() NO_THREAD_SAFETY_ANALYSIS {
  const ReadyUpload item = std::move(queue.front());
  queue.pop_front();
  const CancelToken cancel;
  running.emplace(item.job.content, cancel);
  if (urgent) urgent_tried.insert(item.job.content);
  mutex.unlock();

  RequestHints hints;
  Status status;
  try {
    if (item.content.state == ContentState::kAdopted) {
      // Sent in a second turn, once its hashes are known; or its bytes are known ones, and the job is theirs.
      status = upload.bring_back(item, cancel);
      if (status.code() == Code::kNotFound) status = Status::ok();
    } else {
      auto copy = upload.send(item, cancel, hints);
      status = copy ? outbox.confirmed(item.job.content, remote.name(), *copy) : copy.status();
      if (status) kill_point("upload-confirmed");
    }
  } catch (const std::exception& e) {
    status = Status(Code::kIo, fmt::format("{}: {}", item.key, e.what()));
  }

  const bool damaged = status.code() == Code::kDataLoss && upload.is_damaged_here(item, cancel);
  mutex.lock();
  const bool given_up = !status && status.code() == Code::kCancelled && cancel.cancelled();
  const double delay_s = given_up || damaged ? 0 : judge(status, &item, hints);
  mutex.unlock();
  if (damaged) {
    log::error("{}: the bytes on this disk are not those that were written; it is not sent to {}", item.key,
               remote.name());
    const Status noted = outbox.damaged(item.job.content, remote.name());
    if (!noted) log::error("noting that {} is damaged: {}", item.key, noted.message());
  } else if (!status && !given_up) {
    const int64_t not_before_s = clock.now().seconds + static_cast<int64_t>(std::ceil(delay_s));
    const Status noted = outbox.failed(item.job.content, remote.name(), status, not_before_s);
    if (!noted) log::error("noting a failed upload of {}: {}", item.key, noted.message());
  }
  outbox.ended(item.job.content, remote.name());
  mutex.lock();
  running.erase(item.job.content);
  if (status) urgent_tried.erase(item.job.content);
  woken = true;
  changed.notify_all();
}

// What a result tells about the remote. Returns how long the content waits before it is tried again.
double Uploader::State::judge(const Status& status, const ReadyUpload* item, const RequestHints& hints) {
  const std::string what = item == nullptr     ? "check"
                           : item->key.empty() ? fmt::format("content {}", item->job.content.value)
                                               : item->key;
  const RemoteGate::Verdict verdict =
      gate.judge(status, item != nullptr ? item->job.attempts + 1 : 1, hints.retry_after_s, what);
  if (status && ++successes >= allowed * 4 && allowed < options.connections) {
    ++allowed;
    successes = 0;
  }
  const Steady now = clock.steady();
  if (verdict.throttled) {
    successes = 0;
    if (last_cut == Steady::min() || now - last_cut > std::chrono::seconds(1)) {  // one cut a burst
      allowed = std::max<uint32_t>(1, allowed / 2);
      last_cut = now;
    }
  }
  if (verdict.closed) {
    queue.clear();  // asked for again when the remote is tried again
    urgent = false;
    urgent_tried.clear();
  }
  return verdict.delay_s;
}

void Uploader::State::first_check() {
  RequestContext context;
  context.deadline = clock.steady() + kCheckDeadline;
  {
    MutexLock lock(mutex);
    if (stopping) return;
    running.emplace(ContentNo(), context.cancel);  // so that stop() breaks it off
  }
  RequestHints hints;
  context.hints = &hints;
  Status status;
  try {
    status = remote.check(context);
  } catch (const std::exception& e) {
    status = Status(Code::kIo, e.what());
  }
  {
    MutexLock lock(mutex);
    running.erase(ContentNo());
    if (!context.cancel.cancelled()) (void)judge(status, nullptr, hints);
  }
  changed.notify_all();
}

void Uploader::State::cancel_running() {
  for (const auto& [content, token] : running) token.cancel();
}

Uploader::Uploader(Outbox& outbox, Remote& remote, ContentSource* source, const Clock& clock, Options options)
    : state_(std::make_unique<State>(outbox, remote, source, clock, std::move(options))) {}

Uploader::~Uploader() { stop(); }

void Uploader::start(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
  }
  const uint32_t count = std::max<uint32_t>(1, state_->options.connections);
  for (uint32_t i = 0; i < count; ++i) {
    state_->threads.emplace_back([state = state_.get(), i] {
      if (i == 0) state->first_check();
      state->run();
    });
  }
}

void Uploader::stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->cancel_running();
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

void Uploader::wake() {
  {
    MutexLock lock(state_->mutex);
    if (state_->woken) return;
    state_->woken = true;
  }
  state_->changed.notify_all();
}

void Uploader::set_paused(bool paused) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_paused(paused);
    state_->woken = true;
    if (paused) {
      state_->queue.clear();
      state_->cancel_running();
    }
  }
  state_->changed.notify_all();
}

void Uploader::set_surroundings(const Surroundings& around) {
  {
    MutexLock lock(state_->mutex);
    state_->gate.set_surroundings(around);
    state_->look_at_policy();
  }
  state_->changed.notify_all();
}

void Uploader::run_now() {
  {
    MutexLock lock(state_->mutex);
    state_->urgent = true;
    state_->urgent_until = state_->clock.steady() + kReadyWithin;
    state_->urgent_tried.clear();
    state_->queue.clear();
    state_->gate.reopen();
    state_->look_at_policy();  // so that nobody is told any more that it holds
    state_->next_scan = RealClock::time_point();
    state_->woken = true;
  }
  state_->changed.notify_all();
}

void Uploader::try_again() {
  {
    MutexLock lock(state_->mutex);
    state_->gate.reopen();
    state_->woken = true;
  }
  state_->changed.notify_all();
}

Uploader::Report Uploader::report() const {
  MutexLock lock(state_->mutex);
  Report report{state_->gate.report()};
  report.running = static_cast<uint32_t>(state_->running.size());
  report.allowed = state_->allowed;
  report.asked_for = state_->urgent;
  report.kept_back = state_->kept_back.size();
  for (const auto& [content, bytes] : state_->kept_back) report.kept_back_bytes += bytes;
  if (!report.waiting_for.empty() || !state_->running.empty()) return report;
  const Steady now = state_->clock.steady();
  if (state_->next_due != Steady::max() && now < state_->next_due) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(state_->next_due - now).count() + 1;
    report.waiting_for = fmt::format("quiet, decoding or the next try, {} s at most", left);
  } else if (!state_->kept_back.empty()) {
    report.waiting_for = state_->kept_back_reason;
  }
  return report;
}

}  // namespace shoebox
