// Keeps the backup of the catalog on one remote up to date, within a minute of a change.
//
// Owned by SyncEngine, one per remote, each with a thread of its own: a slow remote holds nobody up.
// Waits as uploads do for a pause, the policy, a back-off and a remote that refuses. What is being sent when
// the hours end is sent to its end: it is small.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/backoff.h"
#include "sync/catalog_sender.h"
#include "sync/remote_gate.h"
#include "sync/remote_worker.h"

namespace shoebox {

class CatalogBackup final : public RemoteWorker {
 public:
  struct Options {
    // After the first change, so that what belongs together goes together; and between two backups, so
    // that a long import does not send one a second. Together well below a minute.
    int64_t delay_s = 5;
    int64_t interval_s = 30;
    Backoff backoff{};
    UploadPolicy policy{};
    CatalogSender::Options sender{};
    std::function<void()> on_sent{};  // after each backup, on its thread
    // Whether what somebody asked for still goes on and will change the catalog: until then run_now() counts
    // for what comes. May be empty.
    std::function<bool()> more_to_come{};
    // How often it looks whether the remote still has what was sent, while nothing changes here: what was put
    // back to an older state counts for no eviction any more. Where another one writes, it does not look.
    int64_t look_s = 60;
    std::function<bool()> may_look{};  // may be empty
  };
  CatalogBackup(Catalog& catalog, Remote& remote, const Clock& clock, Options options);
  ~CatalogBackup() override;  // stop()

  void start(bool paused) override;
  // The remote keeps the state before what is broken off.
  void stop() override;
  // After stop(), on the caller's thread: sends what waits, until `cancel`. Ok when nothing waits any more;
  // kUnavailable, at once, where a pause, the policy or what the remote answered last is against it.
  Status finish(const CancelToken& cancel);
  void wake() override;  // something was committed
  void set_paused(bool paused) override;
  void set_surroundings(const Surroundings& around) override;
  void run_now() override;
  void try_again() override;
  // As of CatalogSender; it is done as soon as something may be sent.
  void send_again(const std::set<std::string>& keys);

  // Nothing pending, nothing is held or waits; `last_error` is empty when the last backup went well.
  struct Report : GateReport {
    uint64_t pending =
        0;  // changes that are not on the remote, and 1 while thumbnails or what came to harm wait
    int64_t sent_s = 0;  // when the backup that is there was made; 0: there is none
  };
  [[nodiscard]] Report report() const;
  // As of CatalogSender.
  [[nodiscard]] bool in_doubt() const;
  // The last change of the catalog that the backup there has.
  [[nodiscard]] uint64_t sent_up_to() const;
  // Changes up to this number need not be listed for this remote any more.
  [[nodiscard]] uint64_t needs_no_changes_up_to() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
