// The inside of SyncEngine, shared by its .cpp files.
#pragma once

#include <thread>

#include "store/base/mutex.h"
#include "sync/counted_remote.h"
#include "sync/follower.h"
#include "sync/leased_remote.h"
#include "sync/owner_lease.h"
#include "sync/paced_remote.h"
#include "sync/sidecar_sender.h"
#include "sync/surroundings_watch.h"
#include "sync/sync_engine.h"
#include "sync/tidier.h"
#include "sync/uploader.h"
#include "sync/verifier.h"
#include "sync/video_policy.h"

namespace shoebox {

struct SyncEngine::State : std::enable_shared_from_this<SyncEngine::State> {
  struct Member {
    RemoteSettings settings;
    Status broken;                          // not ok: no remote could be made from the settings
    std::unique_ptr<CountedRemote> remote;  // for reads that somebody waits for
    std::unique_ptr<PacedRemote> paced;     // the same, for what works in the background
    std::unique_ptr<VideoPolicy> videos;    // null: none are kept back
    std::unique_ptr<OwnerLease> lease;      // of `remote`
    std::unique_ptr<LeasedRemote> leased;   // `paced`, for what writes
    // There when `remote` is.
    std::unique_ptr<Uploader> uploader;
    std::unique_ptr<Tidier> tidier;
    std::unique_ptr<SidecarSender> sidecars;
    std::unique_ptr<CatalogBackup> backup;
    [[nodiscard]] std::vector<RemoteWorker*> workers() const;
  };

  explicit State(Dependencies d)
      : catalog(d.catalog),
        contents(d.contents),
        tree(d.tree),
        outbox(d.outbox),
        clock(d.clock),
        verify_period_s(d.verify_period_s),
        writer(std::move(d.writer)),
        follow(d.follow),
        thumbnails(d.thumbnails),
        fetcher(d.catalog, d.contents, d.clock, std::move(d.fetcher)),
        verifier(d.catalog, d.contents, d.outbox, fetcher, d.clock) {}

  Catalog& catalog;
  ContentStore& contents;
  Tree* const tree;
  Outbox& outbox;
  const Clock& clock;
  const int64_t verify_period_s;
  const Writer writer;
  const bool follow;
  Thumbnails* const thumbnails;
  Fetcher fetcher;
  Verifier verifier;
  MakeRemote make_remote;
  std::vector<Member> members;  // fixed after construction
  std::unique_ptr<SurroundingsWatch> surroundings;
  std::unique_ptr<Follower> follower;  // of the first remote, where another machine writes
  std::thread enqueue;
  std::thread verifying;
  CancelToken stop_verifying;

  mutable Mutex mutex;
  ConditionVariable changed;
  bool started GUARDED_BY(mutex) = false;
  bool stopping GUARDED_BY(mutex) = false;
  bool enqueued GUARDED_BY(mutex) = true;  // false while the search for missing jobs runs

  void enqueue_all();
  void make_lease(Member& member);
  void start_follower(Thumbnails* thumbs);
  [[nodiscard]] const Member& followed() const;
  [[nodiscard]] bool all_sent(const Member& member) const;
  [[nodiscard]] bool may_finish(const Member& member) const;
  void finish(const Member& member, const CancelToken& cancel) const;
  [[nodiscard]] bool writes_to(const std::string& remote) const;
  Member make_member(const RemoteSettings& settings, int64_t quiet_s, CatalogBackup::Options backup);
  void follow_commits(const std::shared_ptr<State>& self);
  void each_worker(const std::function<void(RemoteWorker&)>& work) const;
  // Whether what `backup now` asked for still goes on somewhere.
  [[nodiscard]] bool at_work_for_owner() const;
  void forget_changes();
  [[nodiscard]] Status hurry_backups() const;
  // What keeps wait() from ever ending, as an error.
  [[nodiscard]] Status hindrance(const Member& member, const RemoteStatus& status) const;
  void verify_by_itself();
  void watch_surroundings();
  [[nodiscard]] std::vector<Remote*> remotes_not_held() const;
  Result<std::vector<Remote*>> remotes_called(const std::string& name);
  Result<RemoteStatus> status_of(const Member& member, bool paused);
};

}  // namespace shoebox
