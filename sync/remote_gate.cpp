#include "sync/remote_gate.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "store/base/log.h"
#include "sync/remote/remote.h"

namespace shoebox {
namespace {

constexpr double kRefusedRetryS = 60;  // wrong keys may be put right while we run

std::chrono::nanoseconds seconds(double s) { return std::chrono::nanoseconds(static_cast<int64_t>(s * 1e9)); }

bool remote_refuses(Code code) {
  // kReadOnly: another machine writes there (OwnerLease).
  return code == Code::kUnauthorized || code == Code::kNoSpace || code == Code::kReadOnly;
}

}  // namespace

RemoteGate::RemoteGate(std::string remote, std::string work, const Clock& clock, UploadPolicy policy,
                       Backoff backoff)
    : remote_(std::move(remote)),
      work_(std::move(work)),
      clock_(clock),
      policy_(std::move(policy)),
      backoff_(std::move(backoff)) {}

RemoteGate::Turn RemoteGate::look(bool asked_for) {
  std::string now = held_by_policy(policy_, around_, local_minute_of_day(clock_.now().seconds), asked_for);
  const bool was_held = !std::exchange(held_, std::move(now)).empty();
  if (was_held == !held_.empty()) return Turn::kNone;
  return was_held ? Turn::kOpened : Turn::kClosed;
}

bool RemoteGate::may_hold_later() const {
  return !held_by_policy(policy_, {.on_battery = true}, local_minute_of_day(clock_.now().seconds), false)
              .empty();
}

std::string RemoteGate::why_closed() const {
  if (paused_) return "paused";
  if (!held_.empty()) return held_;
  if (!backs_off()) return {};
  const auto left =
      std::chrono::duration_cast<std::chrono::seconds>(hold_until_ - clock_.steady()).count() + 1;
  return fmt::format("{}, retry in {} s", hold_reason_, left);
}

RemoteGate::Verdict RemoteGate::judge(const Status& status, uint32_t attempts, double retry_after_s,
                                      std::string_view what) {
  if (status) {
    if (!online_ && work_.empty()) log::info("remote {}: reachable again", remote_);
    online_ = true;
    failures_ = 0;
    // What succeeds while the remote is left alone was begun before it refused.
    if (!backs_off()) refused_ = Status::ok();
    return {};
  }
  if (last_error_ != status.message()) {
    log::warning("remote {}: {}{}{}: {}", remote_, work_, work_.empty() || what.empty() ? "" : ": ", what,
                 status.message());
  }
  note_error(status);
  const bool throttled = status.code() == Code::kThrottled;
  const bool unreachable = no_answer(status.code());
  if (!throttled && !unreachable && !remote_refuses(status.code()))
    return {backoff_.delay_s(attempts, retry_after_s)};
  // What was under way together fails together: eight connections that are refused at once are one refusal.
  if (failures_ == 0 || !backs_off()) ++failures_;
  double delay_s = backoff_.delay_s(failures_, retry_after_s);
  if (throttled) {
    close_for(delay_s, "the remote asks to slow down");
  } else if (unreachable) {
    online_ = false;
    close_for(delay_s, "the remote cannot be reached");
  } else {
    refused_ = status;
    delay_s = kRefusedRetryS;
    close_for(delay_s, "the remote refuses");
  }
  return {delay_s, true, throttled};
}

void RemoteGate::close_for(double s, std::string why) {
  hold_until_ = std::max(hold_until_, clock_.steady() + seconds(s));
  hold_reason_ = std::move(why);
}

void RemoteGate::note_error(const Status& status) {
  last_error_ = status.message();
  last_error_s_ = clock_.now().seconds;
}

GateReport RemoteGate::report() const {
  return {online_, held_, why_closed(), last_error_, last_error_s_, refused_, backs_off()};
}

void RemoteGate::reopen() {
  hold_until_ = Clock::Steady::min();
  refused_ = Status::ok();
}

}  // namespace shoebox
