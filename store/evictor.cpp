#include "store/evictor.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <set>
#include <thread>
#include <unordered_map>

#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"
#include "store/remote_edit.h"
#include "store/settings.h"

namespace shoebox {
namespace {

// The limit holds within a few seconds even when nobody calls wake().
constexpr std::chrono::seconds kCheckEvery(3);
// Each look reads all records of contents: a burst of wake() costs one a second.
constexpr std::chrono::seconds kRest(1);
// Times of access are written this seldom: losing some only blurs the order of eviction.
constexpr int kChecksPerSave = 20;
constexpr int64_t kCoarseSeconds = 60;
// Of one transaction that writes access times.
constexpr size_t kSaveBatch = 1000;
// Room made beyond what a full disk asked for, so that the next write does not ask again.
constexpr uint64_t kMarginBytes = 16 << 20;

struct Candidate {
  int64_t last_access_s;
  ContentNo content;
  uint64_t frees;
};

uint64_t bytes_freed(uint64_t size) {
  uint64_t kept = 0;
  for (const ByteRange& range : kept_ranges(size)) kept += range.size();
  return size - kept;
}

Status refuse(ContentNo content, std::string_view why) {
  return {Code::kBusy, fmt::format("content {}: {}", content.value, why)};
}

}  // namespace

struct Evictor::State {
  explicit State(const Dependencies& dependencies) : deps(dependencies) {}
  const Dependencies deps;

  Mutex mutex;
  ConditionVariable changed;
  bool stopping GUARDED_BY(mutex) = false;
  bool woken GUARDED_BY(mutex) = false;
  std::thread thread;

  std::atomic<uint64_t> evictable{0};
  std::atomic<bool> evictable_is_old{true};

  Mutex access_mutex;
  std::unordered_map<ContentNo, int64_t> accessed GUARDED_BY(access_mutex);  // not written yet

  std::function<std::string(const std::string&)> trouble_of;  // may be empty; set before start()

  // Remotes that cannot be read from now, and why.
  using Troubles = std::map<std::string, std::string>;
  [[nodiscard]] Troubles troubles() const;
  Status check(const CatalogReader& reader, ContentNo content, const ContentRecord& record,
               const Troubles& troubles) const;
  [[nodiscard]] uint64_t freed_by(ContentNo content, const ContentRecord& record) const;
  Result<std::vector<Candidate>> candidates(int64_t not_after_s);
  Outcome evict_in_order(const std::vector<Candidate>& order, uint64_t bytes);
  Result<uint64_t> count_evictable();
  void take_off(uint64_t freed);
  void save_accesses();
  bool keep_limit();
  void run();
};

Evictor::Evictor(const Dependencies& dependencies) : state_(std::make_unique<State>(dependencies)) {}
Evictor::~Evictor() { stop(); }

void Evictor::start() {
  state_->thread = std::thread([state = state_.get()] { state->run(); });
}

void Evictor::stop() {
  {
    MutexLock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  if (!state_->thread.joinable()) return;
  state_->thread.join();
  state_->save_accesses();
}

void Evictor::wake() {
  {
    MutexLock lock(state_->mutex);
    state_->woken = true;
  }
  state_->changed.notify_all();
}

Evictor::State::Troubles Evictor::State::troubles() const {
  Troubles found;
  if (!trouble_of) return found;
  const std::shared_ptr<const Settings> settings = deps.settings.now();
  for (const RemoteSettings& remote : settings->remotes) {
    std::string why = trouble_of(remote.name);
    if (!why.empty()) found.emplace(remote.name, std::move(why));
  }
  return found;
}

// Promise 2 and what else keeps an original here; runs inside the transaction that lets it go.
Status Evictor::State::check(const CatalogReader& reader, ContentNo content, const ContentRecord& record,
                             const Troubles& troubles) const {
  if (record.residence != Residence::kLocal && deps.contents.fetched_bytes(content) == 0) {
    return refuse(content, "evicted already");
  }
  if (record.pinned) return refuse(content, "pinned");
  SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, reader.jobs_of_content(content));
  if (!jobs.empty()) return refuse(content, fmt::format("its backup to {} is not done", jobs.front().remote));
  if (record.state == ContentState::kStaging) return refuse(content, "still being written");
  SHOEBOX_ASSIGN(const auto copies, reader.copies(content));
  const std::shared_ptr<const Settings> settings = deps.settings.now();  // under the writer lock
  uint32_t confirmed = 0;
  bool reachable = false;
  std::string trouble;
  for (const auto& [remote, copy] : copies) {
    const std::string& remote_name = remote;  // a lambda cannot hold a binding
    const bool in_settings = std::any_of(settings->remotes.begin(), settings->remotes.end(),
                                         [&](const auto& r) { return r.name == remote_name; });
    SHOEBOX_ASSIGN(const bool let_go, remote_is_let_go(reader, remote));
    if (!in_settings || let_go || copy.size != record.size) continue;
    ++confirmed;
    const auto troubled = troubles.find(remote);
    reachable = reachable || troubled == troubles.end();
    if (troubled != troubles.end() && trouble.empty())
      trouble = fmt::format("its copy on {} cannot be read now: {}", troubled->first, troubled->second);
  }
  const uint32_t needed = std::max<uint32_t>(1, settings->copies);
  if (confirmed < needed) {
    return refuse(content, fmt::format("{} of {} copies confirmed", confirmed, needed));
  }
  if (!reachable) return refuse(content, trouble);
  SHOEBOX_ASSIGN(const std::optional<PhotoId> photo, reader.photo_of_content(content));
  if (photo) {
    SHOEBOX_ASSIGN(const std::optional<PhotoRecord> known, reader.photo(*photo));
    if (known && known->info.kind == MediaKind::kUnknown) return refuse(content, "not decoded yet");
  }
  if (deps.files.content_in_use(content)) return refuse(content, "open");
  return Status::ok();
}

void Evictor::ask_remotes(std::function<std::string(const std::string& remote)> trouble_of) {
  state_->trouble_of = std::move(trouble_of);
}

Status Evictor::evict(ContentNo content) {
  uint64_t freed = 0;
  const State::Troubles troubles = state_->troubles();
  SHOEBOX_TRY(
      state_->deps.contents.evict(content, [&](const CatalogReader& reader, const ContentRecord& record) {
        freed = state_->freed_by(content, record);
        return state_->check(reader, content, record, troubles);
      }));
  state_->take_off(freed);
  return Status::ok();
}

std::vector<Status> Evictor::evict(const std::vector<ContentNo>& contents) {
  const State::Troubles troubles = state_->troubles();
  std::unordered_map<ContentNo, uint64_t> frees;
  std::vector<Status> done = state_->deps.contents.evict(
      contents, [&](ContentNo content, const CatalogReader& reader, const ContentRecord& record) {
        frees[content] = state_->freed_by(content, record);
        return state_->check(reader, content, record, troubles);
      });
  for (size_t i = 0; i < contents.size(); ++i) {
    if (!done[i]) continue;
    state_->take_off(frees[contents[i]]);
    frees[contents[i]] = 0;  // named twice
  }
  return done;
}

// What leaves when this one does: of a whole original all but its head and tail, of one that left already
// what was fetched since.
uint64_t Evictor::State::freed_by(ContentNo content, const ContentRecord& record) const {
  const bool whole = record.state == ContentState::kSealed && record.residence == Residence::kLocal;
  return whole ? bytes_freed(record.size) : deps.contents.fetched_bytes(content);
}

uint64_t Evictor::kept_free_bytes() const { return state_->deps.catalog.kept_free_bytes(); }

uint64_t Evictor::evictable_bytes() const { return state_->evictable.load(); }

void Evictor::changed() { state_->evictable_is_old = true; }

Result<uint64_t> Evictor::count_evictable() { return state_->count_evictable(); }

Result<uint64_t> Evictor::State::count_evictable() {
  evictable_is_old = false;  // before the look: what changes meanwhile makes it old again
  const Troubles now = troubles();
  SHOEBOX_ASSIGN(const std::vector<Candidate> order, candidates(INT64_MAX));
  uint64_t bytes = 0;
  for (const Candidate& candidate : order) {
    SHOEBOX_ASSIGN(const auto record, deps.catalog.content(candidate.content));
    if (record && check(deps.catalog, candidate.content, *record, now)) bytes += candidate.frees;
  }
  evictable = bytes;
  return bytes;
}

void Evictor::State::take_off(uint64_t freed) {
  uint64_t before = evictable.load();
  while (!evictable.compare_exchange_weak(before, before - std::min(before, freed))) {
  }
}

Result<std::vector<Candidate>> Evictor::State::candidates(int64_t not_after_s) {
  std::vector<Candidate> found;
  std::unordered_map<ContentNo, int64_t> recent;
  {
    MutexLock lock(access_mutex);
    recent = accessed;
  }
  SHOEBOX_TRY(deps.catalog.for_each_content([&](ContentNo content, const ContentRecord& record) {
    if (!is_immutable(record.state)) return true;
    const uint64_t frees = freed_by(content, record);
    if (frees == 0) return true;
    int64_t last = record.last_access_s;
    if (const auto seen = recent.find(content); seen != recent.end()) last = std::max(last, seen->second);
    if (last <= not_after_s) found.push_back({last, content, frees});
    return true;
  }));
  std::sort(found.begin(), found.end(), [](const Candidate& a, const Candidate& b) {
    return std::tie(a.last_access_s, a.content) < std::tie(b.last_access_s, b.content);
  });
  return found;
}

// One at a time: who waits for room gets it after the first.
Evictor::Outcome Evictor::State::evict_in_order(const std::vector<Candidate>& order, uint64_t bytes) {
  Outcome outcome;
  const Troubles now = troubles();
  for (const Candidate& candidate : order) {
    if (outcome.freed_bytes >= bytes) break;
    const Status status =
        deps.contents.evict(candidate.content, [&](const CatalogReader& reader, const ContentRecord& record) {
          return check(reader, candidate.content, record, now);
        });
    if (status) {
      ++outcome.evicted;
      outcome.freed_bytes += candidate.frees;
      take_off(candidate.frees);
    } else {
      outcome.kept.emplace_back(candidate.content, status.message());
    }
  }
  return outcome;
}

Evictor::Outcome Evictor::make_room(uint64_t bytes) {
  const auto order = state_->candidates(INT64_MAX);
  if (!order) {
    log::warning("no room made: {}", order.status().message());
    return {};
  }
  return state_->evict_in_order(*order, bytes + kMarginBytes + kept_free_bytes());
}

Evictor::Outcome Evictor::evict_all(int64_t older_than_s,
                                    const std::function<void(uint64_t, uint64_t)>& progress) {
  const int64_t now = state_->deps.clock.now().seconds;
  const auto order = state_->candidates(older_than_s == 0 ? INT64_MAX : now - older_than_s);
  if (!order) {
    log::warning("nothing evicted: {}", order.status().message());
    return {};
  }
  Outcome outcome;
  std::vector<ContentNo> together;
  for (size_t begin = 0; begin < order->size(); begin += ContentStore::kEvictTogether) {
    const size_t end = std::min(order->size(), begin + ContentStore::kEvictTogether);
    together.clear();
    for (size_t i = begin; i < end; ++i) together.push_back((*order)[i].content);
    const std::vector<Status> done = evict(together);
    for (size_t i = begin; i < end; ++i) {
      const Status& status = done[i - begin];
      outcome.evicted += status ? 1 : 0;
      outcome.freed_bytes += status ? (*order)[i].frees : 0;
      if (!status) outcome.kept.emplace_back((*order)[i].content, status.message());
    }
    if (progress) progress(end, order->size());
  }
  return outcome;
}

Status Evictor::pin(ContentNo content, bool pinned) {
  const std::unique_ptr<Transaction> transaction = state_->deps.catalog.begin();
  SHOEBOX_ASSIGN(std::optional<ContentRecord> record, transaction->content(content));
  if (!record) return Status(Code::kNotFound, fmt::format("content {}: not in the catalog", content.value));
  if (record->pinned == pinned) return Status::ok();
  record->pinned = pinned;
  transaction->put_content(content, *record);
  return transaction->commit();
}

void Evictor::touched(ContentNo content) {
  const int64_t now = state_->deps.clock.now().seconds;
  MutexLock lock(state_->access_mutex);
  state_->accessed[content] = now;
}

void Evictor::State::save_accesses() {
  std::unordered_map<ContentNo, int64_t> seen;
  {
    MutexLock lock(access_mutex);
    seen.swap(accessed);
  }
  for (auto next = seen.begin(); next != seen.end();) {
    const std::unique_ptr<Transaction> transaction = deps.catalog.begin();
    for (size_t count = 0; count < kSaveBatch && next != seen.end(); ++count, ++next) {
      const auto record = transaction->content(next->first);
      if (!record || !*record || next->second < (*record)->last_access_s + kCoarseSeconds) continue;
      ContentRecord newer = **record;
      newer.last_access_s = next->second;
      transaction->put_content(next->first, newer);
    }
    if (const Status saved = transaction->commit(); !saved) {
      log::warning("times of access not saved: {}", saved.message());
      return;
    }
  }
}

// Whether something is over the limit that could not go.
bool Evictor::State::keep_limit() {
  const auto space = disk_space(deps.library_path);
  if (!space) {
    log::warning("cache limit not checked: {}", space.status().message());
    return false;
  }
  const uint64_t limit = deps.settings->cache.in_bytes(space->total_bytes);
  const uint64_t used = deps.contents.local_total_bytes();
  if (used <= limit) return false;
  const auto order = candidates(INT64_MAX);
  if (!order) {
    log::warning("cache limit not kept: {}", order.status().message());
    return false;
  }
  const Outcome outcome = evict_in_order(*order, used - limit);
  if (outcome.evicted > 0) {
    log::info("evicted {} originals, {} bytes, to keep the cache limit of {} bytes", outcome.evicted,
              outcome.freed_bytes, limit);
  }
  return outcome.freed_bytes < used - limit;
}

void Evictor::State::run() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "evictor");
  // Over the limit with nothing to evict: look again when something was confirmed, or after a
  // while, not at every check, because each look reads all records.
  constexpr int kChecksWhenStuck = 10;
  int checks = 0;
  int skip = 0;
  // Counting may take a hundredth of the time, so that it costs little in a large library.
  constexpr int kRestPerCount = 100;
  std::chrono::steady_clock::time_point next_count{};
  std::set<std::string> silent;  // remotes that could not be read from at the last look
  for (;;) {
    bool woke = false;
    {
      MutexLock lock(mutex);
      changed.wait_for(mutex, kCheckEvery, [this]() REQUIRES(mutex) { return stopping || woken; });
      if (stopping) return;
      woke = std::exchange(woken, false);
    }
    try {
      std::set<std::string> silent_now;
      for (const auto& [remote, why] : troubles()) silent_now.insert(remote);
      if (silent_now != silent) {
        evictable_is_old = true;
        skip = 0;
        silent = std::move(silent_now);
      }
      if (woke || skip == 0) {
        skip = keep_limit() ? kChecksWhenStuck : 0;
      } else {
        --skip;
      }
      if (const Status saved = deps.contents.flush_partials(); !saved) {
        log::warning("lists of fetched blocks not saved: {}", saved.message());
      }
      if (const auto begin = std::chrono::steady_clock::now(); evictable_is_old && begin >= next_count) {
        const auto counted = count_evictable();
        if (!counted) log::warning("space that can be freed not counted: {}", counted.status().message());
        const auto end = std::chrono::steady_clock::now();
        next_count = end + kRestPerCount * (end - begin);
      }
      if (++checks % kChecksPerSave == 0) save_accesses();
    } catch (const std::exception& error) {
      log::error("evictor: {}", error.what());
    }
    MutexLock lock(mutex);
    changed.wait_for(mutex, kRest, [this]() REQUIRES(mutex) { return stopping; });
  }
}

}  // namespace shoebox
