// Keeps the keys on one remote true to the catalog: moves copies whose files were renamed, trashed or
// brought back, removes what nobody holds any more (Outbox::next_tidy tells what, Tidy does it).
//
// Owned by SyncEngine, one per remote, beside its Uploader. Steps aside for an outage, a pause and a
// remote that asks to slow down, as uploads do.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/backoff.h"

namespace shoebox {

class Outbox;
class Remote;

class Tidier {
 public:
  struct Options {
    uint32_t connections = 2;
    // After the first change it hears of: programs rename again within moments.
    int64_t quiet_s = 5;
    Backoff backoff;
  };
  Tidier(Outbox& outbox, Remote& remote, const Clock& clock, Options options);
  ~Tidier();  // stop()

  void start(bool paused);
  // Breaks off what runs and waits for the threads.
  void stop();
  void wake();  // the outbox may have something
  void set_paused(bool paused);
  void run_now();    // no quiet, no back-off
  void try_again();  // as Uploader::try_again

  struct Report {
    bool online = true;
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
