// Fetcher's watch: deadlines, waiters that gave up, transfers that stand still.

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

}  // namespace shoebox
