// The catalog: everything Shoebox knows, in one RocksDB. Typed reads, and transactions that
// become durable as one batch.
//
// Threads: reads from any thread, without a lock, each seeing the last commit. One Transaction
// at a time: begin() waits for the writer lock. commit() appends to RocksDB's log and returns
// without fsync, so that it is atomic and survives kill -9; sync() makes all earlier commits
// survive a power cut, and serves every caller waiting at that moment with one fsync.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/ids.h"
#include "store/base/mutex.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class Db;  // db.h: the only wrapper around RocksDB

// What a committed transaction changed, for kernel caches and for waiting workers.
struct Change {
  struct Name {
    InodeNo directory;
    std::string name;
    InodeNo inode;  // what it named before (removed) or names now (added)
    bool removed = false;
    bool kernel_knows = false;  // the operation at hand was asked for exactly this name
  };
  std::vector<Name> names;
  std::vector<InodeNo> attributes;       // inodes whose attributes changed
  std::vector<InodeNo> data;             // inodes whose bytes changed other than by a write through them
  std::vector<std::string> upload_jobs;  // remotes with new jobs

  // For totals that are kept in memory: what was put or erased, in this order.
  struct Upload {
    std::string remote;
    ContentNo content;
    uint64_t size = 0;     // copies: of the copy
    bool is_copy = false;  // a confirmed copy, else a queued job
    bool erased = false;
  };
  std::vector<Upload> uploads;
  bool tidying = false;   // keys on some remote may be others than the names imply, or were put right
  bool photos = false;    // some photo's record was put
  bool sidecars = false;  // the sidecar of some photo on some remote is to be looked at
  std::vector<std::pair<ContentNo, uint64_t>> content_sizes;  // contents that were put, with their size
};

// Whether the kernel already knows a change of a name because it asked for it.
enum class Notice : uint8_t { kTell, kKernelKnows };

// Typed reads. Absent things are std::nullopt, not errors.
class CatalogReader {
 public:
  virtual ~CatalogReader() = default;

  Result<std::optional<InodeRecord>> inode(InodeNo number) const;
  Result<std::optional<DentryRecord>> dentry(InodeNo directory, std::string_view name) const;
  // Names in `directory` in byte order, from the first one greater than `after`; fn returns false to stop.
  Status for_each_entry(InodeNo directory, std::string_view after,
                        const std::function<bool(const DirEntry&)>& fn) const;
  Result<bool> has_entries(InodeNo directory) const;
  // A name in `directory` that equals `name` when both are NFC- and case-folded.
  Result<std::optional<std::string>> folded_match(InodeNo directory, std::string_view name) const;
  Result<std::vector<NameOf>> names_of(InodeNo inode) const;

  Result<std::optional<std::string>> xattr(InodeNo inode, std::string_view name) const;
  Result<std::vector<std::string>> xattr_names(InodeNo inode) const;

  Result<std::optional<ContentRecord>> content(ContentNo number) const;
  Result<std::vector<ContentHash>> block_hashes(ContentNo number) const;
  Result<std::optional<ContentNo>> content_by_hash(const ContentHash& sha256) const;
  Result<std::vector<InodeNo>> inodes_of_content(ContentNo number) const;

  Result<std::optional<PhotoRecord>> photo(PhotoId id) const;
  Result<std::optional<PhotoId>> photo_of_content(ContentNo number) const;
  Result<std::vector<InodeNo>> inodes_of_photo(PhotoId id) const;

  // The directory of a view that stands for a value ("Trip/Day 1"), if there is one.
  Result<std::optional<InodeNo>> view_directory(ViewId view, std::string_view value) const;

  Result<std::vector<UploadJob>> jobs_of_content(ContentNo number) const;
  // Whether an upload found that the disk spoiled it (UploadJob::damaged).
  Result<bool> is_known_damaged(ContentNo number) const;
  Result<std::optional<RemoteCopy>> copy(ContentNo number, std::string_view remote) const;
  // (remote name, copy) pairs.
  Result<std::vector<std::pair<std::string, RemoteCopy>>> copies(ContentNo number) const;
  // Whose confirmed copy stands under this key of a remote.
  Result<std::optional<ContentNo>> content_of_remote_key(std::string_view remote, std::string_view key) const;

  // Copies (and loose objects: no content) whose keys there differ from `key` in case or Unicode form at
  // most, with their keys: on some remotes all of these name one object.
  Result<std::vector<std::pair<ContentNo, std::string>>> spellings_of_remote_key(std::string_view remote,
                                                                                 std::string_view key) const;

  // What is to be put right on remotes; see Outbox.
  Result<std::optional<TidyRecord>> tidy(ContentNo number, std::string_view remote) const;
  Result<std::optional<LooseObject>> loose(std::string_view remote, std::string_view key) const;
  // Contents of one remote that are to be tidied, by number, from the first one greater than `after`.
  Status for_each_tidy(std::string_view remote, ContentNo after,
                       const std::function<bool(ContentNo)>& fn) const;
  // In key order, from the first key greater than `after`.
  Status for_each_loose(std::string_view remote, std::string_view after,
                        const std::function<bool(std::string_view key, const LooseObject&)>& fn) const;
  // Folders that moved with what is below them; `move` tells one move from the next.
  Status for_each_moved_folder(const std::function<bool(InodeNo, uint64_t move)>& fn) const;

  // The sidecar of what the owner said, where one was sent: (remote name, object) pairs.
  Result<std::optional<SidecarObject>> sidecar(PhotoId photo, std::string_view remote) const;
  Result<std::vector<std::pair<std::string, SidecarObject>>> sidecars(PhotoId photo) const;
  // Photos whose sidecar on one remote is to be looked at, in order, from the first one greater than `after`.
  Result<std::optional<TidyRecord>> sidecar_mark(std::string_view remote, PhotoId photo) const;
  Status for_each_sidecar_mark(std::string_view remote, PhotoId after,
                               const std::function<bool(PhotoId, const TidyRecord&)>& fn) const;

  Result<std::optional<TrashRecord>> trash(InodeNo inode) const;
  Result<std::vector<VersionRecord>> versions(PhotoId photo) const;
  Result<std::optional<std::string>> meta(std::string_view name) const;

  Status for_each_inode(const std::function<bool(InodeNo, const InodeRecord&)>& fn) const;
  Status for_each_content(const std::function<bool(ContentNo, const ContentRecord&)>& fn) const;
  Status for_each_photo(const std::function<bool(PhotoId, const PhotoRecord&)>& fn) const;
  Status for_each_trash(const std::function<bool(InodeNo, const TrashRecord&)>& fn) const;
  // Jobs of one remote in the order of their content numbers, from the first one greater than `after`.
  Status for_each_job(std::string_view remote, ContentNo after,
                      const std::function<bool(const UploadJob&)>& fn) const;

  // Raw access, for fsck and the accessors above.
  virtual Result<std::optional<std::string>> get(std::string_view key) const = 0;
  // Pairs whose key starts with `prefix`, from the first key >= `from`, in byte order.
  virtual Status scan(std::string_view prefix, std::string_view from,
                      const std::function<bool(std::string_view key, std::string_view value)>& fn) const = 0;
};

// A set of changes that becomes visible and durable as one. Reads see its own writes.
// Dropped without commit(), nothing happened. Holds the catalog's writer lock: do no I/O to
// remotes, wait for nobody, and call no callback of fs/ while one lives.
class Transaction : public CatalogReader {
 public:
  ~Transaction() override;
  Transaction(Transaction&&) = delete;

  InodeNo new_inode_no();
  ContentNo new_content_no();
  PhotoId new_photo_id();

  void put_inode(InodeNo number, const InodeRecord& record);  // keeps content->inode and photo->inode indexes
  Status erase_inode(InodeNo number);                         // with its xattrs; names must be gone
  // Adds or replaces a name and its reverse row. Does not touch nlink.
  Status put_dentry(InodeNo directory, std::string_view name, const DentryRecord& record,
                    Notice notice = Notice::kTell);
  Status erase_dentry(InodeNo directory, std::string_view name, Notice notice = Notice::kTell);
  void put_xattr(InodeNo inode, std::string_view name, std::string_view value);
  void erase_xattr(InodeNo inode, std::string_view name);
  void put_content(ContentNo number, const ContentRecord& record);  // keeps the hash index when sealed
  void put_block_hashes(ContentNo number, const std::vector<ContentHash>& blocks);
  Status erase_content(
      ContentNo number);  // with hashes and jobs; copies become loose; tells the content store after commit
  void put_photo(PhotoId id, const PhotoRecord& record);  // keeps content->photo
  Status erase_photo(PhotoId id);
  void put_view_directory(ViewId view, std::string_view value, InodeNo directory);
  void erase_view_directory(ViewId view, std::string_view value);
  void put_job(const UploadJob& job);
  void erase_job(ContentNo content, std::string_view remote);
  void put_copy(ContentNo content, std::string_view remote, const RemoteCopy& copy);
  void erase_copy(ContentNo content, std::string_view remote);
  // Whoever changes names, or who holds a content, need not put these: commit() does.
  void put_tidy(ContentNo content, std::string_view remote, const TidyRecord& record);
  void erase_tidy(ContentNo content, std::string_view remote);
  void put_loose(std::string_view remote, std::string_view key, const LooseObject& object);
  void erase_loose(std::string_view remote, std::string_view key);
  void erase_moved_folder(InodeNo directory);
  void put_sidecar(PhotoId photo, std::string_view remote, const SidecarObject& object);
  void erase_sidecar(PhotoId photo, std::string_view remote);
  // Whoever changes what is said about a photo, or where its copies are, need not put these: commit() does.
  void put_sidecar_mark(std::string_view remote, PhotoId photo, const TidyRecord& record);
  void erase_sidecar_mark(std::string_view remote, PhotoId photo);
  // As if something had been said about it.
  void look_at_sidecars(PhotoId photo);
  void put_trash(InodeNo inode, const TrashRecord& record);
  void erase_trash(InodeNo inode);
  void put_version(PhotoId photo, const VersionRecord& record);
  void erase_version(PhotoId photo, ContentNo content);
  void put_meta(std::string_view name, std::string_view value);

  // A row as it is, with no index kept: for fsck's repairs only.
  void put_raw(std::string_view key, std::optional<std::string> value);

  // The kernel must drop its cached bytes of this inode.
  void data_changed(InodeNo inode);
  // From here on every name that changes is told, whatever the Notice: the kernel asked for none.
  void tell_all_names();
  // Runs after the commit, on the committing thread, without the lock; dropped when not committed.
  void after_commit(std::function<void()> action);

  // Makes everything visible at once. The transaction is spent, whatever the answer.
  [[nodiscard]] Status commit();

  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& fn) const override;

 private:
  friend class Catalog;
  struct State;
  Status note_for_tidying();
  Status note_for_sidecars();
  void look_at_attribute(InodeNo inode, std::string_view name);
  void look_at_sidecar_of(ContentNo content);
  void look_at_sidecar_of_copy(ContentNo content, std::string_view remote, std::string_view key);
  void index_folded_key(std::string_view remote, std::string_view key);  // as the rows are now
  explicit Transaction(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// The catalog as it was at one moment, with the list of what changed until then, for backups.
// Holds old rows on the disk while it lives; outlived by the Catalog. Thread-safe.
class CatalogMoment final : public CatalogReader {
 public:
  ~CatalogMoment() override;
  // Number of the last change in it. Changes to what stands on this disk only (jobs, residence, access
  // times) have none.
  [[nodiscard]] uint64_t sequence() const;
  // Keys that changes after number `after` put or erased. kNotFound: they are not listed any more.
  Result<std::set<std::string>> changed_keys(uint64_t after) const;

  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& fn) const override;

 private:
  friend class Catalog;
  struct State;
  explicit CatalogMoment(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class Catalog : public CatalogReader {
 public:
  struct Options {
    bool read_only = false;
    bool create = true;  // make it, with the fixed directories, when it is not there
    uint32_t root_uid = 0, root_gid = 0;
    uint64_t reserve_bytes = 64 << 20;  // room of its own for a full disk
    bool salvaged = false;              // after salvage(): the format number may be lost with its table
    bool in_memory = false;             // for tests: `path` is only a name, nothing is kept
    // Opens in milliseconds and leaves nothing behind.
    static Options scratch() { return {.reserve_bytes = 0, .in_memory = true}; }
  };
  // Opens LIBRARY/catalog. kIncompatible: made by a newer version. kDataLoss: damaged, says which table.
  static Result<std::unique_ptr<Catalog>> open(const std::string& path, const Options& options);
  // Builds LIBRARY/catalog anew from the tables that can still be read; the catalog is closed. What only
  // the damaged ones held is lost: let check_catalog() repair the rest after it.
  static Status salvage(const std::string& path);
  ~Catalog() override;

  [[nodiscard]] std::unique_ptr<Transaction> begin();
  // All commits so far survive a power cut when this returns ok. Group commit.
  [[nodiscard]] Status sync();
  // Free bytes of its disk that it must have, as it lives on its reserve: nothing else may be written there
  // that would leave less free. 0 while all is well. Any thread.
  [[nodiscard]] uint64_t kept_free_bytes() const;

  [[nodiscard]] Result<std::unique_ptr<CatalogMoment>> moment() const;
  // Number of the last change, as CatalogMoment counts them.
  [[nodiscard]] uint64_t last_change() const;
  // No backup needs the list of changes up to this number any more; the list is bounded anyway.
  Status forget_changes(uint64_t up_to);
  // As inode() and content(), an answer for each number in their order, at less cost: for listings.
  Result<std::vector<std::optional<InodeRecord>>> inodes(const std::vector<InodeNo>& numbers) const;
  Result<std::vector<std::optional<ContentRecord>>> contents(const std::vector<ContentNo>& numbers) const;

  // Called after each commit on the committing thread, without any lock held. Set before threads start.
  // `caught_up`, where given, waits until what the observer put off was done (a mount tells the kernel on
  // threads of its own).
  void add_observer(std::function<void(const Change&)> observer, std::function<void()> caught_up = nullptr);
  // Until the observers have done what the commits so far gave them to do (up to half a minute, behind a read
  // that waits for a remote), for whoever is about to say that something changed. Not under a lock, nor from
  // an operation of the mount.
  void wait_for_observers() const;
  // Called with contents erased by a committed transaction, to delete their files.
  void on_content_erased(std::function<void(ContentNo)> callback);

  Result<std::optional<std::string>> get(std::string_view key) const override;
  Status scan(std::string_view prefix, std::string_view from,
              const std::function<bool(std::string_view, std::string_view)>& fn) const override;

 private:
  friend class Transaction;
  struct State;
  explicit Catalog(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
