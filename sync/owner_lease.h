// The lease by which one library directory at a time writes to a remote. OWNER.md tells the rules.
//
// Owned by SyncEngine, one per remote; LeasedRemote asks it before each write. With start() a thread of
// its own renews it while something is written, answers those who want to take over, and looks again
// where another one writes. Without (commands), who writes renews it.
//
// Threads: any. One of them talks to the remote at a time; no lock is held meanwhile.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/sync_control.h"
#include "sync/owner_objects.h"

namespace shoebox {

class OwnerLease {
 public:
  using Steady = Clock::Steady;

  struct Options {
    std::string writer;  // 32 hex digits, of the library directory
    std::string host, user;
    std::chrono::seconds lease{60};
    // Goes on while the machine sleeps. Empty: the clock's steady().
    std::function<Steady()> now;
    // Writing became possible that was refused before. From any thread, without locks.
    std::function<void()> on_granted;
  };
  // What it asks of the library.
  struct Library {
    std::function<Result<std::string>()> id;
    // Whether the backup there is one that this library knows (backup_fits).
    std::function<Status(const std::string& id, const CancelToken& cancel)> fits;
    // The owner wants to go on although it is not.
    std::function<Status(const std::string& id, const CancelToken& cancel)> accept;
  };
  // `remote` is asked past whatever asks the lease.
  OwnerLease(Remote& remote, const Clock& clock, Library library, Options options);
  ~OwnerLease();  // stop()

  void start();
  void stop();  // ends the thread
  // After stop(), when all is sent: the next one may write without a takeover. Nothing where start() was
  // not called, or where this is not the owner. Blocks for a request, until `cancel`.
  void release(const CancelToken& cancel);
  // After stop(): whether there is something to be finished there, as far as is known: start() was called,
  // this may be the owner, and the remote answered when it was asked last.
  [[nodiscard]] bool may_finish() const;

  // Before a write: ok when this one may write now; leave() must follow. kReadOnly: another one writes
  // there, or will until so many seconds; other errors: it cannot be told now. Blocks for a few requests.
  Status enter(const RequestContext& context);
  void leave();
  // During a write: not ok as soon as the lease is over.
  [[nodiscard]] Status allowed() const;

  // Blocks for one and a half leases of the former owner, twice that if it is alive and `force` is set.
  // kBusy: it is alive. kReadOnly: as for enter().
  Status take_over(
      const TakeoverRequest& request, const CancelToken& cancel,
      const std::function<void(const std::string& text, uint64_t done, uint64_t total)>& progress)
      EXCLUDES(mutex_);

  [[nodiscard]] RemoteOwner report() const;
  // Not ok: it could not be reached when it was asked last.
  [[nodiscard]] Status reached() const;
  // Not ok: the record there is of this writer and yet not as this lease left it: a copy of this library
  // writes there, or the remote was put back to an older state. It stays so until the next mount.
  [[nodiscard]] Status twin() const;
  // Until the remote told who owns it, or failed to, once. False: that took longer.
  bool wait_known(std::chrono::milliseconds most) const;

 private:
  enum class Step { kConfirm, kRequest };
  using Progress = std::function<void(const std::string& text, uint64_t done, uint64_t total)>;

  // owner_lease.cpp. Those that take `cancel` talk to the remote. REQUIRES: this thread set working_.
  Status confirm(const CancelToken& cancel) EXCLUDES(mutex_);
  Status try_confirm(const CancelToken& cancel, Steady begin) EXCLUDES(mutex_);
  Status own_term(const CancelToken& cancel) EXCLUDES(mutex_);
  Status own_record(const CancelToken& cancel) EXCLUDES(mutex_);
  Status check_fit(const std::string& library, const CancelToken& cancel) EXCLUDES(mutex_);
  Status begin_term(uint64_t term, const std::string& library, std::chrono::seconds former_lease,
                    const CancelToken& cancel) EXCLUDES(mutex_);
  Status renew(const CancelToken& cancel, Steady begin) EXCLUDES(mutex_);
  Status write_released(const CancelToken& cancel) EXCLUDES(mutex_);
  Status check_nonce(const OwnerRecord& found) EXCLUDES(mutex_);
  Status taken_over(const std::optional<OwnerRecord>& by) EXCLUDES(mutex_);
  Status refuse(Status why, const std::optional<OwnerRecord>& owner) EXCLUDES(mutex_);
  Result<OwnerRecord> next_record(OwnerState state) EXCLUDES(mutex_);
  [[nodiscard]] Status waiting() const REQUIRES(mutex_);
  [[nodiscard]] Steady now() const { return options_.now(); }
  // For messages: "remote nas: …".
  [[nodiscard]] Status read_only(const std::string& why) const;
  // Waits for its turn to talk to the remote; false once cancelled.
  bool take_turn(const CancelToken& cancel) EXCLUDES(mutex_);
  void end_turn() EXCLUDES(mutex_);

  // owner_keeper.cpp
  void keep() EXCLUDES(mutex_);
  [[nodiscard]] std::optional<Step> due() REQUIRES(mutex_);
  // What an answer tells of whether the remote can be asked at all.
  void note_heard(const Status& answer) REQUIRES(mutex_);
  void look_at_request(const CancelToken& cancel) EXCLUDES(mutex_);

  // owner_takeover.cpp
  Status take_over_now(const TakeoverRequest& request, const CancelToken& cancel, const Progress& progress)
      EXCLUDES(mutex_);
  Status take_term(const TakeoverRequest& request, const OwnerRecord& former, bool alive,
                   const CancelToken& cancel, const Progress& progress) EXCLUDES(mutex_);
  Status confirm_in_time(const CancelToken& cancel, const Progress& progress) EXCLUDES(mutex_);
  Result<bool> watch(const OwnerRecord& former, OwnerRecord& last, const CancelToken& cancel,
                     const Progress& progress) EXCLUDES(mutex_);
  Status wait_until(Steady until, const std::string& text, const CancelToken& cancel,
                    const Progress& progress, const std::function<Result<bool>()>& done) EXCLUDES(mutex_);
  Status ask(OwnerState state, const OwnerRecord& former, const CancelToken& cancel) EXCLUDES(mutex_);

  const OwnerObjects objects_;
  const Clock& clock_;
  const Library library_;
  Options options_;
  std::thread thread_;
  bool started_ = false;

  mutable Mutex mutex_;  // leaf
  mutable ConditionVariable changed_;
  bool working_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  CancelToken stop_;
  // The record of our term as it was written last; none: no term is ours, as far as we know.
  std::optional<OwnerRecord> mine_ GUARDED_BY(mutex_);
  std::deque<std::string> nonces_ GUARDED_BY(mutex_);    // that we wrote in this term, the last ones
  bool unsure_ GUARDED_BY(mutex_) = false;               // the answer to the begin of a term was lost
  bool looked_first_ GUARDED_BY(mutex_) = false;         // on this remote terms do not begin atomically
  bool fits_ GUARDED_BY(mutex_) = false;                 // the backup there is known
  Steady may_begin_ GUARDED_BY(mutex_) = Steady::min();  // a term that began does not count before
  Steady valid_until_ GUARDED_BY(mutex_) = Steady::min();
  Steady renewed_ GUARDED_BY(mutex_) = Steady::min();  // begin of the last attempt
  Steady used_ GUARDED_BY(mutex_) = Steady::min();
  uint32_t writing_ GUARDED_BY(mutex_) = 0;
  bool known_ GUARDED_BY(mutex_) = false;  // the remote answered, or failed to
  Status silence_ GUARDED_BY(mutex_);      // why the remote could not be asked, last; ok: it answered
  Status last_ GUARDED_BY(mutex_);         // of the last confirm()
  bool lost_ GUARDED_BY(mutex_) = false;   // another one took over from us
  bool twin_ GUARDED_BY(mutex_) = false;   // another process is the same writer
  Status refused_ GUARDED_BY(mutex_);      // not ok: nothing is written here, and why
  Steady refused_until_ GUARDED_BY(mutex_) = Steady::min();
  std::optional<OwnerRecord> other_ GUARDED_BY(mutex_);  // who owns it, when it is not us
  std::string answered_ GUARDED_BY(mutex_);              // nonce of a request
  Steady next_look_ GUARDED_BY(mutex_) = Steady::min();
  Steady next_request_ GUARDED_BY(mutex_) = Steady::min();
};

}  // namespace shoebox
