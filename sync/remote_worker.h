// What works for one remote in the background: uploads, tidying, the backup of the catalog.
//
// Owned by SyncEngine. Threads: every function from any thread, start() and stop() from one.
#pragma once

#include "sync/policy.h"

namespace shoebox {

class RemoteWorker {
 public:
  virtual ~RemoteWorker() = default;
  virtual void start(bool paused) = 0;
  // Breaks off what runs and waits for the threads.
  virtual void stop() = 0;
  virtual void wake() = 0;  // there may be something to do; cheap
  virtual void set_paused(bool paused) = 0;
  // May hold or release work, as the policy says.
  virtual void set_surroundings(const Surroundings& around) = 0;
  // Everything that waits is tried once, without quiet, back-off, hours and the like.
  virtual void run_now() = 0;
  // What made the remote refuse is over: no waiting for the next attempt.
  virtual void try_again() = 0;
};

}  // namespace shoebox
