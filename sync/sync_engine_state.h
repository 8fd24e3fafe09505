// The inside of SyncEngine, shared by its .cpp files.
#pragma once

#include <atomic>
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
  // One remote of the settings, and all that works there. Those who use it hold it: it may leave the settings
  // while they do, and then its remote fails.
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
    void stop() const;  // all that works there; waits for it
  };
  using Members = std::vector<std::shared_ptr<Member>>;

  explicit State(Dependencies d)
      : catalog(d.catalog),
        contents(d.contents),
        tree(d.tree),
        outbox(d.outbox),
        clock(d.clock),
        quiet_s(d.quiet_s),
        backup_options(d.catalog_backup),
        verify_first(d.verify_first),
        verify_every(d.verify_every),
        verify_period_s(d.verify_period_s),
        writer(std::move(d.writer)),
        read_only(d.read_only),
        follow(d.follow),
        thumbnails(d.thumbnails),
        fetcher(d.catalog, d.contents, d.clock, std::move(d.fetcher)),
        verifier(d.catalog, d.contents, d.outbox, fetcher, d.clock) {}

  Catalog& catalog;
  ContentStore& contents;
  Tree* const tree;
  Outbox& outbox;
  const Clock& clock;
  const int64_t quiet_s;
  const CatalogBackup::Options backup_options;
  const std::chrono::milliseconds verify_first;
  const std::chrono::milliseconds verify_every;
  std::atomic<int64_t> verify_period_s;
  const Writer writer;
  const bool read_only;
  const bool follow;
  Thumbnails* const thumbnails;
  Fetcher fetcher;
  Verifier verifier;
  MakeRemote make_remote;
  Admit admit;                                      // may be empty
  std::unique_ptr<SurroundingsWatch> surroundings;  // of the thread that starts, changes and stops
  std::unique_ptr<Follower> follower;               // where another machine writes
  std::thread enqueue;
  std::thread verifying;
  CancelToken stop_verifying;

  mutable Mutex mutex;
  ConditionVariable changed;
  bool started GUARDED_BY(mutex) = false;
  bool stopping GUARDED_BY(mutex) = false;
  bool works GUARDED_BY(mutex) = false;     // started with uploads
  bool changing GUARDED_BY(mutex) = false;  // change_settings() runs
  bool enqueued GUARDED_BY(mutex) = true;   // false while the search for missing jobs runs
  Members members GUARDED_BY(mutex);        // in the order of the settings
  Surroundings around GUARDED_BY(mutex);    // as they were told last

  void enqueue_all();
  void make_lease(Member& member);
  void start_follower(Thumbnails* thumbs);
  [[nodiscard]] Members all() const;
  [[nodiscard]] bool all_sent(const Member& member) const;
  [[nodiscard]] bool may_finish(const Member& member) const;
  void finish(const Member& member, const CancelToken& cancel) const;
  [[nodiscard]] bool writes_to(const std::string& remote) const;
  void note_lost(ContentNo content, const std::string& remote, bool lost) const;
  // What stands on a remote is not what this library left there.
  Status doubt(LeasedRemote& remote, const CancelToken& cancel) const;
  std::shared_ptr<Member> make_member(const RemoteSettings& settings);
  void start_member(const Member& member);
  // sync_engine_change.cpp
  Status begin_change();
  void end_change();
  Status change(const SettingsChange& change);
  void leave(const Members& leaving, const Settings& next);
  void take_in(const Members& kept, const Members& leaving, const Settings& next);
  void follow_commits(const std::shared_ptr<State>& self);
  void each_worker(const std::function<void(RemoteWorker&)>& work) const;
  // Whether what `backup now` asked for still goes on somewhere.
  [[nodiscard]] bool at_work_for_owner() const;
  void forget_changes();
  [[nodiscard]] Status hurry_backups() const;
  // What keeps wait() from ever ending, as an error.
  [[nodiscard]] Status hindrance(const Member& member, const RemoteStatus& status) const;
  void verify_by_itself();
  // Reads the backups of the catalog back, and has sent again what came to harm there.
  Status verify_backups(const Members& of, double share, const CancelToken& cancel, VerifyReport& report,
                        const std::function<void(const VerifyReport&)>& progress) const;
  [[nodiscard]] Members backups_due(const Members& of, int64_t period_s) const;
  void watch_surroundings();
  [[nodiscard]] Members members_not_held() const;
  // The usable ones of this name; empty: all. kNotFound; or why the one of that name cannot be used.
  Result<Members> members_called(const std::string& name) const;
  // Not ok: it is known that nothing can be read there now.
  [[nodiscard]] Status reached(const Member& member) const;
  [[nodiscard]] std::string doubt_about(const Member& member) const;
  Result<RemoteStatus> status_of(const Member& member, bool paused);
  Result<std::vector<RemoteStatus>> status_of_each(const Members& of, bool paused);
};

}  // namespace shoebox
