// Fetcher's watch: deadlines, waiters that gave up, transfers that stand still; and who waits for a job,
// and which is next.

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "sync/fetcher_state.h"

namespace shoebox {
namespace {

// How soon an interrupted read returns. Only while somebody waits; else the thread sleeps.
constexpr auto kWatchTick = std::chrono::milliseconds(50);

}  // namespace

void Fetcher::State::watch_loop() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "fetch-watch");
  for (;;) {
    Answers answers;
    {
      MutexLock lock(mutex);
      if (stopping) return;
      expire(clock.steady(), answers);
      const bool busy = std::any_of(active.begin(), active.end(), [](const auto& a) {
        return !a.second.waiters.empty() || !a.second.jobs.empty();
      });
      if (answers.empty()) {
        if (busy) {
          watching.wait_for(mutex, kWatchTick);
        } else {
          watching.wait(mutex);
        }
      }
    }
    if (!answers.empty()) work.notify_all();  // who pauses before the next try for them
    for (const Answer& answer : answers) answer.done(answer.status);
  }
}

void Fetcher::State::expire(Steady now, Answers& answers) {
  for (auto& entry : active) {
    const ContentNo content = entry.first;
    auto& here = entry.second;
    std::erase_if(here.waiters, [&](const std::shared_ptr<Waiter>& waiter) REQUIRES(mutex) {
      if (waiter->cancel.cancelled()) {
        answers.push_back({waiter->done, Status(Code::kCancelled, "fetch: the reader gave up")});
        return true;
      }
      if (now < waiter->deadline) return false;
      Status late(Code::kTimeout,
                  fmt::format("content {}: not fetched within {} s", content.value,
                              std::chrono::duration_cast<std::chrono::seconds>(options.deadline).count()));
      // The deadline is the content's: the kernel asks again for a readahead that failed.
      bad[content] = {late, now + options.bad};
      answers.push_back({waiter->done, std::move(late)});
      return true;
    });
    for (const std::shared_ptr<Job>& job : here.jobs) {
      if (!job->running || job->stalled || now - job->last_progress < options.stall) continue;
      job->stalled = true;
      job->cancel.cancel();
    }
  }
}

bool Fetcher::State::wanted(const Job& job, Steady at) {
  const uint64_t first = job.rest.begin / kBlockBytes;
  const uint64_t end = (job.rest.end + kBlockBytes - 1) / kBlockBytes;
  for (const auto& waiter : active[job.content].waiters) {
    const auto block = waiter->blocks.lower_bound(first);
    if (block != waiter->blocks.end() && *block < end && waiter->deadline > at) return true;
  }
  return false;
}

// Whether of those who wait for it one still does after a pause. Of what nobody waits for the pause ends at
// once.
bool Fetcher::State::is_in_time(const Job& job, double pause_s) {
  MutexLock lock(mutex);
  const auto pause = std::chrono::milliseconds(static_cast<int64_t>(pause_s * 1000));
  return !wanted(job) || wanted(job, clock.steady() + pause);
}

// The next that is to be worked on now; null: stopping.
std::shared_ptr<Fetcher::State::Job> Fetcher::State::next_job() NO_THREAD_SAFETY_ANALYSIS {
  for (;;) {
    if (stopping) return nullptr;
    if (queue.empty()) {
      work.wait(mutex, [this]() REQUIRES(mutex) { return stopping || !queue.empty(); });
      continue;
    }
    const Steady now = std::chrono::steady_clock::now();
    const auto ready = [now](const std::shared_ptr<Job>& job) {
      return !job->put_off || *job->put_off <= now;
    };
    if (const auto found = std::find_if(queue.begin(), queue.end(), ready); found != queue.end()) {
      std::shared_ptr<Job> job = std::move(*found);
      queue.erase(found);
      job->put_off.reset();
      return job;
    }
    const auto first = std::min_element(
        queue.begin(), queue.end(), [](const auto& a, const auto& b) { return *a->put_off < *b->put_off; });
    work.wait_for(mutex, *(*first)->put_off - now);
  }
}

// It is begun anew after a while; its thread is free for what other remotes have. `why` where nobody has the
// time.
Status Fetcher::State::put_off(const std::shared_ptr<Job>& job, double pause_s, const Status& why) {
  const auto pause = std::chrono::milliseconds(static_cast<int64_t>(pause_s * 1000));
  MutexLock lock(mutex);
  if (!wanted(*job)) {
    std::erase(active[job->content].jobs, job);  // whoever comes from now on gets one of their own
  } else if (!wanted(*job, clock.steady() + pause)) {
    return why;
  } else {
    job->put_off = std::chrono::steady_clock::now() + pause;
  }
  return {Code::kCancelled, "fetch: put off, or nobody waits any more"};
}

// Puts what asks to wait behind the remotes that may have the bytes now. False: there are none.
bool Fetcher::State::others_first(std::vector<Candidate>& sources, size_t at, Candidate source,
                                  double delay_s) {
  MutexLock lock(mutex);
  const Steady now = clock.steady();
  const auto others = sources.begin() + static_cast<std::ptrdiff_t>(at) + 1;
  const auto offline = std::find_if(others, sources.end(), [&](const Candidate& c) REQUIRES(mutex) {
    return c.remote->removed || c.remote->offline_until > now;
  });
  if (offline == others) return false;
  source.not_before = now + std::chrono::milliseconds(static_cast<int64_t>(delay_s * 1000));
  sources.insert(offline, std::move(source));
  return true;
}

bool Fetcher::State::pause_for(double s, const Job* job) NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex);
  work.wait_for(mutex, std::chrono::duration<double>(s),
                [&]() REQUIRES(mutex) { return stopping || (job != nullptr && !wanted(*job)); });
  return !stopping;
}

}  // namespace shoebox
