// What the parts of Files share: the table of open inodes and what is known of each.
//
// Lock order: OpenInode::write_mutex, hash_mutex, Turn, OpenInode::mutex, the catalog's writer lock;
// Files::State::mutex is taken last and alone. write_mutex is held over I/O on the local disk, by
// those who change the bytes of that one inode (and over the fetch that a first change may need);
// readers and getattr never take it. hash_mutex is held while bytes are hashed that were just written
// and acknowledged, and goes from one write to the next in their order, being taken under write_mutex.
// A Turn is the right to write the inode's record: commits and the last step of sealing exclude each
// other by it. `mutex` is held over memory only, and never while data is synced or a callback runs.
#pragma once

#include <atomic>
#include <chrono>
#include <limits>
#include <optional>
#include <unordered_map>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"
#include "store/files_queue.h"

namespace shoebox {

// A descriptor to read sealed bytes from. Shared with replies that are being sent.
struct Backing {
  UniqueFd fd;
  ContentNo content;
  bool complete = false;    // every byte of fd may be read
  bool cut_short = false;   // by the disk, and nobody else has the rest: what lies beyond its end is an error
  uint64_t generation = 0;  // ContentStore::generation() when opened
};

struct OpenInode {
  explicit OpenInode(InodeNo number) : inode(number) {}
  const InodeNo inode;

  Mutex write_mutex;
  std::atomic<uint32_t> waiting_to_write{0};  // a seal that hashes gives way to them

  Mutex hash_mutex;
  BlockHasher hasher GUARDED_BY(hash_mutex);  // of the first hasher.size() bytes, unchanged since
  void forget_hash() {
    MutexLock lock(hash_mutex);
    hasher = BlockHasher();
  }

  Mutex mutex;
  ConditionVariable turn_over;
  bool turn_taken GUARDED_BY(mutex) = false;
  bool loaded GUARDED_BY(mutex) = false;
  std::atomic<uint64_t> content{0};                           // ContentNo; written under `mutex`
  std::shared_ptr<const UniqueFd> staging GUARDED_BY(mutex);  // open for writing; null: not being written
  std::shared_ptr<const Backing> backing GUARDED_BY(mutex);   // for reading when not staging
  uint64_t size GUARDED_BY(mutex) = 0;
  Timestamp mtime GUARDED_BY(mutex);
  Timestamp ctime GUARDED_BY(mutex);
  bool mtime_given GUARDED_BY(mutex) = false;               // by utimens since the last write
  uint64_t epoch GUARDED_BY(mutex) = 0;                     // grows with each change
  uint64_t committed_epoch GUARDED_BY(mutex) = 0;           // of the last commit
  std::optional<uint64_t> durable_epoch GUARDED_BY(mutex);  // of the last commit that was synced
  std::optional<uint64_t> synced_epoch GUARDED_BY(mutex);   // of the last one that synced the staging file
  uint32_t failed_seals GUARDED_BY(mutex) = 0;
  // Somebody came to seal while a handle was open: the last release must come again, though it only read.
  bool seal_wanted GUARDED_BY(mutex) = false;

  // Guarded by Files::State::mutex.
  uint32_t refs = 0;  // handles, and calls and jobs at work; at 0 the entry goes
  uint32_t handles = 0;
  uint32_t writers = 0;
};

class FileHandle {
 public:
  FileHandle(std::shared_ptr<OpenInode> file, OpenFlags how) : open(std::move(file)), flags(how) {}
  const std::shared_ptr<OpenInode> open;  // shared by all handles of the inode
  const OpenFlags flags;
};

struct Files::State {
  explicit State(const Dependencies& dependencies) : deps(dependencies), queue(2) {}

  const Dependencies deps;
  ContentSource* source = nullptr;
  std::function<void(ContentNo)> sealed;
  std::function<Status(ContentNo, int, const Files::GoOn&)> known;
  std::function<void(ContentNo)> accessed;
  std::function<uint64_t(uint64_t)> disk_full;

  mutable Mutex mutex;
  std::unordered_map<InodeNo, std::shared_ptr<OpenInode>> table GUARDED_BY(mutex);

  static constexpr std::chrono::steady_clock::rep kNoEnd =
      std::numeric_limits<std::chrono::steady_clock::rep>::max();
  std::atomic<std::chrono::steady_clock::rep> seal_until{kNoEnd};  // set while commit_all() runs
  std::atomic<uint64_t> commits{0}, data_syncs{0}, seals{0}, hashed_again{0}, clones{0}, fetches{0},
      passed{0};
  SealQueue queue;  // last: its threads use the above

  // --- files_open.cpp
  Result<std::shared_ptr<OpenInode>> acquire(InodeNo inode);  // adds a ref
  void drop_ref(const std::shared_ptr<OpenInode>& open);
  [[nodiscard]] std::shared_ptr<OpenInode> find(InodeNo inode) const;
  [[nodiscard]] bool has_handles(const OpenInode& open) const;

  // --- files_read.cpp
  // A descriptor for the sealed content as it is now; kNotFound when the content moved: try again.
  Result<bool> is_cut_short(int fd, ContentNo content, uint64_t size) const;
  Result<std::shared_ptr<const Backing>> open_backing(OpenInode& open);
  struct Read;
  void read_step(const std::shared_ptr<Read>& read);

  // --- files_fetch.cpp
  void fetch_all(ContentNo content, CancelToken cancel, std::function<void(Status)> done);
  Status fetch_all_and_wait(ContentNo content);

  // --- files_write.cpp
  // The staging file of the inode, made (new, or a copy of the sealed bytes) when there is none.
  Result<std::shared_ptr<const UniqueFd>> ensure_staging(OpenInode& open) REQUIRES(open.write_mutex);
  Status resize(OpenInode& open, uint64_t size) REQUIRES(open.write_mutex);
  // Writes at `offset`, which it sets to the end when it shall append. Returns the file written to.
  Result<std::shared_ptr<const UniqueFd>> put_bytes(OpenInode& open, bool append, uint64_t& offset,
                                                    std::string_view bytes) REQUIRES(open.write_mutex);
  // True when room was made.
  bool make_room(const Status& why, uint64_t bytes) const;

  // --- files_commit.cpp
  Status commit(OpenInode& open, bool durable);
  [[nodiscard]] bool durable_at_close() const;

  // --- files_replace.cpp
  Status replace(OpenInode& open, const std::function<Status()>& change);

  // --- files_seal.cpp
  void post_finish(const std::shared_ptr<OpenInode>& open,
                   std::chrono::milliseconds delay);  // takes a ref over
  void finish(const std::shared_ptr<OpenInode>& open);
  void finish_unlinked(ContentNo content);
  Status seal(OpenInode& open);
  // Whether bytes that are known already are here, after on_known() was told. `synced`: those of `fd` are on
  // the platter, and are when it was told.
  Result<bool> known_is_whole(ContentNo content, const ContentHashes& hashes, int fd, bool& synced,
                              const Files::GoOn& go_on) const;
  // kBusy: it is not to be read on, as it was deleted, or as an unmount waits and its time for that is over.
  Status still_wanted(ContentNo content, uint64_t blocks_read) const;
  [[nodiscard]] bool ending() const { return seal_until.load() != kNoEnd; }
  [[nodiscard]] std::chrono::milliseconds seal_delay(InodeNo inode) const;
};

// Locks write_mutex and asks a seal that is hashing to give way.
class SCOPED_CAPABILITY WriteLock {
 public:
  explicit WriteLock(OpenInode& open) ACQUIRE(open.write_mutex) : open_(open) {
    ++open_.waiting_to_write;
    open_.write_mutex.lock();
    --open_.waiting_to_write;
  }
  ~WriteLock() RELEASE() { open_.write_mutex.unlock(); }
  WriteLock(const WriteLock&) = delete;
  WriteLock& operator=(const WriteLock&) = delete;

 private:
  OpenInode& open_;
};

// The right to write the inode's record.
class Turn {
 public:
  explicit Turn(OpenInode& open);
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  OpenInode& open_;
};

}  // namespace shoebox
