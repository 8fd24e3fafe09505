// Keeps the keys on one remote true to the catalog: moves copies whose files were renamed, trashed or
// brought back, removes what nobody holds any more (Outbox::next_tidy tells what, Tidy does it).
//
// Owned by SyncEngine, one per remote, beside its Uploader. Steps aside for an outage, a pause, the policy
// and a remote that asks to slow down, as uploads do.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/backoff.h"
#include "sync/remote_worker.h"

namespace shoebox {

class Outbox;
class Remote;

class Tidier final : public RemoteWorker {
 public:
  struct Options {
    uint32_t connections = 2;
    // After the first change it hears of: programs rename again within moments.
    int64_t quiet_s = 5;
    Backoff backoff;
    UploadPolicy policy;
  };
  Tidier(Outbox& outbox, Remote& remote, const Clock& clock, Options options);
  ~Tidier() override;  // stop()

  void start(bool paused) override;
  void stop() override;
  void wake() override;  // the outbox may have something
  void wake_now();       // the backup of the catalog came, which removals waited for: without quiet
  void set_paused(bool paused) override;
  void set_surroundings(const Surroundings& around) override;
  void run_now() override;

  struct Report {
    bool online = true;
    bool asked_for = false;   // run_now() is not done yet
    std::string held;         // by the policy, and why
    std::string waiting_for;  // empty: it may work
    std::string last_error;
    int64_t last_error_s = 0;
    Status refused;  // not ok: trying again will not help (credentials, no space)
  };
  [[nodiscard]] Report report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
