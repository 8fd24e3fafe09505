// Keeps a library that is only read up to date with the one that writes to a remote, by the backup of the
// catalog there. Writes nothing to the remote. It stays with one remote, and goes to the next one when that
// fails or falls behind what another one has.
//
// Owned by SyncEngine, with a thread of its own. A read-only mount is shown at once and catches up.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "store/base/clock.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/catalog/backup_apply.h"
#include "store/catalog/backup_head.h"
#include "sync/remote/remote.h"

namespace shoebox {

class Catalog;
class Thumbnails;

class Follower {
 public:
  struct Options {
    // With the 35 s after which the one that writes has sent a change: well within a minute.
    std::chrono::milliseconds period{10'000};
    Thumbnails* thumbnails = nullptr;  // null: none are fetched
    // See backup::Apply.
    std::function<Result<std::shared_ptr<void>>(const std::vector<ContentNo>&)> replacing{};
    backup::StagedRows::Options rows;  // where those of a large catalog stand while they are gathered
    // Of one transaction; see backup::Apply.
    size_t most_rows = backup::Apply().most_rows;
    size_t most_bytes = backup::Apply().most_bytes;
  };
  // The remotes that can be used now, in the order of the settings.
  using Remotes = std::function<std::vector<std::shared_ptr<Remote>>()>;
  Follower(Catalog& catalog, Remotes remotes, const Clock& clock, Options options);
  Follower(Catalog& catalog, Remote& remote, const Clock& clock, Options options);  // that outlives this
  ~Follower();                                                                      // stop()

  void start();
  void stop();
  // Once, on this thread. Ok: the catalog is as the newest backup there has it.
  Status follow(const CancelToken& cancel);

  struct Report {
    std::string remote;       // that it follows; empty: none yet
    int64_t backed_up_s = 0;  // when the state that is shown was backed up; 0: not known
    std::string last_error;   // empty: the last look went well
    int64_t last_error_s = 0;
  };
  [[nodiscard]] Report report() const;

 private:
  // What it shows: of which remote, and that one's head.
  struct Shown {
    std::string remote;
    std::optional<backup::Head> head;
    bool partly = false;  // it was broken off on the way to a newer one
  };
  Result<Shown> shown() const;
  Status follow(Remote& remote, int64_t newer_than_s, const CancelToken& cancel);
  Result<bool> unchanged(Remote& remote, const std::string& library, const CancelToken& cancel);
  Status apply(Remote& remote, const backup::Head& head, const Shown& now, const CancelToken& cancel);
  Status fetch_thumbnails(Remote& remote, const backup::Head& head, const CancelToken& cancel);
  Status remember(const Remote& remote, const backup::Head& head);
  void run();

  Catalog& catalog_;
  const Remotes remotes_;
  const Clock& clock_;
  const Options options_;
  std::thread thread_;
  CancelToken stop_;

  // Of the thread that follows.
  // Of the heads, as they were read last, by the name of the remote.
  std::map<std::string, std::map<std::string, std::string>> etags_;
  uint32_t looks_ = 0;

  mutable Mutex mutex_;  // leaf
  ConditionVariable changed_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  Report report_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
