// OwnerLease: taking over from an owner that is gone, or, when forced, from one that is not.
#include <fmt/format.h>

#include <algorithm>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "sync/owner_lease.h"
#include "sync/time_text.h"

namespace shoebox {
namespace {

// Looks at the fake clock of a test as well.
constexpr auto kTakeoverTick = std::chrono::milliseconds(50);
// Where the record of the former owner cannot be read, its lease is taken for this, or ours if that is
// longer.
constexpr std::chrono::seconds kUsualLease{60};

std::chrono::seconds patience_for(const OwnerRecord& former) {
  return std::chrono::seconds((former.lease_s * 3 + 1) / 2);
}

}  // namespace

Status OwnerLease::take_over(const TakeoverRequest& request, const CancelToken& cancel,
                             const Progress& progress) {
  if (!take_turn(cancel)) return {Code::kCancelled, "interrupted; nothing was taken over"};
  {
    const MutexLock lock(mutex_);
    if (!mine_ || !refused_) {
      // Writes do not wait for it.
      refused_ = read_only("is being taken over");
      refused_until_ = Steady::max();
    }
  }
  const Status status = take_over_now(request, cancel, progress);
  {
    const MutexLock lock(mutex_);
    refused_until_ = Steady::min();
    if (!status) next_look_ = Steady::min();
  }
  end_turn();
  return status;
}

Status OwnerLease::take_over_now(const TakeoverRequest& request, const CancelToken& cancel,
                                 const Progress& progress) {
  uint64_t damaged = 0;
  SHOEBOX_ASSIGN(const std::string library, library_.id());
  const Result<OwnerObjects::Found> found = objects_.find(cancel, &damaged);
  if (!found && (damaged == 0 || found.code() == Code::kIncompatible)) return found.status();
  if (!found && !request.force) {
    return found.status().with_context(
        "who writes there cannot be read; with --force it is taken over after " +
        std::to_string(kUsualLease.count() * 3 / 2) + " s");
  }
  OwnerRecord former;
  if (found && !found->terms.empty()) {
    former = found->last;
  } else if (!found) {
    former.library = library;
    former.term = damaged;
    former.lease_s = std::max(kUsualLease, options_.lease).count();
    former.host = former.user = "?";
  }
  const bool free_to_take = former.term == 0 || former.writer == options_.writer ||
                            (former.state == OwnerState::kReleased && former.library == library);
  if (!free_to_take && former.library != library) {
    return read_only(
        fmt::format("another library ({:.8}, of {}) is backed up there; give each a place of its own, "
                    "or take that one over with shoebox rebuild",
                    former.library, former.who()));
  }
  if (request.replace_backup) SHOEBOX_TRY(library_.accept(library, cancel));
  if (free_to_take) return confirm_in_time(cancel, progress);
  if (const Status fits = library_.fits(library, cancel); !fits) {
    return fits.code() == Code::kReadOnly ? read_only(fits.message()) : fits;
  }
  OwnerRecord last = former;
  bool alive = !found;
  if (found) {
    SHOEBOX_ASSIGN(alive, watch(former, last, cancel, progress));
  }
  if (alive && last.state == OwnerState::kReleased) return confirm_in_time(cancel, progress);
  if (alive && found && !request.force) {
    return {
        Code::kBusy,
        fmt::format("remote {}: {} is alive and writes there, since {}; unmount the library there, or take "
                    "over all the same with --force",
                    objects_.remote_name(), last.who(), time_text(last.since_s))};
  }
  return take_term(request, last, alive, cancel, progress);
}

// Where terms do not begin atomically, ours counts some seconds after its begin.
Status OwnerLease::confirm_in_time(const CancelToken& cancel, const Progress& progress) {
  const Status confirmed = confirm(cancel);
  Steady begin;
  {
    const MutexLock lock(mutex_);
    begin = mine_ ? may_begin_ : Steady::min();
  }
  if (confirmed.code() != Code::kReadOnly || now() >= begin) return confirmed;
  SHOEBOX_TRY(wait_until(begin, "waiting until it is sure that nobody else writes there", cancel, progress,
                         [&]() -> Result<bool> { return now() >= begin; }));
  return confirm(cancel);
}

// Whether the owner is alive: its record changes while we look. `last`: the record as seen last.
Result<bool> OwnerLease::watch(const OwnerRecord& former, OwnerRecord& last, const CancelToken& cancel,
                               const Progress& progress) {
  SHOEBOX_TRY(ask(OwnerState::kAsks, former, cancel));
  kill_point("owner-asked");
  const std::chrono::seconds patience = patience_for(former);
  const Steady until = now() + patience;
  Steady next = Steady::min();
  bool alive = false;
  // The look that counts is one after all that time.
  const Status watched = wait_until(
      until, fmt::format("watching whether {} is alive", former.who()), cancel, progress,
      [&]() -> Result<bool> {
        const Steady moment = now();
        if (moment < next && moment < until) return false;
        next = moment + std::chrono::seconds(former.lease_s) / 12;
        Result<OwnerRecord> seen = objects_.read(owner_key(former.term), cancel);
        if (!seen && seen.code() == Code::kNotFound) {
          return Status(Code::kUnavailable, "the record of the owner vanished meanwhile; try again");
        }
        if (!seen && moment < until) return false;
        if (!seen) return seen.status();
        last = std::move(*seen);
        alive = !(last == former);
        return alive || moment >= until;
      });
  SHOEBOX_TRY(watched);
  return alive;
}

Status OwnerLease::take_term(const TakeoverRequest& request, const OwnerRecord& former, bool alive,
                             const CancelToken& cancel, const Progress& progress) {
  SHOEBOX_TRY(begin_term(former.term + 1, former.library, std::chrono::seconds(former.lease_s), cancel));
  kill_point("owner-taken");
  const Result<OwnerRecord> after = objects_.read(owner_key(former.term), cancel);
  const bool quiet = !alive && after && *after == former;
  Steady begin;
  {
    const MutexLock lock(mutex_);
    fits_ = false;  // it may have written to the last
    if (!quiet) may_begin_ = std::max(may_begin_, now() + patience_for(former));
    begin = may_begin_;
  }
  const Status told = ask(OwnerState::kTook, former, cancel);
  if (!told) log::info("remote {}: {}", objects_.remote_name(), told.message());
  // From here on it is ours, whatever becomes of the waiting: it would be gone on with by the next mount.
  SHOEBOX_TRY(wait_until(begin, fmt::format("waiting until {} has stopped", former.who()), cancel, progress,
                         [&]() -> Result<bool> { return now() >= begin; }));
  if (request.replace_backup) SHOEBOX_TRY(library_.accept(former.library, cancel));
  const Status confirmed = confirm(cancel);
  if (confirmed.code() != Code::kReadOnly) return confirmed;
  // Not to be written to by us: whoever may shall.
  const Result<OwnerRecord> ours = objects_.read(owner_key(former.term + 1), cancel);
  if (ours && ours->writer == options_.writer && ours->state != OwnerState::kReleased) {
    {
      const MutexLock lock(mutex_);
      mine_ = *ours;
    }
    const Status released = write_released(cancel);
    if (!released) log::warning("remote {}: {}", objects_.remote_name(), released.message());
  }
  return confirmed;
}

// Until the time has come and `done` says so. A test's clock may stand still meanwhile.
Status OwnerLease::wait_until(Steady until, const std::string& text, const CancelToken& cancel,
                              const Progress& progress, const std::function<Result<bool>()>& done) {
  const Steady begin = now();
  const auto total = std::chrono::ceil<std::chrono::seconds>(std::max(until, begin) - begin).count();
  int64_t told = -1;
  for (;;) {
    SHOEBOX_ASSIGN(const bool over, done());
    if (over) return Status::ok();
    if (cancel.cancelled() || stop_.cancelled()) return {Code::kCancelled, "interrupted"};
    const int64_t passed = std::chrono::floor<std::chrono::seconds>(now() - begin).count();
    if (progress && passed != told)
      progress(text, static_cast<uint64_t>(passed), static_cast<uint64_t>(total));
    told = passed;
    const MutexLock lock(mutex_);
    changed_.wait_for(mutex_, kTakeoverTick);
  }
}

Status OwnerLease::ask(OwnerState state, const OwnerRecord& former, const CancelToken& cancel) {
  OwnerRecord request;
  request.library = former.library;
  request.writer = options_.writer;
  request.term = former.term + 1;
  request.state = state;
  SHOEBOX_ASSIGN(request.nonce, new_owner_id());
  request.since_s = clock_.now().seconds;
  request.lease_s = options_.lease.count();
  request.host = options_.host;
  request.user = options_.user;
  return objects_.replace(std::string(kOwnerRequest), request, cancel);
}

}  // namespace shoebox
