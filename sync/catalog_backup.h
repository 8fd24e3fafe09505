// Keeps the backup of the catalog on one remote up to date, within a minute of a change.
//
// Owned by SyncEngine, one per remote, each with a thread of its own: a slow remote holds nobody up.
// Waits as uploads do for a pause, a back-off and a remote that refuses.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/backoff.h"
#include "sync/catalog_sender.h"

namespace shoebox {

class CatalogBackup {
 public:
  struct Options {
    // After the first change, so that what belongs together goes together; and between two backups, so
    // that a long import does not send one a second. Together well below a minute.
    int64_t delay_s = 5;
    int64_t interval_s = 30;
    Backoff backoff;
    CatalogSender::Options sender;
    std::function<void()> on_sent;  // after each backup, on its thread
  };
  CatalogBackup(Catalog& catalog, Remote& remote, const Clock& clock, Options options);
  ~CatalogBackup();  // stop()

  void start(bool paused);
  // Breaks off what is being sent; the remote keeps the state before.
  void stop();
  void wake();  // something was committed; cheap, from any thread
  void set_paused(bool paused);
  // What changed is sent at once, without delay and back-off.
  void run_now();
  void try_again();  // as Uploader::try_again

  struct Report {
    uint64_t pending = 0;     // changes that are not on the remote, and 1 while thumbnails wait
    int64_t sent_s = 0;       // when the backup that is there was made; 0: there is none
    std::string waiting_for;  // empty: nothing waits
    std::string last_error;   // empty: the last one went well
    int64_t last_error_s = 0;
    Status refused;  // not ok: trying again will not help (credentials, no space)
  };
  [[nodiscard]] Report report() const;
  // Changes up to this number need not be listed for this remote any more.
  [[nodiscard]] uint64_t needs_no_changes_up_to() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
