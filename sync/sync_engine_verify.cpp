// Verifying, as SyncEngine does it: when somebody asks, and by itself in small shares.
#include <fmt/format.h>

#include "store/base/log.h"
#include "store/outbox.h"
#include "sync/sync_engine_state.h"

namespace shoebox {

Result<std::vector<Remote*>> SyncEngine::State::remotes_called(const std::string& name) {
  std::vector<Remote*> remotes;
  bool known = name.empty();
  for (const Member& member : members) {
    if (!name.empty() && member.settings.name != name) continue;
    known = true;
    if (member.remote) {
      remotes.push_back(member.leased.get());
    } else if (!name.empty()) {
      return member.broken.with_context("remote " + name);
    }
  }
  if (!known)
    return Status(Code::kNotFound, fmt::format("no remote is called \"{}\"; see shoebox status", name));
  return remotes;
}

Result<VerifyReport> SyncEngine::verify(const VerifyRequest& request, CancelToken cancel,
                                        const std::function<void(const VerifyReport&)>& progress) {
  SHOEBOX_ASSIGN(const std::vector<Remote*> remotes, state_->remotes_called(request.remote));
  return state_->verifier.run(remotes, request, cancel, progress);
}

// Those whose policy lets something be done now.
std::vector<Remote*> SyncEngine::State::remotes_not_held() const {
  std::vector<Remote*> remotes;
  for (const Member& member : members) {
    if (member.uploader && member.uploader->report().held.empty()) remotes.push_back(member.leased.get());
  }
  return remotes;
}

// A share of the copies each hour, those first that were not seen for the longest time.
void SyncEngine::State::verify_by_itself() NO_THREAD_SAFETY_ANALYSIS {
  constexpr auto kEvery = std::chrono::hours(1);
  constexpr uint64_t kMostAtOnce = 10'000;
  MutexLock lock(mutex);
  while (!stopping) {
    changed.wait_for(mutex, kEvery, [this]() REQUIRES(mutex) { return stopping; });
    if (stopping) return;
    mutex.unlock();
    VerifyRequest request;
    request.confirmed_before_s = clock.now().seconds - verify_period_s;
    request.at_most = kMostAtOnce;
    request.unread =
        VerifyRequest::Unread::kLeaveOut;  // what was adopted is read when its owner wants it read
    request.repair = true;
    request.wake_remotes = false;
    const Result<bool> paused = outbox.paused();
    const std::vector<Remote*> remotes = remotes_not_held();
    if (paused && !*paused) {
      const Result<VerifyReport> report = verifier.run(remotes, request, stop_verifying, nullptr);
      if (report && report->missing + report->damaged > 0) {
        log::warning("verified {} copies and {} sidecars: {} missing, {} damaged; {} are sent again",
                     report->checked, report->sidecars, report->missing, report->damaged,
                     report->queued_again);
      } else if (!report && report.code() != Code::kCancelled) {
        log::warning("verifying copies: {}", report.status().message());
      }
    }
    mutex.lock();
  }
}

}  // namespace shoebox
