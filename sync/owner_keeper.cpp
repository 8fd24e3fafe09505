// OwnerLease's thread: renews while something is written, answers who wants to take over, looks again
// where another one writes.
#include <pthread.h>

#include <algorithm>

#include "store/base/log.h"
#include "sync/owner_lease.h"

namespace shoebox {
namespace {

// How often it looks what is due. Real time: a test's clock does not end a wait.
constexpr std::chrono::milliseconds kLookAgain{200};

}  // namespace

void OwnerLease::start() {
  if (started_) return;
  started_ = true;
  thread_ = std::thread([this] { keep(); });
}

void OwnerLease::stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  stop_.cancel();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool OwnerLease::may_finish() const {
  const MutexLock lock(mutex_);
  return started_ && refused_ && !twin_ && silence_;
}

void OwnerLease::release(const CancelToken& cancel) {
  {
    const MutexLock lock(mutex_);
    if (!started_ || !mine_ || !refused_ || twin_) return;
  }
  const Status released = write_released(cancel);
  if (!released) {
    log::info("remote {}: not released, the next machine has to take it over: {}", objects_.remote_name(),
              released.message());
  }
}

std::optional<OwnerLease::Step> OwnerLease::due() {
  if (working_ || twin_) return std::nullopt;
  const Steady moment = now();
  const bool ours = mine_.has_value() && refused_.is_ok();
  if (!ours) return moment >= next_look_ ? std::optional(Step::kConfirm) : std::nullopt;
  const bool in_use = writing_ > 0 || moment < used_ + options_.lease;
  const auto between = last_ ? options_.lease / 3 : options_.lease / 12;
  if (in_use && moment < valid_until_ && moment >= renewed_ + between) return Step::kConfirm;
  return moment >= next_request_ ? std::optional(Step::kRequest) : std::nullopt;
}

void OwnerLease::keep() NO_THREAD_SAFETY_ANALYSIS {
  ::pthread_setname_np(::pthread_self(), "owner-lease");
  const MutexLock lock(mutex_);
  while (!stopping_) {
    const std::optional<Step> step = due();
    if (!step) {
      changed_.wait_for(mutex_, std::min<std::chrono::milliseconds>(kLookAgain, options_.lease / 12));
      continue;
    }
    working_ = true;
    mutex_.unlock();
    if (*step == Step::kConfirm) {
      const Status confirmed = confirm(stop_);
      // Of a remote that cannot be reached the uploader tells.
      const bool told = no_answer(confirmed.code());
      if (!confirmed && !told && confirmed.code() != Code::kReadOnly && !stop_.cancelled()) {
        log::info("remote {}: who writes there is not known now: {}", objects_.remote_name(),
                  confirmed.message());
      }
    } else {
      look_at_request(stop_);
    }
    mutex_.lock();
    working_ = false;
    changed_.notify_all();
  }
}

void OwnerLease::look_at_request(const CancelToken& cancel) {
  const Result<OwnerRecord> request = objects_.read(std::string(kOwnerRequest), cancel);
  {
    const MutexLock lock(mutex_);
    next_request_ = now() + options_.lease / 3;
    note_heard(request.status());
    // Not there, not readable, not reachable: nobody is answered.
    if (!request || !mine_ || request->writer == options_.writer || request->nonce == answered_) return;
    answered_ = request->nonce;
  }
  (void)confirm(cancel);  // what comes of it is kept
}

}  // namespace shoebox
