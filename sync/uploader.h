// Sends what the outbox holds for one remote, several at a time.
//
// Owned by SyncEngine, one per remote. Its threads take turns at asking the outbox and send one
// content each. A remote that asks for less gets less (halved, then one more after each round of
// successes); one that cannot be reached is left alone for a while and then probed by one upload.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/policy_settings.h"
#include "sync/backoff.h"
#include "sync/policy.h"
#include "sync/remote_gate.h"
#include "sync/remote_worker.h"

namespace shoebox {

class ContentSource;
class Outbox;
class Remote;

class Uploader final : public RemoteWorker {
 public:
  struct Options {
    uint32_t connections = 4;
    int64_t quiet_s = 5;  // a file that still changes is not sent
    Backoff backoff;
    UploadPolicy policy;
    // Whether the policy keeps a content back from this remote. Empty: it never does.
    std::function<KeptBack(ContentNo)> kept_back;
  };
  // `source` may be null; brings evicted contents back that another remote shall get.
  Uploader(Outbox& outbox, Remote& remote, ContentSource* source, const Clock& clock, Options options);
  ~Uploader() override;  // stop()

  // Asks the remote once whether it is there, then sends. `paused`: waits for set_paused(false).
  void start(bool paused) override;
  // What is being sent is broken off (a multipart upload resumes later).
  void stop() override;
  void wake() override;  // something was queued
  void set_paused(bool paused) override;
  void set_surroundings(const Surroundings& around) override;
  void run_now() override;
  void try_again() override;

  // `waiting_for` tells as well of what is not due yet or kept back.
  struct Report : GateReport {
    uint32_t running = 0;
    bool asked_for = false;  // run_now() is not done yet
    uint32_t allowed = 0;    // uploads at a time, as the remote lets us
    uint64_t kept_back = 0;  // contents that the policy does not send there
    uint64_t kept_back_bytes = 0;
  };
  [[nodiscard]] Report report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
