// The durable queue of uploads, as the uploader sees it. Jobs are put by the commit that makes a
// file visible; they leave only by confirmed() or with their content.
//
// Threads: any. Each call is one transaction; confirmed() is synced before it returns.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/base/clock.h"
#include "store/base/file_io.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/sync_control.h"
#include "store/upload_key.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Tree;

// A content that can be sent now.
struct ReadyUpload {
  UploadJob job;
  ContentRecord content;
  // Readable: its Library path, else its view path; never one another content holds. Empty for adopted bytes
  // that nobody read yet: to be fetched whole first, which makes their hashes known.
  std::string key;
  std::optional<Timestamp> file_time;  // when a file with these bytes last changed; none for an older version
};

// One thing to do on a remote so that its keys follow the catalog.
struct TidyStep {
  enum class Kind : uint8_t {
    kMove,    // the copy of `content` goes from `key` to `to`
    kRemove,  // the object at `key` is nobody's
    kProbe,   // whether the remote takes two spellings of `key` for one; the object there holds its own name
  };
  Kind kind = Kind::kMove;
  ContentNo content;
  std::string key;
  std::string etag;  // of what stands at `key`; empty (kRemove): unknown, the bytes tell
  uint64_t size = 0;
  ContentHash sha256;
  std::string to;
  uint32_t attempts = 0;    // that failed before
  bool keep_aside = false;  // kRemove: it was found there in place of a copy, and may be somebody's
};

// An XMP sidecar to be sent: what the owner said about a photo.
struct SidecarStep {
  PhotoId photo;
  std::string copy_key;  // of the original it belongs to
  std::string key;
  std::string bytes;
  ContentHash sha256;             // of them
  ContentHash original;           // whose bytes these are of
  std::string former_etag;        // of ours that stands at `key`; empty: none is known
  std::vector<ContentHash> ours;  // what else of ours may stand there
  bool apart = false;     // `key` is below .shoebox/: what stands there and is not ours is moved aside
  uint32_t attempts = 0;  // that failed before
};

// What stands where, as sync tells it.
struct ConfirmedObject {
  std::string etag;
  uint64_t size = 0;
};

class Outbox {
 public:
  Outbox(Catalog& catalog, ContentStore& contents, Tree& tree, const Clock& clock);
  ~Outbox();

  // Sealed and decoded contents of `remote` whose back-off passed and whose last change is
  // `quiet_s` ago, oldest first, at most `limit`, none that `skip` names. `next_due_s`: when to ask
  // again (wall clock), 0 when a commit will tell.
  Result<std::vector<ReadyUpload>> ready(const std::string& remote, int64_t quiet_s, size_t limit,
                                         const std::function<bool(ContentNo)>& skip, int64_t* next_due_s);
  Result<UniqueFd> open(ContentNo content) const;
  // Before open() of a content that was just fetched: see ContentStore.
  Status settle_fetched(ContentNo content) const;
  // When not there any more (deleted, replaced) the call is ignored: nothing to save.
  Status save_progress(ContentNo content, const std::string& remote, const std::string& progress);
  Status failed(ContentNo content, const std::string& remote, const Status& why, int64_t not_before_s);
  // The bytes on this disk are not those whose hash was recorded: it is offered again only without quiet
  // (ready()).
  Status damaged(ContentNo content, const std::string& remote);
  // Durable: the copy is on the remote. The job goes in the same batch.
  Status confirmed(ContentNo content, const std::string& remote, const RemoteCopy& copy);
  // Before the bytes go to `key`: whatever becomes of this upload, what stands there is not forgotten,
  // and nobody else works at that key until ended().
  Status sending(ContentNo content, const std::string& remote, const std::string& key);
  void ended(ContentNo content, const std::string& remote);
  // The remote's object at `key` (empty: wherever it stands) is gone or changed: forget the copy and
  // queue the upload again if the bytes are local. Ok as well when the copy stands elsewhere by now. With
  // `bad_etag` something stands there that has other bytes than were sent, whatever the remote says of it;
  // synced then.
  Status copy_lost(ContentNo content, const std::string& remote, const std::string& key = {},
                   const std::string& bad_etag = {});
  // The ETag of what stands at `key` with other bytes than were sent, as copy_lost() was told; else empty.
  Result<std::string> bad_object(ContentNo content, const std::string& remote, const std::string& key) const;
  Result<std::vector<std::pair<std::string, RemoteCopy>>> copies(ContentNo content) const;
  // Contents without a job and without a copy on `remote` get a job (a remote was added, a job was
  // lost). From now on also contents that become ready to be sent without a job: a temporary file
  // that got its real name.
  Result<uint64_t> enqueue_missing(const std::string& remote);
  // The remote is in the settings no longer and nothing works there: its jobs go, and none is queued again.
  Status stop_serving(const std::string& remote);
  // Jobs of remotes that are not in the settings any more go: nothing would ever end them.
  Status drop_jobs_of_others(const std::vector<std::string>& remotes);

  // --- tidying: the keys on a remote follow the names in the catalog (outbox_tidy*.cpp). One Tidier
  // works on each remote.
  // What can be done next; none of what `skip` names. With nullopt, `next_due_s` says when to ask again
  // (wall clock), 0 when a commit will tell. `hurry`: no back-off.
  Result<std::optional<TidyStep>> next_tidy(const std::string& remote, bool hurry,
                                            const std::function<bool(ContentNo)>& skip, int64_t* next_due_s);
  // Whether next_tidy(), asked last, left something because the backup of the catalog does not know of it.
  [[nodiscard]] bool tidy_awaits_backup(const std::string& remote) const;
  // Durable: the copy stands at step.to as `object`; what is left at step.key is to be removed.
  Status tidied(const TidyStep& step, const std::string& remote, const ConfirmedObject& object);
  // The object at step.key is gone, or turned out to be somebody else's.
  Status removed(const TidyStep& step, const std::string& remote);
  // What a probe found out. The object it wrote is removed by a step of its own.
  void probed(const TidyStep& step, const std::string& remote, bool folds);
  // `not_before_s` 0: nothing failed, it was only broken off.
  Status tidy_failed(const TidyStep& step, const std::string& remote, const Status& why,
                     int64_t not_before_s);
  struct TidyTotals {
    uint64_t pending = 0;  // copies to be looked at, objects to be removed, folders to be walked
    uint64_t untried = 0;  // of those, how many did not fail yet
    std::string last_error;
  };
  Result<TidyTotals> tidy_totals(const std::string& remote) const;
  // `wake` runs as that of on_job, when next_tidy() may know more. Set before threads start.
  void on_tidy(std::function<void()> wake);

  // --- sidecars: what the owner said stands beside the originals (outbox_sidecars.cpp).
  // What can be sent next, none of what `skip` names; what has to go there no more is let go here.
  // `next_due_s` and `hurry` as for next_tidy().
  Result<std::optional<SidecarStep>> next_sidecar(const std::string& remote, bool hurry,
                                                  const std::function<bool(PhotoId)>& skip,
                                                  int64_t* next_due_s);
  // Durable with the next sync: it stands at step.key as `object`.
  Status sidecar_sent(const SidecarStep& step, const std::string& remote, const ConfirmedObject& object);
  // `not_before_s` 0: nothing failed, it was only broken off. kConflict, kInvalid, kNameTooLong: it cannot
  // stand at step.key, and goes apart at once.
  Status sidecar_failed(const SidecarStep& step, const std::string& remote, const Status& why,
                        int64_t not_before_s);
  // What was sent to `key` is not there any more, or is another thing: it is sent again.
  Status sidecar_lost(PhotoId photo, const std::string& remote, const std::string& key);
  // Its bytes went bad, or nobody knows whether it stands there: another one takes its place. What stands
  // there is ours if it has the ETag of what was sent.
  Status sidecar_damaged(PhotoId photo, const std::string& remote, const std::string& key);
  struct SidecarTotals {
    uint64_t pending = 0;  // photos whose sidecar is to be looked at
    uint64_t untried = 0;  // of those, how many did not fail yet
    std::string last_error;
  };
  Result<SidecarTotals> sidecar_totals(const std::string& remote) const;
  // What was said before sidecars were sent at all, or before this library was rebuilt, is looked at once.
  Status enqueue_sidecars();
  void on_sidecar(std::function<void()> wake);  // as on_tidy()

  struct Totals {
    uint64_t pending_files = 0, pending_bytes = 0, confirmed_files = 0, confirmed_bytes = 0;
    uint64_t damaged_files = 0;  // among the pending ones
    std::string last_error;
  };
  Result<Totals> totals(const std::string& remote) const;
  // The damaged ones, at most `limit`.
  Result<std::vector<DamagedOriginal>> damaged_originals(const std::string& remote, size_t limit) const;
  // Files that no remote gets because of their names (junk and temporary ones), and their size. The first
  // call reads all names, later ones only what is such a file.
  struct KeptHere {
    uint64_t files = 0, bytes = 0;
  };
  Result<KeptHere> kept_here() const;
  // Durable pause switch.
  Result<bool> paused() const;
  Status set_paused(bool paused);
  // Before anything works there; without it a remote has the widest limits. Whether it takes two spellings
  // of a key for one is found out anew.
  void set_key_limits(const std::string& remote, const KeyLimits& limits);
  // `backed_up` tells the last change of the catalog that its backup on the remote has: no object is removed
  // there before the backup knows why, so that a library made from it finds every original. Without it, or
  // with an empty one, nothing waits.
  void set_backed_up(const std::string& remote, std::function<uint64_t()> backed_up);
  // `wake` runs after each commit that queued jobs or may have made some ready, on the committing
  // thread. Must not block. Set before threads start.
  void on_job(std::function<void()> wake);

 private:
  struct State;
  std::shared_ptr<State> state_;  // shared with the catalog's observer, which may outlive this object
};

}  // namespace shoebox
