// SyncEngine: what an unmount still sends, and how long it takes at most.
#include <fmt/format.h>
#include <pthread.h>

#include <thread>

#include "store/base/log.h"
#include "store/outbox.h"
#include "sync/sync_engine_state.h"

namespace shoebox {

// Whether the next machine finds on this remote all that this library knows.
bool SyncEngine::State::all_sent(const Member& member) const {
  const auto totals = outbox.totals(member.settings.name);
  const auto tidying = outbox.tidy_totals(member.settings.name);
  if (!totals || !tidying) return false;
  const uint64_t changes = member.backup->report().pending;
  if (totals->pending_files + tidying->pending + changes == 0) return true;
  log::info(
      "remote {}: {} files, {} objects to be moved and {} changes of the catalog wait; another machine could "
      "write there by a takeover only",
      member.settings.name, totals->pending_files, tidying->pending, changes);
  return false;
}

bool SyncEngine::State::may_finish(const Member& member) const {
  return member.lease && member.lease->may_finish() && member.uploader->report().online;
}

void SyncEngine::State::finish(const Member& member, const CancelToken& cancel) const {
  const Status sent = member.backup->finish(cancel);
  if (!sent) {
    log::info(
        "remote {}: what changed last is not in the backup of the catalog there; the next mount sends it: {}",
        member.settings.name, sent.message());
  }
  if (all_sent(member)) member.lease->release(cancel);
}

void SyncEngine::finish(std::chrono::milliseconds most) {
  CancelToken cancel;
  Mutex mutex;
  ConditionVariable ended;
  size_t at_work = 0;  // under `mutex`
  std::vector<std::thread> threads;
  for (const auto& member : state_->all()) {
    if (!state_->may_finish(*member)) continue;
    {
      const MutexLock lock(mutex);
      ++at_work;
    }
    threads.emplace_back([&, member, state = state_.get()] {
      pthread_setname_np(pthread_self(), "finish");
      try {
        state->finish(*member, cancel);
      } catch (const std::exception& error) {
        log::error("remote {}: at the end: {}", member->settings.name, error.what());
      }
      const MutexLock lock(mutex);
      --at_work;
      ended.notify_all();
    });
  }
  bool in_time = false;
  {
    const MutexLock lock(mutex);
    in_time = ended.wait_for(mutex, most, [&at_work] { return at_work == 0; });
  }
  if (!in_time) cancel.cancel();
  for (std::thread& thread : threads) thread.join();
}

}  // namespace shoebox
