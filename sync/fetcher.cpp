#include "sync/fetcher.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/log.h"
#include "sync/fetcher_state.h"

namespace shoebox {
namespace {

// Readahead states that are kept of contents nobody waits for.
constexpr size_t kIdleContents = 512;

// The parts of `range` that no range of `taken` covers.
std::vector<ByteRange> subtract(ByteRange range, const std::vector<ByteRange>& taken) {
  std::vector<ByteRange> rest{range};
  for (const ByteRange& t : taken) {
    std::vector<ByteRange> next;
    for (const ByteRange& r : rest) {
      const ByteRange before{r.begin, std::min(r.end, t.begin)};
      const ByteRange after{std::max(r.begin, t.end), r.end};
      if (t.empty() || t.end <= r.begin || t.begin >= r.end) {
        next.push_back(r);
        continue;
      }
      if (!before.empty()) next.push_back(before);
      if (!after.empty()) next.push_back(after);
    }
    rest = std::move(next);
  }
  return rest;
}

}  // namespace

Fetcher::Fetcher(Catalog& catalog, ContentStore& contents, const Clock& clock, Options options)
    : state_(std::make_unique<State>(catalog, contents, clock, std::move(options))) {}

Fetcher::~Fetcher() { stop(); }

void Fetcher::add_remote(std::shared_ptr<Remote> remote) {
  auto added = std::make_shared<State::RemoteState>(std::move(remote));
  MutexLock lock(state_->mutex);
  state_->remotes.push_back(std::move(added));
}

void Fetcher::add_remote(Remote& remote) {
  add_remote(std::shared_ptr<Remote>(std::shared_ptr<void>(), &remote));
}

void Fetcher::remove_remote(const std::string& name) {
  std::shared_ptr<State::RemoteState> removed;  // goes, if need be, without the mutex
  MutexLock lock(state_->mutex);
  removed = state_->remote_called(name);
  if (!removed) return;
  removed->removed = true;
  std::erase(state_->remotes, removed);
  for (auto& [content, active] : state_->active) {
    for (const std::shared_ptr<State::Job>& job : active.jobs) {
      if (!job->running || job->stalled || job->remote != name) continue;
      job->stalled = true;
      job->cancel.cancel();
    }
  }
}

void Fetcher::order_remotes(const std::vector<std::string>& names) {
  const auto place = [&](const std::shared_ptr<State::RemoteState>& remote) {
    return std::find(names.begin(), names.end(), remote->remote->name()) - names.begin();
  };
  MutexLock lock(state_->mutex);
  std::stable_sort(state_->remotes.begin(), state_->remotes.end(),
                   [&](const auto& a, const auto& b) { return place(a) < place(b); });
}

std::shared_ptr<Fetcher::State::RemoteState> Fetcher::State::remote_called(const std::string& name) const {
  const auto found = std::find_if(remotes.begin(), remotes.end(),
                                  [&](const auto& remote) { return remote->remote->name() == name; });
  return found != remotes.end() ? *found : nullptr;
}

void Fetcher::on_disk_full(std::function<uint64_t(uint64_t)> callback) {
  state_->disk_full = std::move(callback);
}

void Fetcher::on_copy_missing(
    std::function<void(ContentNo, const std::string&, const std::string&)> callback) {
  state_->copy_missing = std::move(callback);
}

void Fetcher::on_copy_found(std::function<void(ContentNo, const std::string&)> callback) {
  state_->copy_found = std::move(callback);
}

void Fetcher::start() {
  for (size_t i = 0; i < state_->options.threads; ++i) {
    state_->threads.emplace_back([state = state_.get()] { state->work_loop(); });
  }
  state_->threads.emplace_back([state = state_.get()] { state->watch_loop(); });
}

void Fetcher::stop() {
  std::vector<std::shared_ptr<State::Waiter>> left;
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
    state_->queue.clear();
    for (auto& [content, active] : state_->active) {
      for (const auto& job : active.jobs) job->cancel.cancel();
      left.insert(left.end(), active.waiters.begin(), active.waiters.end());
      active.waiters.clear();
    }
  }
  state_->work.notify_all();
  state_->watching.notify_all();
  for (const auto& waiter : left)
    waiter->done(Status(Code::kUnavailable, "fetch: the drive is being unmounted"));
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

Result<std::vector<Fetcher::State::Candidate>> Fetcher::State::candidates(ContentNo content) const {
  SHOEBOX_ASSIGN(const auto copies, catalog.copies(content));
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, catalog.content(content));
  if (copies.empty()) return nobody_has(content);
  const bool pinned = record && record->state == ContentState::kAdopted;
  std::vector<Candidate> found;
  MutexLock lock(mutex);
  const Steady now = clock.steady();
  for (const std::shared_ptr<RemoteState>& remote : remotes) {
    for (const auto& [name, copy] : copies) {
      if (name != remote->remote->name()) continue;
      if (pinned && copy.etag.empty()) continue;  // never adopted so
      found.push_back({remote, copy.key, pinned ? copy.etag : std::string()});
    }
  }
  if (found.empty()) {
    return Status(
        Code::kUnavailable,
        fmt::format("content {}: evicted, and no remote of the settings has it; put its [[remote]] back",
                    content.value));
  }
  const auto online = [&](const Candidate& c) REQUIRES(mutex) { return c.remote->offline_until <= now; };
  // The fastest first; those not measured (lately) keep the order of the settings, and come before.
  std::stable_sort(found.begin(), found.end(), [&](const Candidate& a, const Candidate& b) REQUIRES(mutex) {
    return latency_of(a) < latency_of(b);
  });
  std::stable_partition(found.begin(), found.end(), online);
  if (!online(found.front())) {
    const RemoteState& first = *found.front().remote;
    return Status(Code::kUnavailable, fmt::format("content {}: remote {} is offline ({})", content.value,
                                                  first.remote->name(), first.last_error));
  }
  return found;
}

// Where another machine writes, its catalog comes before its originals.
Status Fetcher::State::nobody_has(ContentNo content) const {
  return {Code::kUnavailable,
          fmt::format("content {}: no remote has it yet; it can be read once the machine that writes this "
                      "library has sent it (user.shoebox.state is \"pending\" until then)",
                      content.value)};
}

// Once each, as programs ask again and again.
void Fetcher::State::tell_unsent(ContentNo content, const Status& why) {
  {
    MutexLock lock(mutex);
    if (told_unsent.size() > kIdleContents) told_unsent.clear();
    if (!told_unsent.insert(content).second) return;
  }
  log::warning("{}", why.message());
}

// Measurements are forgotten: a remote that was slow once must not stay so for ever.
double Fetcher::State::latency_of(const Candidate& candidate) const {
  constexpr auto kForgetAfter = std::chrono::minutes(10);
  const RemoteState& remote = *candidate.remote;
  if (!remote.latency_s || clock.steady() - remote.measured > kForgetAfter) return 0;
  return *remote.latency_s;
}

void Fetcher::State::note_latency(RemoteState& remote, double seconds) {
  constexpr double kWeight = 0.3;  // of the newest: a few requests tell
  MutexLock lock(mutex);
  remote.latency_s = remote.latency_s ? (1 - kWeight) * *remote.latency_s + kWeight * seconds : seconds;
  remote.measured = clock.steady();
}

void Fetcher::fetch(ContentNo content, ByteRange range, CancelToken cancel,
                    std::function<void(Status)> done) {
  State& state = *state_;
  const auto prepare = [&]() -> Result<std::pair<uint64_t, std::vector<ByteRange>>> {
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, state.catalog.content(content));
    if (!record) return Status(Code::kNotFound, fmt::format("content {}: not in the catalog", content.value));
    range.end = std::min(range.end, record->size);
    SHOEBOX_ASSIGN(std::vector<ByteRange> missing, state.contents.missing(content, range));
    if (!missing.empty()) {
      MutexLock lock(state.mutex);
      const auto bad = state.bad.find(content);
      if (bad != state.bad.end()) {
        if (state.clock.steady() < bad->second.until) return bad->second.why;
        state.bad.erase(bad);
      }
    }
    if (!missing.empty()) {
      if (const auto found = state.candidates(content); !found) {
        const auto copies = state.catalog.copies(content);
        if (copies && copies->empty()) state.tell_unsent(content, found.status());
        return found.status();
      }
    }
    return std::make_pair(record->size, std::move(missing));
  };
  const auto prepared = prepare();
  if (!prepared) return done(prepared.status());
  const auto& [size, missing] = *prepared;
  if (missing.empty()) return done(Status::ok());

  const auto waiter = std::make_shared<State::Waiter>();
  for (const ByteRange& part : missing) {
    for (uint64_t at = part.begin; at < part.end; at = (at / kBlockBytes + 1) * kBlockBytes) {
      waiter->blocks.insert(at / kBlockBytes);
    }
  }
  waiter->deadline = state.clock.steady() + state.options.deadline;
  waiter->cancel = std::move(cancel);
  waiter->done = std::move(done);

  ByteRange planned;
  {
    MutexLock lock(state.mutex);
    State::Active& here = state.active[content];
    planned = here.readahead.plan({missing.front().begin, missing.back().end}, size, !here.jobs.empty());
  }
  // What readahead adds is worth no error: without it, the missing parts alone are fetched.
  auto more = state.contents.missing(content, planned);
  std::vector<ByteRange> wanted = missing;
  if (more) wanted = std::move(*more);
  {
    MutexLock lock(state.mutex);
    if (!state.stopping) {
      state.active[content].waiters.push_back(waiter);
      // Also `missing` itself: a block may have been dropped as rotten between the two looks.
      wanted.insert(wanted.end(), missing.begin(), missing.end());
      state.queue_missing(content, size, wanted);
      state.forget_idle();
      state.work.notify_all();
      state.watching.notify_all();
      return;
    }
  }
  waiter->done(Status(Code::kUnavailable, "fetch: the drive is being unmounted"));
}

// Nobody waits for it, and what cannot be brought is asked for again when somebody does.
void Fetcher::found(ContentNo content, ByteRange range) {
  State& state = *state_;
  const auto here = [&]() REQUIRES(state.mutex) -> Readahead* {
    const auto active = state.active.find(content);
    if (state.stopping || active == state.active.end()) return nullptr;
    const auto bad = state.bad.find(content);
    if (bad != state.bad.end() && state.clock.steady() < bad->second.until) return nullptr;
    return active->second.readahead.wants_more(range) ? &active->second.readahead : nullptr;
  };
  {
    MutexLock lock(state.mutex);
    if (here() == nullptr) return;
  }
  if (!state.candidates(content)) return;  // before the window moves on: a miss shall find it where it was
  ByteRange planned;
  uint64_t size = 0;
  {
    MutexLock lock(state.mutex);
    Readahead* const readahead = here();
    if (readahead == nullptr) return;  // another read was quicker
    planned = readahead->plan_ahead(range);
    size = readahead->size();
  }
  const auto missing = state.contents.missing(content, planned);
  if (!missing || missing->empty()) return;
  MutexLock lock(state.mutex);
  if (state.stopping) return;
  state.queue_missing(content, size, *missing);
  state.work.notify_all();
  state.watching.notify_all();
}

// Queues what is not on its way already. A worker looks again what is missing when it begins, so a
// block that arrived meanwhile costs no request and its waiters are told.
void Fetcher::State::queue_missing(ContentNo content, uint64_t size, const std::vector<ByteRange>& wanted) {
  Active& here = active[content];
  for (const ByteRange& range : wanted) {
    std::vector<ByteRange> taken;
    for (const auto& job : here.jobs) taken.push_back(job->rest);
    for (const ByteRange& rest : subtract(range, taken)) {
      const auto job = std::make_shared<Job>();
      job->content = content;
      job->rest = rest;
      job->content_size = size;
      job->last_progress = clock.steady();
      here.jobs.push_back(job);
      queue.push_back(job);
    }
  }
}

void Fetcher::State::forget_idle() {
  if (active.size() > kIdleContents) {
    std::erase_if(active, [](const auto& a) { return a.second.waiters.empty() && a.second.jobs.empty(); });
  }
  if (bad.size() > kIdleContents) {
    std::erase_if(bad, [now = clock.steady()](const auto& b) { return b.second.until <= now; });
  }
}

bool Fetcher::online(const std::string& remote) const {
  MutexLock lock(state_->mutex);
  const auto known = state_->remote_called(remote);
  return known && known->offline_until <= state_->clock.steady();
}

std::string Fetcher::last_error(const std::string& remote) const {
  MutexLock lock(state_->mutex);
  const auto known = state_->remote_called(remote);
  return known ? known->last_error : std::string();
}

int64_t Fetcher::last_error_s(const std::string& remote) const {
  MutexLock lock(state_->mutex);
  const auto known = state_->remote_called(remote);
  return known ? known->last_error_s : 0;
}

}  // namespace shoebox
