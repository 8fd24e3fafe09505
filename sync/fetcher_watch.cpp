// Fetcher's watch: deadlines, waiters that gave up, transfers that stand still.

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>

#include "store/base/log.h"
#include "sync/fetcher_state.h"

namespace shoebox {
namespace {

// How soon an interrupted read returns. Only while somebody waits; else the thread sleeps.
constexpr auto kTick = std::chrono::milliseconds(50);
// Lists of fetched blocks become durable so long after a fetch, for the next start to use.
constexpr auto kFlushAfter = std::chrono::seconds(5);

}  // namespace

void Fetcher::State::watch_loop() NO_THREAD_SAFETY_ANALYSIS {
  pthread_setname_np(pthread_self(), "fetch-watch");
  auto last_flush = std::chrono::steady_clock::now();
  for (;;) {
    Answers answers;
    bool flush = false;
    {
      MutexLock lock(mutex);
      if (stopping) return;
      expire(clock.steady(), answers);
      const bool busy = std::any_of(active.begin(), active.end(), [](const auto& a) {
        return !a.second.waiters.empty() || !a.second.jobs.empty();
      });
      if (answers.empty()) {
        if (busy) {
          watching.wait_for(mutex, kTick);
        } else if (dirty_partials) {
          watching.wait_for(mutex, kFlushAfter);
        } else {
          watching.wait(mutex);
        }
      }
      const auto now = std::chrono::steady_clock::now();
      if (dirty_partials && !stopping && now - last_flush >= kFlushAfter) {
        flush = true;
        dirty_partials = false;
        last_flush = now;
      }
    }
    for (const Answer& answer : answers) answer.done(answer.status);
    if (flush) {
      const Status flushed = contents.flush_partials();
      if (!flushed) log::warning("lists of fetched blocks: {}", flushed.message());
    }
  }
}

void Fetcher::State::expire(Steady now, Answers& answers) {
  for (auto& [content, here] : active) {
    std::erase_if(here.waiters, [&](const std::shared_ptr<Waiter>& waiter) {
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

}  // namespace shoebox
