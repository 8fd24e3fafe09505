// What SyncEngine says of itself: status(), and wait() until all is done.
#include <fmt/format.h>

#include <algorithm>

#include "store/about_remote.h"
#include "store/lost_copies.h"
#include "store/outbox.h"
#include "sync/sync_engine_state.h"

namespace shoebox {
namespace {

// How often wait() looks whether the queue is empty, and how often it tells.
constexpr auto kWaitTick = std::chrono::milliseconds(100);
constexpr int kTicksPerProgress = 10;
constexpr int kMostTicksForDoubt = 100;  // a remote that cannot be compared with now is not waited for
constexpr const char* kReadOnlyHere = "a mount that is not read-only";
constexpr size_t kDamagedNamed = 20;  // a disk that spoils more has its owner's attention

Status told_as_damaged(const RemoteStatus& remote) {
  if (remote.damaged.empty()) return Status::ok();  // replaced by now
  std::string text =
      fmt::format("remote {}: {}: {}", remote.name, remote.damaged.front().path, remote.damaged.front().what);
  if (remote.damaged_files > 1)
    text += fmt::format("; and {} more, shoebox status names them", remote.damaged_files - 1);
  return {Code::kDataLoss, std::move(text)};
}

}  // namespace

Status SyncEngine::State::reached(const Member& member) const {
  if (!member.uploader) return member.broken;
  const Uploader::Report report = member.uploader->report();
  // Who is refused reads nothing there either.
  const bool refused = report.refused.code() == Code::kUnauthorized;
  if (refused || !report.online) {
    // Where nothing is left that would be tried again, nobody would notice that the remote is back.
    const auto totals = outbox.totals(member.settings.name);
    const bool looks_again = report.running > 0 || !totals || totals->pending_files > totals->damaged_files;
    if (looks_again || report.backs_off) return {Code::kUnavailable, report.last_error};
  }
  if (!fetcher.online(member.settings.name))
    return {Code::kUnavailable, fetcher.last_error(member.settings.name)};
  // Who writes there is asked for all the time, also while nothing is sent or read.
  return report.online ? member.lease->reached() : Status::ok();
}

// Why copies that are known of it may not be there: empty as long as nothing is known against them.
std::string SyncEngine::State::doubt_about(const Member& member) const {
  // Nothing is compared there any more, before the next mount.
  if (const Status twin = member.lease->twin(); !twin) return twin.message();
  {
    MutexLock lock(mutex);
    if (!works) return {};
  }
  // Where another one writes, nobody compares either.
  if (!member.backup->in_doubt() || !member.lease->report().problem.empty()) return {};
  return "it was not compared yet with what was sent there last";
}

std::string SyncEngine::trouble_of(const std::string& remote) const {
  for (const auto& member : state_->all()) {
    if (member->settings.name != remote) continue;
    const Status reached = state_->reached(*member);
    if (reached && member->lease) return state_->doubt_about(*member);
    return reached || !reached.message().empty() ? reached.message() : "it cannot be reached";
  }
  return {};
}

Result<RemoteStatus> SyncEngine::State::status_of(const Member& member, bool paused) {
  const std::string& name = member.settings.name;
  SHOEBOX_ASSIGN(const Outbox::Totals totals, outbox.totals(name));
  RemoteStatus status;
  status.name = name;
  status.url = member.settings.url;
  status.paused = paused;
  status.pending_files = totals.pending_files;
  status.pending_bytes = totals.pending_bytes;
  status.damaged_files = totals.damaged_files;
  if (totals.damaged_files > 0) {
    SHOEBOX_ASSIGN(status.damaged, outbox.damaged_originals(name, kDamagedNamed));
  }
  status.confirmed_files = totals.confirmed_files;
  status.confirmed_bytes = totals.confirmed_bytes;
  status.last_error = totals.last_error;
  if (!member.uploader) {
    status.online = false;
    status.last_error = member.broken.message();
    status.waiting_for = "settings that work";
    return status;
  }
  SHOEBOX_ASSIGN(const Outbox::TidyTotals tidying, outbox.tidy_totals(name));
  status.tidying = tidying.pending;
  status.tidying_untried = tidying.untried;
  SHOEBOX_ASSIGN(const Outbox::SidecarTotals sidecars, outbox.sidecar_totals(name));
  status.sidecars = sidecars.pending;
  status.sidecars_untried = sidecars.untried;
  const RemoteCounters& counters = member.remote->counters();
  status.requests = counters.requests;
  status.bytes_sent = counters.bytes_sent;
  status.bytes_received = counters.bytes_received;
  status.limited_bytes_s = member.paced->holding_bytes_s();
  const Uploader::Report report = member.uploader->report();
  // Who is refused reads nothing there either.
  const bool refused = report.refused.code() == Code::kUnauthorized;
  status.online = report.online && !refused && fetcher.online(name);
  if (status.pending_files > status.damaged_files || paused || !report.online)
    status.waiting_for = report.waiting_for;
  if (report.last_error_s > 0) {
    status.last_error = report.last_error;
    status.last_error_s = report.last_error_s;
  }
  const Tidier::Report tidier = member.tidier->report();
  if (status.tidying > 0) status.tidying_waiting_for = tidier.waiting_for;
  if (tidier.last_error_s > status.last_error_s) {
    status.last_error = tidier.last_error;
    status.last_error_s = tidier.last_error_s;
  }
  const StepWorker::Report sender = member.sidecars->report();
  if (status.sidecars > 0) status.sidecars_waiting_for = sender.waiting_for;
  if (sender.last_error_s > status.last_error_s) {
    status.last_error = sender.last_error;
    status.last_error_s = sender.last_error_s;
  }
  const int64_t fetch_error_s = fetcher.last_error_s(name);
  if (fetch_error_s > status.last_error_s) {
    status.last_error = fetcher.last_error(name);
    status.last_error_s = fetch_error_s;
  }
  const CatalogBackup::Report backup = member.backup->report();
  status.catalog_backed_up_s = backup.sent_s;
  status.catalog_pending = backup.pending;
  status.catalog_waiting_for = backup.waiting_for;
  status.catalog_error = backup.last_error;
  status.owner = member.lease->report();
  // Who writes there is asked first of all.
  if (const Status reached = member.lease->reached(); !reached && report.last_error_s == 0) {
    status.online = false;
    status.last_error = reached.message();
  }
  if (const Follower::Report seen = follower ? follower->report() : Follower::Report();
      follower && (seen.remote.empty() || seen.remote == name)) {
    status.catalog_backed_up_s = seen.backed_up_s;
    status.catalog_error = seen.last_error;
    status.catalog_pending = 0;
  }
  if (read_only) {
    if (status.pending_files > 0) status.waiting_for = kReadOnlyHere;
    if (status.tidying > 0) status.tidying_waiting_for = kReadOnlyHere;
    if (status.sidecars > 0) status.sidecars_waiting_for = kReadOnlyHere;
    if (status.catalog_pending > 0) status.catalog_waiting_for = kReadOnlyHere;
  }
  if (!status.owner.problem.empty() && !paused) {
    if (status.pending_files > 0) status.waiting_for = status.owner.problem;
    if (status.catalog_pending > 0) status.catalog_waiting_for = status.owner.problem;
  }
  return status;
}

Result<std::vector<RemoteStatus>> SyncEngine::State::status_of_each(const Members& of, bool paused) {
  std::vector<RemoteStatus> each;
  SHOEBOX_ASSIGN(auto lost, count_lost_copies(catalog));
  for (const auto& member : of) {
    SHOEBOX_ASSIGN(RemoteStatus status, status_of(*member, paused));
    status.lost_files = lost[status.name];
    each.push_back(std::move(status));
  }
  return each;
}

Result<std::vector<RemoteStatus>> SyncEngine::status() {
  SHOEBOX_ASSIGN(const bool paused, state_->outbox.paused());
  return state_->status_of_each(state_->all(), paused);
}

// The originals are all there: so shall the catalog be, which says where.
Status SyncEngine::State::hurry_backups() const {
  for (const auto& member : all()) {
    if (!member->backup) continue;
    const CatalogBackup::Report report = member->backup->report();
    if (!report.refused) return about_remote(report.refused, member->settings.name);
    if (report.pending > 0 && report.waiting_for.empty()) member->backup->run_now();
  }
  return Status::ok();
}

Status SyncEngine::State::hindrance(const Member& member, const RemoteStatus& status) const {
  const std::string& name = member.settings.name;
  if (!member.uploader) {
    return status.pending_files == 0 ? Status::ok() : about_remote(member.broken, name);
  }
  const auto by_policy = [&](const std::string& what, const std::string& why) {
    return Status(Code::kBusy, fmt::format("remote {}: {} by its policy: {}", name, what, why));
  };
  const auto stuck = [&](const StepWorker& worker, uint64_t untried, const std::string& what) -> Status {
    if (status.paused || untried == 0) return Status::ok();
    const StepWorker::Report report = worker.report();
    if (!report.refused) return about_remote(report.refused, name);
    return report.held.empty() ? Status::ok() : by_policy(what, report.held);
  };
  SHOEBOX_TRY(stuck(*member.tidier, status.tidying_untried, "what is to be put in its place there waits"));
  SHOEBOX_TRY(stuck(*member.sidecars, status.sidecars_untried, "sidecars wait"));
  if (status.pending_files > 0) {
    const Uploader::Report uploading = member.uploader->report();
    if (!uploading.refused) return about_remote(uploading.refused, name);
    if (!uploading.held.empty() && uploading.kept_back + status.damaged_files < status.pending_files)
      return by_policy(fmt::format("{} files wait", status.pending_files), uploading.held);
  }
  if (!status.paused && status.catalog_pending > 0) {
    const CatalogBackup::Report backup = member.backup->report();
    if (!backup.held.empty()) return by_policy("the backup of the catalog waits", backup.held);
  }
  return Status::ok();
}

Status SyncEngine::wait(CancelToken cancel,
                        const std::function<void(const std::vector<RemoteStatus>&)>& progress)
    NO_THREAD_SAFETY_ANALYSIS {
  for (int tick = 0;; ++tick) {
    SHOEBOX_ASSIGN(const bool paused, state_->outbox.paused());
    const State::Members members = state_->all();
    SHOEBOX_ASSIGN(const std::vector<RemoteStatus> all, state_->status_of_each(members, paused));
    uint64_t pending = 0;  // but for what a policy keeps back
    uint64_t tidying = 0;  // what fails again and again is not waited for: each original has its copy
    uint64_t changes = 0;
    size_t doubted = 0;  // whoever waits lets originals leave this disk next
    for (size_t i = 0; i < all.size(); ++i) {
      const auto& uploader = members[i]->uploader;
      const uint64_t kept = (uploader ? uploader->report().kept_back : 0) + all[i].damaged_files;
      pending += all[i].pending_files - std::min(kept, all[i].pending_files);
      changes += all[i].catalog_pending;
      const State::Member& member = *members[i];
      if (member.backup && member.lease && member.lease->twin() && !state_->doubt_about(member).empty())
        ++doubted;
      if (!all[i].paused) tidying += all[i].tidying_untried + all[i].sidecars_untried;
    }
    if (progress && (pending + changes == 0 || tick % kTicksPerProgress == 0)) progress(all);
    if (state_->read_only && pending + changes + tidying > 0)
      return {Code::kReadOnly, fmt::format("backup: what is pending waits for {}", kReadOnlyHere)};
    for (size_t i = 0; i < all.size(); ++i) SHOEBOX_TRY(state_->hindrance(*members[i], all[i]));
    if (pending == 0 && changes > 0 && !paused) SHOEBOX_TRY(state_->hurry_backups());
    MutexLock lock(state_->mutex);
    const bool compared = doubted == 0 || paused || tick >= kMostTicksForDoubt;
    if (pending + changes + tidying == 0 && compared && state_->enqueued && !state_->changing) {
      for (const RemoteStatus& remote : all) SHOEBOX_TRY(told_as_damaged(remote));
      return Status::ok();
    }
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
