// Whether one kind of work on one remote may begin now: the owner's pause, the policy, and what the remote's
// answers told (an outage, a request to slow down, a refusal).
//
// Not thread-safe: its owner, a RemoteWorker, keeps it under its own mutex. Calls nobody back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/policy_settings.h"
#include "sync/backoff.h"
#include "sync/policy.h"

namespace shoebox {

// What one kind of work on one remote tells of itself.
struct GateReport {
  bool online = true;
  std::string held;         // the policy lets nothing start now, and why
  std::string waiting_for;  // empty: it may work
  std::string last_error;   // empty: none yet, or the last one is forgotten
  int64_t last_error_s = 0;
  Status refused;          // not ok: trying again will not help (credentials, no space)
  bool backs_off = false;  // the remote is left alone for a while, for what it answered last
};

class RemoteGate {
 public:
  // `work` begins its messages ("remote nas: tidy: …"); may be empty.
  RemoteGate(std::string remote, std::string work, const Clock& clock, UploadPolicy policy, Backoff backoff);

  void set_paused(bool paused) { paused_ = paused; }
  void set_surroundings(const Surroundings& around) { around_ = around; }

  // Looks at the policy anew: time passes. `asked_for` as held_by_policy() takes it.
  enum class Turn : uint8_t { kNone, kClosed, kOpened };
  Turn look(bool asked_for);
  // Whether the policy would hold what nobody asked for, were the computer on battery.
  [[nodiscard]] bool may_hold_later() const;

  [[nodiscard]] bool paused() const { return paused_; }
  [[nodiscard]] const std::string& held() const { return held_; }  // by the policy: why; empty: it is not
  [[nodiscard]] bool backs_off() const { return clock_.steady() < hold_until_; }
  [[nodiscard]] Clock::Steady hold_until() const { return hold_until_; }
  [[nodiscard]] bool is_open() const { return !paused_ && held_.empty() && !backs_off(); }
  // "paused", "on battery", "the remote cannot be reached, retry in 12 s"; empty: it is open.
  [[nodiscard]] std::string why_closed() const;

  struct Verdict {
    double delay_s = 0;      // how long what failed waits before it is tried again
    bool closed = false;     // so does everything else
    bool throttled = false;  // the remote asked for less
  };
  // What a result tells about the remote. `attempts`: of this thing, this one included.
  Verdict judge(const Status& status, uint32_t attempts, double retry_after_s, std::string_view what);
  // The remote is left alone for a while.
  void close_for(double s, std::string why);
  // A failure that is not the remote's.
  void note_error(const Status& status);
  void forget_error() { last_error_.clear(); }
  // Somebody asked: no back-off, and a refusal is tried again.
  void reopen();

  [[nodiscard]] bool online() const { return online_; }
  [[nodiscard]] GateReport report() const;

 private:
  const std::string remote_;
  const std::string work_;
  const Clock& clock_;
  const UploadPolicy policy_;
  const Backoff backoff_;

  bool paused_ = false;
  Surroundings around_;
  std::string held_;
  Clock::Steady hold_until_ = Clock::Steady::min();
  std::string hold_reason_;
  uint32_t failures_ = 0;  // of the remote as a whole, in a row
  bool online_ = true;
  std::string last_error_;
  int64_t last_error_s_ = 0;
  Status refused_;
};

}  // namespace shoebox
