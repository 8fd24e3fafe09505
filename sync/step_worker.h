// Does one step after the other on one remote, in the background, some at once: what tidying and the sending
// of sidecars have in common. A StepSource tells what is to be done.
//
// Owned by SyncEngine. Steps aside for an outage, a pause, the policy and a remote that asks to slow down, as
// uploads do.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/backoff.h"
#include "sync/remote/remote.h"
#include "sync/remote_gate.h"
#include "sync/remote_worker.h"

namespace shoebox {

// One thing to do. Used by one thread.
class WorkerStep {
 public:
  WorkerStep(std::string on_key, uint64_t about, uint32_t failed_before)
      : key(std::move(on_key)), subject(about), attempts(failed_before) {}
  virtual ~WorkerStep() = default;
  // Does it, and notes that it is done. Blocks on the network.
  virtual Status run(const CancelToken& cancel, RequestHints& hints) = 0;
  // `not_before_s` 0: nothing failed, it was only broken off.
  virtual Status failed(const Status& why, int64_t not_before_s) = 0;

  const std::string key;    // for messages
  const uint64_t subject;   // of which one step runs at a time; 0: nothing in particular
  const uint32_t attempts;  // that failed before
};

// Thread-safe.
class StepSource {
 public:
  virtual ~StepSource() = default;
  // What can be done next, none about what `skip` names; null: nothing, and `due_s` says when to ask again
  // (wall clock), 0 when somebody wakes the worker. `hurry`: no back-off.
  virtual Result<std::unique_ptr<WorkerStep>> next(bool hurry, const std::function<bool(uint64_t)>& skip,
                                                   int64_t* due_s) = 0;
  // Whether something that was found waits for wake_now(): a hurry does not end before it.
  [[nodiscard]] virtual bool awaits() const { return false; }
};

class StepWorker : public RemoteWorker {
 public:
  struct Options {
    uint32_t connections = 2;
    // After the first change it hears of: programs change their mind within moments.
    int64_t quiet_s = 5;
    Backoff backoff;
    UploadPolicy policy;
  };
  // `work` names it in messages and its threads.
  StepWorker(std::unique_ptr<StepSource> source, std::string work, const std::string& remote,
             const Clock& clock, Options options);
  ~StepWorker() override;  // stop()

  void start(bool paused) override;
  void stop() override;
  void wake() override;
  void wake_now();  // what steps waited for has come: without quiet
  void set_paused(bool paused) override;
  void set_surroundings(const Surroundings& around) override;
  void run_now() override;
  void try_again() override;

  struct Report : GateReport {
    bool asked_for = false;  // run_now() is not done yet
  };
  [[nodiscard]] Report report() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
