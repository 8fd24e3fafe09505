// SyncEngine::wait: until everything that can be sent is sent.
#include <fmt/format.h>

#include <algorithm>

#include "store/outbox.h"
#include "sync/sync_engine_state.h"

namespace shoebox {
namespace {

// How often wait() looks whether the queue is empty, and how often it tells.
constexpr auto kWaitTick = std::chrono::milliseconds(100);
constexpr int kTicksPerProgress = 10;

}  // namespace

// The originals are all there: so shall the catalog be, which says where.
Status SyncEngine::State::hurry_backups() const {
  for (const Member& member : members) {
    if (!member.backup) continue;
    const CatalogBackup::Report report = member.backup->report();
    if (!report.refused) return report.refused.with_context("remote " + member.settings.name);
    if (report.pending > 0 && report.waiting_for.empty()) member.backup->run_now();
  }
  return Status::ok();
}

Status SyncEngine::wait(CancelToken cancel,
                        const std::function<void(const std::vector<RemoteStatus>&)>& progress)
    NO_THREAD_SAFETY_ANALYSIS {
  for (int tick = 0;; ++tick) {
    SHOEBOX_ASSIGN(const std::vector<RemoteStatus> all, status());
    uint64_t pending = 0;  // but for what a policy keeps back
    uint64_t tidying = 0;  // what fails again and again is not waited for: each original has its copy
    uint64_t changes = 0;
    for (size_t i = 0; i < all.size(); ++i) {
      const auto& uploader = state_->members[i].uploader;
      const uint64_t kept = uploader ? uploader->report().kept_back : 0;
      pending += all[i].pending_files - std::min(kept, all[i].pending_files);
      changes += all[i].catalog_pending;
      if (!all[i].paused) tidying += all[i].tidying_untried;
    }
    if (progress && (pending + changes == 0 || tick % kTicksPerProgress == 0)) progress(all);
    for (const State::Member& member : state_->members) {
      const auto totals = state_->outbox.totals(member.settings.name);
      if (member.tidier && tidying > 0) {
        const Status refused = member.tidier->report().refused;
        if (!refused) return refused.with_context("remote " + member.settings.name);
      }
      if (!totals || totals->pending_files == 0) continue;
      const std::string& name = member.settings.name;
      if (!member.uploader) return member.broken.with_context("remote " + name);
      const Uploader::Report report = member.uploader->report();
      if (!report.refused) return report.refused.with_context("remote " + name);
      if (!report.held.empty() && report.kept_back < totals->pending_files) {
        return {Code::kBusy, fmt::format("remote {}: {} files wait by its policy: {}", name,
                                         totals->pending_files, report.held)};
      }
    }
    const bool paused = !all.empty() && all.front().paused;
    if (pending == 0 && changes > 0 && !paused) SHOEBOX_TRY(state_->hurry_backups());
    MutexLock lock(state_->mutex);
    if (pending + changes + tidying == 0 && state_->enqueued) return Status::ok();
    if (pending > 0 && paused) {
      return {Code::kBusy,
              fmt::format("backup: paused with {} files waiting; run shoebox backup resume", pending)};
    }
    if (changes > 0 && paused && state_->enqueued) {
      return {Code::kBusy, "backup: paused with a changed catalog waiting; run shoebox backup resume"};
    }
    if (state_->stopping) return {Code::kUnavailable, "backup: the drive is being unmounted"};
    if (cancel.cancelled()) return {Code::kCancelled, "backup: no longer waited for"};
    state_->changed.wait_for(state_->mutex, kWaitTick);
  }
}

}  // namespace shoebox
