// What SyncEngine is made of; shared by its sync_engine_*.cpp.
#pragma once

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "store/base/mutex.h"
#include "sync/counted_remote.h"
#include "sync/leased_remote.h"
#include "sync/owner_lease.h"
#include "sync/surroundings_watch.h"
#include "sync/sync_engine.h"
#include "sync/tidier.h"
#include "sync/uploader.h"
#include "sync/verifier.h"

namespace shoebox {

struct SyncEngine::State {
  struct Member {
    RemoteSettings settings;
    Status broken;  // not ok: no remote could be made from the settings
    std::unique_ptr<CountedRemote> remote;
    std::unique_ptr<OwnerLease> lease;     // there when `remote` is, as are those below
    std::unique_ptr<LeasedRemote> leased;  // for all that writes
    std::unique_ptr<Uploader> uploader;
    std::unique_ptr<Tidier> tidier;  // there when `uploader` is
    std::unique_ptr<CatalogBackup> backup;
  };

  explicit State(Dependencies d)
      : catalog(d.catalog),
        outbox(d.outbox),
        clock(d.clock),
        verify_period_s(d.verify_period_s),
        writer(std::move(d.writer)),
        fetcher(d.catalog, d.contents, d.clock, std::move(d.fetcher)),
        verifier(d.catalog, d.outbox, fetcher, d.clock) {}

  Catalog& catalog;
  Outbox& outbox;
  const Clock& clock;
  const int64_t verify_period_s;
  const Writer writer;
  Fetcher fetcher;
  Verifier verifier;
  MakeRemote make_remote;
  std::vector<Member> members;  // fixed after construction
  std::unique_ptr<SurroundingsWatch> surroundings;
  std::thread enqueue;
  std::thread verifying;
  CancelToken stop_verifying;

  mutable Mutex mutex;
  ConditionVariable changed;
  bool started GUARDED_BY(mutex) = false;
  bool stopping GUARDED_BY(mutex) = false;
  bool enqueued GUARDED_BY(mutex) = true;  // false while the search for missing jobs runs

  void enqueue_all();
  void make_backup(Member& member, CatalogBackup::Options options);
  void make_lease(Member& member);
  [[nodiscard]] bool all_sent(const Member& member) const;
  [[nodiscard]] bool writes_to(const std::string& remote) const;
  void forget_changes();
  [[nodiscard]] Status hurry_backups() const;
  void verify_by_itself();
  void watch_surroundings();
  KeptBack kept_back(const RemoteSettings& remote, ContentNo content) const;
  Result<std::vector<Remote*>> remotes_called(const std::string& name);
  Result<RemoteStatus> status_of(const Member& member, bool paused);
};

}  // namespace shoebox
