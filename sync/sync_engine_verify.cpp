// Verifying, as SyncEngine does it: when somebody asks, and by itself in small shares.
#include <fmt/format.h>

#include "store/about_remote.h"
#include "store/base/log.h"
#include "store/lost_copies.h"
#include "store/outbox.h"
#include "sync/backup_check.h"
#include "sync/sync_engine_state.h"

namespace shoebox {

namespace {

template <typename Members>
std::vector<Remote*> leased_of(const Members& members) {
  std::vector<Remote*> remotes;
  remotes.reserve(members.size());
  for (const auto& member : members) remotes.push_back(member->leased.get());
  return remotes;
}

}  // namespace

Result<SyncEngine::State::Members> SyncEngine::State::members_called(const std::string& name) const {
  Members found;
  bool known = name.empty();
  for (const auto& member : all()) {
    if (!name.empty() && member->settings.name != name) continue;
    known = true;
    if (member->remote) {
      found.push_back(member);
    } else if (!name.empty()) {
      return about_remote(member->broken, name);
    }
  }
  if (!known)
    return Status(Code::kNotFound, fmt::format("no remote is called \"{}\"; see shoebox status", name));
  return found;
}

// What a read found, as a verification does.
void SyncEngine::State::note_lost(ContentNo content, const std::string& remote, bool lost) const {
  const Status noted = note_lost_copies(catalog, {{{content, remote}, lost}});
  if (!noted) log::error("remote {}: content {}: {}", remote, content.value, noted.message());
}

Result<VerifyReport> SyncEngine::verify(const VerifyRequest& request, CancelToken cancel,
                                        const std::function<void(const VerifyReport&)>& progress) {
  SHOEBOX_ASSIGN(const State::Members members, state_->members_called(request.remote));
  SHOEBOX_ASSIGN(VerifyReport report, state_->verifier.run(leased_of(members), request, cancel, progress));
  // Adopted originals are read for their own sake.
  if (request.unread != VerifyRequest::Unread::kOnly)
    SHOEBOX_TRY(state_->verify_backups(members, request.share, cancel, report, progress));
  return report;
}

Status SyncEngine::State::verify_backups(const Members& of, double share, const CancelToken& cancel,
                                         VerifyReport& report,
                                         const std::function<void(const VerifyReport&)>& progress) const {
  for (const auto& member : of) {
    const BackupCheck check{catalog, *member->leased, clock};
    const uint64_t unchecked = report.unchecked;
    SHOEBOX_ASSIGN(const std::set<std::string> bad, check.run(share, cancel, report, progress));
    if (!bad.empty()) {
      member->backup->send_again(bad);
    } else if (share >= 1 && report.unchecked == unchecked) {
      SHOEBOX_TRY(check.note_good());
    }
  }
  return Status::ok();
}

SyncEngine::State::Members SyncEngine::State::backups_due(const Members& of, int64_t period_s) const {
  Members found = of;
  std::erase_if(found, [&](const std::shared_ptr<Member>& member) {
    const Result<bool> due = BackupCheck{catalog, *member->leased, clock}.due(period_s);
    return !due || !*due;
  });
  return found;
}

// Those whose policy lets something be done now.
SyncEngine::State::Members SyncEngine::State::members_not_held() const {
  Members found = all();
  std::erase_if(found, [](const std::shared_ptr<Member>& member) {
    return !member->uploader || !member->uploader->report().held.empty();
  });
  return found;
}

// A share of the copies each time, those first that were not seen for the longest time.
void SyncEngine::State::verify_by_itself() NO_THREAD_SAFETY_ANALYSIS {
  constexpr uint64_t kMostAtOnce = 10'000;
  MutexLock lock(mutex);
  std::chrono::milliseconds wait = verify_first;
  while (!stopping) {
    changed.wait_for(mutex, wait, [this]() REQUIRES(mutex) { return stopping; });
    wait = verify_every;
    if (stopping) return;
    const int64_t period_s = verify_period_s;
    if (period_s <= 0) continue;
    mutex.unlock();
    VerifyRequest request;
    request.confirmed_before_s = clock.now().seconds - period_s;
    request.at_most = kMostAtOnce;
    request.unread =
        VerifyRequest::Unread::kLeaveOut;  // what was adopted is read when its owner wants it read
    request.repair = true;
    request.wake_remotes = false;
    const Result<bool> paused = outbox.paused();
    const Members now = members_not_held();
    if (paused && !*paused) {
      Result<VerifyReport> report = verifier.run(leased_of(now), request, stop_verifying, nullptr);
      if (report) {
        const Status backups =
            verify_backups(backups_due(now, period_s), 1, stop_verifying, *report, nullptr);
        if (!backups) report = backups;
      }
      if (report && report->missing + report->damaged > 0) {
        log::warning(
            "verified {} copies, {} sidecars and {} objects of the backup of the catalog: {} missing, {} "
            "damaged; {} are sent again",
            report->checked, report->sidecars, report->catalog_objects, report->missing, report->damaged,
            report->queued_again);
      } else if (!report && report.code() != Code::kCancelled) {
        log::warning("verifying copies: {}", report.status().message());
      }
    }
    mutex.lock();
  }
}

}  // namespace shoebox
