// Fetcher's workers: one GET at a time each, verified block by block, from one remote or the next.

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <exception>

#include "store/base/log.h"
#include "sync/fetcher_state.h"

namespace shoebox {
namespace {

constexpr int kTriesPerRemote = 3;   // of an unreachable one before it counts as offline
constexpr int kRottenPerRemote = 2;  // a bad block is fetched again once, then from another remote
constexpr int kMovesPerRemote = 10;  // a file renamed again and again while it is read
constexpr int kChangesPerJob = 3;    // of the settings, which break off what is read
constexpr int kTriesForRoom = 5;     // of a block on a full disk
constexpr double kPauseForRoom_s = 0.1;
constexpr int kThrottledPerJob = 20;  // bounded; nobody waits longer than the deadline anyway
// A remote may ask to be left alone for days; somebody who wants to see a photo tries again sooner.
constexpr double kMostLeftAlone_s = 60;

}  // namespace

void Fetcher::State::work_loop() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "fetcher");
  for (;;) {
    std::shared_ptr<Job> job;
    {
      MutexLock lock(mutex);
      job = next_job();
      if (!job) return;
      job->running = true;
      job->last_progress = clock.steady();
    }
    try {
      run_job(job);
      settle(job->content);
    } catch (const std::exception& e) {
      failed(job, Status(Code::kIo, fmt::format("fetch of content {}: {}", job->content.value, e.what())));
    }
    MutexLock lock(mutex);
    job->running = false;
    if (job->put_off) {
      queue.push_back(job);
      work.notify_one();
    } else {
      std::erase(active[job->content].jobs, job);
    }
  }
}

void Fetcher::State::run_job(const std::shared_ptr<Job>& job) {
  ByteRange range;
  {
    MutexLock lock(mutex);
    range = job->rest;
  }
  const auto missing = contents.missing(job->content, range);
  if (!missing) return failed(job, missing.status());
  uint64_t at = range.begin;
  // Blocks that are there by now: tell who waits for them.
  const auto present_until = [&](uint64_t end) {
    for (; at < end; at = std::min(end, (at / kBlockBytes + 1) * kBlockBytes)) {
      arrived(job, at / kBlockBytes, std::min(end, (at / kBlockBytes + 1) * kBlockBytes));
    }
  };
  for (const ByteRange& part : *missing) {
    present_until(std::min(part.begin, range.end));
    const Status status = transfer(job, {part.begin, std::min(part.end, job->content_size)});
    if (status.code() == Code::kCancelled) return;  // nobody waits, or unmounting
    if (!status) return failed(job, status);
    at = part.end;
  }
  present_until(range.end);
}

Status Fetcher::State::transfer(const std::shared_ptr<Job>& job, ByteRange range) {
  for (int change = 0;; ++change) {
    SHOEBOX_ASSIGN(const std::vector<Candidate> sources, candidates(job->content));
    bool left = false;
    const Status status = transfer_from(sources, job, range, left);
    // Its settings may just have changed: then it is there anew.
    if (status || !left || change == kChangesPerJob || status.code() == Code::kCancelled) return status;
  }
}

// Brings `range`, asking remote after remote. The worst of what they said is the answer. `left`: one of them
// was removed meanwhile.
Status Fetcher::State::transfer_from(std::vector<Candidate> sources, const std::shared_ptr<Job>& job,
                                     ByteRange range, bool& left) {
  Status answer;
  for (size_t next = 0; next < sources.size(); ++next) {
    Candidate source = sources[next];
    RemoteState& from = *source.remote;
    Remote* const remote = from.remote.get();
    bool offline = false;
    {
      MutexLock lock(mutex);
      left = left || from.removed;
      offline = from.offline_until > clock.steady();
      // They come last. When none of the others could help, one that failed a while ago may be back by now.
      if (from.removed || (offline && answer)) continue;
    }
    if (const Steady now = clock.steady(); source.not_before > now)
      return put_off(job, std::chrono::duration<double>(source.not_before - now).count(), answer);
    int tries = offline ? kTriesPerRemote - 1 : 0, rotten = 0, moves = 0;
    for (;;) {
      {
        MutexLock lock(mutex);
        const bool again = tries > 0 || rotten > 0 || job->throttled > 0;
        if (stopping || (again && !wanted(*job))) {
          std::erase(active[job->content].jobs, job);  // in one go with the look: nobody may join it now
          return {Code::kCancelled, "fetch: nobody waits any more"};
        }
        range.begin = std::max(range.begin, job->rest.begin);
      }
      RequestHints hints;
      bool local_trouble = false;
      Status status = request(job, *remote, source, range, hints, local_trouble);
      if (status) {
        note_remote(from, status);
        note_found(job->content, *remote);
        return status;
      }
      if (!local_trouble) {
        MutexLock lock(mutex);
        left = left || from.removed;
        if (from.removed && !stopping) break;
      }
      if (status.code() == Code::kCancelled) {
        MutexLock lock(mutex);
        if (stopping || !job->stalled) return status;  // stop() has answered all who waited
        status = Status(Code::kTimeout, fmt::format("{} on {}: nothing arrives", source.key, remote->name()));
      }
      const bool not_it = status.code() == Code::kNotFound || status.code() == Code::kDataLoss ||
                          status.code() == Code::kConflict;
      if (not_it && ++moves < kMovesPerRemote && moved(job->content, source, *remote)) continue;
      if (local_trouble) return status;  // a full or failing disk here: another remote does not help
      answer = no_answer(answer.code()) ? answer : status;
      if (status.code() == Code::kDataLoss && ++rotten < kRottenPerRemote) continue;
      const bool asked_to_wait = status.code() == Code::kThrottled && ++job->throttled < kThrottledPerJob;
      const bool may_be_back = status.code() == Code::kUnavailable && ++tries < kTriesPerRemote;
      if (asked_to_wait || may_be_back) {
        const auto attempts = static_cast<uint32_t>(asked_to_wait ? job->throttled : tries);
        const double delay_s = options.backoff.delay_s(attempts, hints.retry_after_s);
        if (is_in_time(*job, delay_s)) {
          note_error(from, status);
          if (asked_to_wait && others_first(sources, next, source, delay_s)) break;
          if (asked_to_wait) return put_off(job, delay_s, status);
          if (!pause_for(delay_s, job.get())) return status;
          continue;
        }
      }
      note_remote(from, status, hints.retry_after_s);
      if (status.code() == Code::kNotFound) note_missing(job->content, *remote, source.key);
      break;
    }
  }
  if (answer)
    return {Code::kUnavailable, fmt::format("content {}: all its remotes are offline", job->content.value)};
  // Whatever a remote said, to the reader these bytes are lost or out of reach.
  if (no_answer(answer.code()) || answer.code() == Code::kThrottled) return answer;
  return {Code::kDataLoss, answer.message()};
}

void Fetcher::State::note_missing(ContentNo content, const Remote& remote, const std::string& key) {
  {
    MutexLock lock(mutex);
    missed.emplace(content, remote.name());
  }
  if (copy_missing) copy_missing(content, remote.name(), key);
}

void Fetcher::State::note_found(ContentNo content, const Remote& remote) {
  {
    MutexLock lock(mutex);
    if (missed.erase({content, remote.name()}) == 0) return;
  }
  if (copy_found) copy_found(content, remote.name());
}

// Whether the catalog says of the copy what it said when `source` was asked for.
bool Fetcher::State::still_is(ContentNo content, const Candidate& source, const Remote& remote) const {
  const auto copy = catalog.copy(content, remote.name());
  return copy && *copy && (*copy)->key == source.key && (*copy)->etag == source.etag;
}

// Whether tidying gave the copy another key since `source` was read.
bool Fetcher::State::moved(ContentNo content, Candidate& source, const Remote& remote) const {
  const auto copy = catalog.copy(content, remote.name());
  if (!copy || !*copy || (*copy)->key == source.key) return false;
  source.key = (*copy)->key;
  return true;
}

// One GET; every whole block goes through verification as it comes.
Status Fetcher::State::request(const std::shared_ptr<Job>& job, Remote& remote, const Candidate& source,
                               ByteRange range, RequestHints& hints, bool& local_trouble) {
  const std::string& key = source.key;
  const Steady asked = clock.steady();
  bool answered = false;
  RequestContext context;
  context.hints = &hints;
  {
    MutexLock lock(mutex);
    job->stalled = false;
    job->cancel = context.cancel;
    job->remote = remote.name();
    if (source.remote->removed)
      return {Code::kUnavailable, fmt::format("remote {} was removed", remote.name())};
    job->last_progress = clock.steady();
  }
  std::string gathered;
  uint64_t at = range.begin;
  Status stopped;  // why the store refused a block
  const auto block_end = [&] { return std::min(range.end, (at / kBlockBytes + 1) * kBlockBytes); };
  std::vector<std::string> held;
  const auto keep = [&](std::string_view block) -> Status {
    const uint64_t index = at / kBlockBytes;
    const Status stored = store(job->content, index, block);
    if (!stored) {
      stopped = stored.with_context(key + " on " + remote.name());
      return stopped;
    }
    at = block_end();
    arrived(job, index, at);
    return Status::ok();
  };
  const auto sink = [&](std::string_view piece) -> Status {
    if (!answered) {
      answered = true;
      note_latency(*source.remote, std::chrono::duration<double>(clock.steady() - asked).count());
    }
    {
      MutexLock lock(mutex);
      job->last_progress = clock.steady();
    }
    while (!piece.empty()) {
      if (at >= range.end) {
        return {Code::kDataLoss,
                fmt::format("{} on {}: more bytes came than were asked", key, remote.name())};
      }
      const uint64_t want = block_end() - at;
      std::string_view block;
      if (gathered.empty() && piece.size() >= want) {
        block = piece.substr(0, want);
        piece.remove_prefix(want);
      } else {
        const size_t take = std::min<uint64_t>(want - gathered.size(), piece.size());
        gathered.append(piece.substr(0, take));
        piece.remove_prefix(take);
        if (gathered.size() < want) return Status::ok();
        block = gathered;
      }
      if (!source.etag.empty()) {
        held.emplace_back(block);
        at = block_end();
      } else if (const Status kept = keep(block); !kept) {
        return kept;
      }
      gathered.clear();
    }
    return Status::ok();
  };
  Status status = remote.get(key, range, source.etag, sink, context);
  if (status && !held.empty() && !still_is(job->content, source, remote)) {
    status = {Code::kConflict, "another object holds it meanwhile"};
  }
  // Adopted bytes: only now is it certain that the object did not change while it was read.
  if (status && at == range.end && !held.empty()) {
    at = range.begin;
    for (const std::string& block : held) {
      if (!keep(block)) break;
    }
  }
  if (status.code() == Code::kConflict && !source.etag.empty()) {
    return {Code::kConflict,
            fmt::format("{} on {}: changed since it was adopted ({}); its former bytes are gone, "
                        "shoebox adopt takes the present ones",
                        key, remote.name(), status.message())};
  }
  if (!stopped) {
    local_trouble = stopped.code() != Code::kDataLoss;
    return stopped;
  }
  if (status && at < range.end) {
    return {Code::kDataLoss,
            fmt::format("{} on {}: the answer ended {} bytes early", key, remote.name(), range.end - at)};
  }
  return status;
}

// Trying again after it is right though nothing was freed: somebody else, who keeps the cache limit or
// fetches, may have made the room just before.
bool Fetcher::State::make_room(const Status& why) const {
  if (why.code() != Code::kNoSpace || !disk_full) return false;
  disk_full(Readahead::kMostWindowBytes);
  return true;
}

Status Fetcher::State::store(ContentNo content, uint64_t index, std::string_view bytes) {
  Status stored = contents.store_block(content, index, bytes);
  // What was freed others may have taken, and what may not be evicted now may be in a moment.
  for (int tries = 0; tries < kTriesForRoom && make_room(stored); ++tries) {
    if (tries > 0 && !pause_for(tries * kPauseForRoom_s)) break;
    stored = contents.store_block(content, index, bytes);
  }
  return stored;
}

// Whoever waited was told: what fails here costs a fetch after the next crash, and is tried again.
void Fetcher::State::settle(ContentNo content) {
  Status settled = contents.settle_fetched(content);
  if (make_room(settled)) settled = contents.settle_fetched(content);
  if (!settled) {
    log::warning("keeping what was fetched of content {}: {}", content.value, settled.message());
  }
}

void Fetcher::State::arrived(const std::shared_ptr<Job>& job, uint64_t block, uint64_t end) {
  std::vector<std::shared_ptr<Waiter>> served;
  {
    MutexLock lock(mutex);
    job->rest.begin = std::max(job->rest.begin, end);
    auto& waiters = active[job->content].waiters;
    for (const auto& waiter : waiters) {
      if (waiter->blocks.erase(block) > 0 && waiter->blocks.empty()) served.push_back(waiter);
    }
    std::erase_if(waiters, [](const auto& w) { return w->blocks.empty(); });
  }
  for (const auto& waiter : served) waiter->done(Status::ok());
}

// Those who wait for what this job did not bring get the reason; and for a while all who ask again.
void Fetcher::State::failed(const std::shared_ptr<Job>& job, const Status& why) {
  std::vector<std::shared_ptr<Waiter>> lost;
  {
    MutexLock lock(mutex);
    const uint64_t first = job->rest.begin / kBlockBytes;
    const uint64_t end = (job->rest.end + kBlockBytes - 1) / kBlockBytes;
    auto& waiters = active[job->content].waiters;
    const auto hit = [&](const std::shared_ptr<Waiter>& w) {
      const auto block = w->blocks.lower_bound(first);
      return block != w->blocks.end() && *block < end;
    };
    std::erase(active[job->content].jobs, job);  // whoever comes from now on gets a job of their own
    std::copy_if(waiters.begin(), waiters.end(), std::back_inserter(lost), hit);
    std::erase_if(waiters, hit);
    // Only what is this content's own trouble: for remotes that are offline see RemoteState. And only what
    // somebody asked for: a bad block further on takes nothing from who reads before it.
    if (!lost.empty() && (why.code() == Code::kDataLoss || why.code() == Code::kTimeout)) {
      bad[job->content] = {why, clock.steady() + options.bad};
    }
  }
  if (lost.empty()) return;
  if (why.code() != Code::kCancelled)
    log::warning("fetch of content {}: {}", job->content.value, why.message());
  for (const auto& waiter : lost) waiter->done(why);
}

void Fetcher::State::note_remote(RemoteState& remote, const Status& status, double retry_after_s) {
  if (!status) note_error(remote, status);
  MutexLock lock(mutex);
  if (status) {
    remote.offline_until = Steady::min();
    return;
  }
  std::chrono::milliseconds alone(static_cast<int64_t>(std::min(retry_after_s, kMostLeftAlone_s) * 1000));
  if (no_answer(status.code()) || status.code() == Code::kUnauthorized) {
    alone = std::max(alone, options.offline);
  } else if (status.code() != Code::kThrottled || alone <= options.deadline) {
    return;  // whoever reads next has the time to wait that this one had no more
  }
  remote.offline_until = std::max(remote.offline_until, clock.steady() + alone);
}

void Fetcher::State::note_error(RemoteState& remote, const Status& status) {
  MutexLock lock(mutex);
  remote.last_error = status.message();
  remote.last_error_s = clock.now().seconds;
}

}  // namespace shoebox
