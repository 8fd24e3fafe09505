#include "sync/owner_lease.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "sync/remote/checks.h"
#include "sync/time_text.h"

namespace shoebox {
namespace {

// Where terms do not begin atomically, both that tried have written by then.
constexpr std::chrono::seconds kSettle{6};
// A write waits so long for a term to count; more is told as a reason why nothing is written.
constexpr std::chrono::seconds kTermPatience{10};
constexpr auto kLookForTurn = std::chrono::milliseconds(50);
constexpr int kAttempts = 3;
constexpr size_t kNoncesKept = 64;  // of writes whose answers may still be under way

}  // namespace

OwnerLease::OwnerLease(Remote& remote, const Clock& clock, Library library, Options options)
    : objects_(remote, clock), clock_(clock), library_(std::move(library)), options_(std::move(options)) {
  if (!options_.now) options_.now = [&clock] { return clock.steady(); };
}

OwnerLease::~OwnerLease() { stop(); }

Status OwnerLease::read_only(const std::string& why) const {
  return {Code::kReadOnly, fmt::format("remote {}: {}", objects_.remote_name(), why)};
}

Status OwnerLease::waiting() const {
  const auto left = std::chrono::ceil<std::chrono::seconds>(may_begin_ - now()).count();
  return read_only(fmt::format("waits {} s until it is sure that nobody else writes there", left));
}

bool OwnerLease::take_turn(const CancelToken& cancel) {
  const MutexLock lock(mutex_);
  while (working_) {
    if (cancel.cancelled()) return false;
    changed_.wait_for(mutex_, kLookForTurn);
  }
  working_ = true;
  return true;
}

void OwnerLease::end_turn() {
  {
    const MutexLock lock(mutex_);
    working_ = false;
  }
  changed_.notify_all();
}

Status OwnerLease::enter(const RequestContext& context) NO_THREAD_SAFETY_ANALYSIS {
  for (int attempt = 0; attempt < kAttempts;) {
    SHOEBOX_TRY(check_wanted(context));
    {
      const MutexLock lock(mutex_);
      const Steady moment = now();
      // Not with the last moments of it: the write would be broken off.
      if (mine_ && moment + options_.lease / 6 < valid_until_) {
        used_ = moment;
        ++writing_;
        return Status::ok();
      }
      const bool looked_at = thread_.joinable() || moment < refused_until_;
      const bool soon = mine_ && moment < may_begin_ && may_begin_ - moment <= kTermPatience;
      const bool waited = mine_ && moment >= may_begin_;
      if (!refused_ && !soon && !waited && (twin_ || looked_at)) return refused_;
      if (working_ || soon) {
        changed_.wait_for(mutex_, kLookForTurn);
        continue;
      }
      working_ = true;
    }
    const Status confirmed = confirm(context.cancel);
    end_turn();
    ++attempt;
    if (confirmed.code() == Code::kReadOnly) {
      const MutexLock lock(mutex_);
      if (mine_ && now() < may_begin_ && may_begin_ - now() <= kTermPatience) continue;
    }
    if (!confirmed) return confirmed;
  }
  return {Code::kUnavailable,
          fmt::format("remote {}: too slow to say in time who writes there", objects_.remote_name())};
}

void OwnerLease::leave() {
  const MutexLock lock(mutex_);
  --writing_;
  used_ = now();
}

Status OwnerLease::allowed() const {
  const MutexLock lock(mutex_);
  if (now() < valid_until_) return Status::ok();
  if (!refused_) return refused_;
  return {Code::kUnavailable,
          fmt::format("remote {}: that nobody else writes there could not be made sure of in time",
                      objects_.remote_name())};
}

Status OwnerLease::confirm(const CancelToken& cancel) {
  const Steady begin = now();
  {
    const MutexLock lock(mutex_);
    renewed_ = begin;
  }
  const Status status = try_confirm(cancel, begin);
  bool granted = false;
  {
    const MutexLock lock(mutex_);
    known_ = true;
    last_ = status;
    note_heard(status);
    const Steady moment = now();
    if (status) {
      granted = !refused_.is_ok();
      lost_ = false;
      refused_ = Status::ok();
      other_.reset();
      next_look_ = Steady::max();
    } else if (status.code() == Code::kReadOnly) {
      refused_ = status;
      refused_until_ = moment + options_.lease;
      if (mine_ && moment < may_begin_) refused_until_ = may_begin_;
      next_look_ = refused_until_;
    } else {
      next_look_ = moment + options_.lease / 3;
    }
  }
  changed_.notify_all();
  if (granted) log::info("remote {}: written to from here from now on", objects_.remote_name());
  if (granted && options_.on_granted) options_.on_granted();
  return status;
}

Status OwnerLease::try_confirm(const CancelToken& cancel, Steady begin) {
  bool valid = false;
  {
    const MutexLock lock(mutex_);
    if (twin_) return refused_;
    valid = mine_ && begin < valid_until_;
  }
  SHOEBOX_TRY(valid ? own_record(cancel) : own_term(cancel));
  std::string library;
  {
    const MutexLock lock(mutex_);
    if (now() < may_begin_) return waiting();
    if (!fits_) library = mine_->library;
  }
  if (!library.empty()) SHOEBOX_TRY(check_fit(library, cancel));
  return renew(cancel, begin);
}

// Another one's, or none of ours: nothing is written.
Status OwnerLease::refuse(Status why, const std::optional<OwnerRecord>& owner) {
  bool told = false;
  {
    const MutexLock lock(mutex_);
    told = refused_.message() == why.message();
    refused_ = why;
    other_ = owner;
    mine_.reset();
    valid_until_ = Steady::min();
    may_begin_ = Steady::min();
  }
  if (!told) log::warning("{}", why.message());
  return why;
}

Status OwnerLease::taken_over(const std::optional<OwnerRecord>& by) {
  {
    const MutexLock lock(mutex_);
    lost_ = true;
  }
  return refuse(
      read_only(fmt::format("{} took over{}; what was not sent stays in this library, and nothing is sent "
                            "from here any more",
                            by ? by->who() : "somebody", by ? " on " + time_text(by->since_s) : "")),
      by);
}

// Our record is as we left it: no other process is the same writer.
Status OwnerLease::check_nonce(const OwnerRecord& found) {
  {
    const MutexLock lock(mutex_);
    if (!mine_ || mine_->term != found.term) return Status::ok();
    if (found.writer == options_.writer &&
        std::find(nonces_.begin(), nonces_.end(), found.nonce) != nonces_.end()) {
      return Status::ok();
    }
    twin_ = found.writer == options_.writer;
  }
  if (found.writer != options_.writer) {
    return refuse(
        read_only(fmt::format("{} began to write there at the same time and is the owner", found.who())),
        found);
  }
  return refuse(read_only(fmt::format(
                    "a copy of this library, {}, writes there too; keep one of them mounted, and in the "
                    "other one remove the file \"writer\"; or the remote was put back to an older state of "
                    "itself: mount this library again",
                    found.who())),
                found);
}

Status OwnerLease::own_record(const CancelToken& cancel) {
  uint64_t term = 0;
  {
    const MutexLock lock(mutex_);
    term = mine_->term;
  }
  const Result<OwnerRecord> found = objects_.read(owner_key(term), cancel);
  if (!found && found.code() == Code::kNotFound) return own_term(cancel);  // somebody cleaned up
  // Ours, that came to harm on its way there or back: nobody else writes it, and it is written anew now.
  if (!found && found.code() == Code::kDataLoss) return Status::ok();
  if (!found) return found.status();
  return check_nonce(*found);
}

Status OwnerLease::check_fit(const std::string& library, const CancelToken& cancel) {
  const Status fits = library_.fits(library, cancel);
  if (fits.code() == Code::kReadOnly) return refuse(read_only(fits.message()), std::nullopt);
  if (!fits) return fits;
  const MutexLock lock(mutex_);
  fits_ = true;
  return Status::ok();
}

// Finds the term that is ours, or begins one where it may.
Status OwnerLease::own_term(const CancelToken& cancel) {
  uint64_t damaged = 0;
  const Result<OwnerObjects::Found> found = objects_.find(cancel, &damaged);
  if (found.code() == Code::kIncompatible) return refuse(read_only(found.status().message()), std::nullopt);
  if (!found && damaged > 0) {
    {
      const MutexLock lock(mutex_);
      if (mine_ && mine_->term == damaged) return Status::ok();  // as in own_record()
    }
    return refuse(
        read_only(fmt::format("who writes there cannot be read: {}; if nobody else does: shoebox remote "
                              "takeover {} --force",
                              found.status().message(), objects_.remote_name())),
        std::nullopt);
  }
  if (!found) return found.status();
  SHOEBOX_ASSIGN(const std::string library, library_.id());
  if (found->terms.empty()) {
    SHOEBOX_TRY(check_fit(library, cancel));
    return begin_term(1, library, {}, cancel);
  }
  const OwnerRecord& last = found->last;
  if (last.library != library) {
    return refuse(
        read_only(fmt::format("another library ({:.8}, of {}) is backed up there; give each a place of "
                              "its own, or take that one over with shoebox rebuild",
                              last.library, last.who())),
        last);
  }
  if (last.state == OwnerState::kReleased) {
    SHOEBOX_TRY(check_fit(library, cancel));
    return begin_term(last.term + 1, library, {}, cancel);
  }
  if (last.writer != options_.writer) {
    bool was_ours = false;
    {
      const MutexLock lock(mutex_);
      was_ours = mine_.has_value() || lost_;
    }
    if (was_ours) return taken_over(last);
    return refuse(read_only(fmt::format(
                      "{} writes there, since {}; from here it is only read. If that one is gone for good: "
                      "shoebox remote takeover {}",
                      last.who(), time_text(last.since_s), objects_.remote_name())),
                  last);
  }
  SHOEBOX_TRY(check_nonce(last));
  {
    const MutexLock lock(mutex_);
    const bool went_on = mine_ && mine_->term == last.term;
    if (!went_on) nonces_.clear();
    nonces_.push_back(last.nonce);
    mine_ = last;
    // Another one may replace it, if its own begin is still under way somewhere; and a takeover that was
    // broken off did not wait for the former owner.
    const bool unsure = unsure_ && looked_first_;
    const bool half_taken = !went_on && last.state == OwnerState::kTakes;
    if (unsure || half_taken) may_begin_ = now() + std::chrono::seconds(last.lease_s) * 3 / 2;
    unsure_ = false;
  }
  for (const uint64_t term : found->terms) {
    if (term + 1 < last.term) (void)objects_.remove(term, cancel);  // clutter, no harm
  }
  return Status::ok();
}

// `former_lease`: of an owner that is taken over; else 0.
Status OwnerLease::begin_term(uint64_t term, const std::string& library, std::chrono::seconds former_lease,
                              const CancelToken& cancel) {
  OwnerRecord record;
  record.library = library;
  record.writer = options_.writer;
  record.term = term;
  record.counter = 1;
  if (former_lease.count() > 0) record.state = OwnerState::kTakes;
  SHOEBOX_ASSIGN(record.nonce, new_owner_id());
  record.since_s = clock_.now().seconds;
  record.lease_s = std::max(options_.lease, former_lease).count();
  record.host = options_.host;
  record.user = options_.user;
  {
    const MutexLock lock(mutex_);
    unsure_ = true;
  }
  const OwnerObjects::Put put = objects_.create(record, cancel);
  if (put.status) kill_point("owner-begun");
  {
    const MutexLock lock(mutex_);
    looked_first_ = looked_first_ || put.looked_first;
    if (put.status) {
      unsure_ = false;
      mine_ = record;
      nonces_ = {record.nonce};
      may_begin_ = put.looked_first ? now() + kSettle : Steady::min();
      return Status::ok();
    }
    if (put.status.code() == Code::kConflict) unsure_ = false;
  }
  if (put.status.code() != Code::kConflict) return put.status;
  // Of two that wanted it the other one was first. Or an earlier answer was lost, which the next look shows.
  const Result<OwnerRecord> there = objects_.read(owner_key(term), cancel);
  if (!there) return Status(Code::kUnavailable, there.status().message());
  if (there->writer == options_.writer) return {Code::kUnavailable, put.status.message()};
  return refuse(read_only(fmt::format("{} writes there, since {}; from here it is only read", there->who(),
                                      time_text(there->since_s))),
                *there);
}

Result<OwnerRecord> OwnerLease::next_record(OwnerState state) {
  SHOEBOX_ASSIGN(std::string nonce, new_owner_id());
  const MutexLock lock(mutex_);
  OwnerRecord record = *mine_;
  record.state = state;
  ++record.counter;
  record.answers = answered_;
  record.lease_s = options_.lease.count();
  record.host = options_.host;
  record.user = options_.user;
  nonces_.push_back(nonce);
  if (nonces_.size() > kNoncesKept) nonces_.pop_front();
  record.nonce = std::move(nonce);
  return record;
}

Status OwnerLease::renew(const CancelToken& cancel, Steady begin) {
  SHOEBOX_ASSIGN(const OwnerRecord record, next_record(OwnerState::kHolds));
  SHOEBOX_TRY(objects_.replace(owner_key(record.term), record, cancel));
  kill_point("owner-renewed");
  // After the write: who takes over looks at our record after it began the next term.
  const Result<OwnerRecord> next = objects_.read(owner_key(record.term + 1), cancel);
  if (next || next.code() == Code::kDataLoss || next.code() == Code::kIncompatible) {
    return taken_over(next ? std::optional(*next) : std::nullopt);
  }
  if (next.code() != Code::kNotFound) return next.status();
  const MutexLock lock(mutex_);
  mine_ = record;
  valid_until_ = std::max(valid_until_, begin + options_.lease);
  return Status::ok();
}

Status OwnerLease::write_released(const CancelToken& cancel) {
  SHOEBOX_ASSIGN(const OwnerRecord record, next_record(OwnerState::kReleased));
  const Status put = objects_.replace(owner_key(record.term), record, cancel);
  if (put) kill_point("owner-released");
  const MutexLock lock(mutex_);
  mine_.reset();
  valid_until_ = Steady::min();
  return put;
}

RemoteOwner OwnerLease::report() const {
  const MutexLock lock(mutex_);
  RemoteOwner owner;
  owner.known = known_ && (mine_ || other_ || !refused_);
  owner.this_library = mine_.has_value() && refused_.is_ok();
  if (!refused_) owner.problem = refused_.message();
  const std::optional<OwnerRecord>& record = mine_ ? mine_ : other_;
  if (record) {
    owner.host = record->host;
    owner.user = record->user;
    owner.since_s = record->since_s;
    owner.library = record->library;
  }
  return owner;
}

void OwnerLease::note_heard(const Status& answer) {
  silence_ = no_answer(answer.code()) ? answer : Status::ok();
}

Status OwnerLease::reached() const {
  const MutexLock lock(mutex_);
  return silence_;
}

Status OwnerLease::twin() const {
  const MutexLock lock(mutex_);
  return twin_ ? refused_ : Status::ok();
}

bool OwnerLease::wait_known(std::chrono::milliseconds most) const {
  if (!started_) return false;  // nobody looks
  const auto until = std::chrono::steady_clock::now() + most;
  const MutexLock lock(mutex_);
  while (!known_ && std::chrono::steady_clock::now() < until) changed_.wait_for(mutex_, kLookForTurn);
  return known_;
}

}  // namespace shoebox
