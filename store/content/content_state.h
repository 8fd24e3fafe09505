// What the parts of ContentStore share: paths, the table of partial contents that are in use, and
// the claims by which the steps that move a content between folders exclude each other.
//
// Lock order: Claim, load_mutex, table_mutex, Partial::mutex, fetched_mutex. The catalog's writer lock is
// never taken under one of the mutexes. load_mutex is held over opening and renaming one file; the others
// over memory only. A Claim is held over I/O: only movers of the same content wait.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "store/base/mutex.h"
#include "store/catalog/records.h"
#include "store/content/block_set.h"
#include "store/content/content_store.h"

namespace shoebox {

// A content of which some pages are here, while somebody reads or fetches it. Shared by the table
// and by the calls at work on it.
struct Partial {
  Partial(ContentNo number, UniqueFd file, BlockSet set, std::vector<ContentHash> blocks,
          const ContentRecord& record, bool is_elsewhere = false)
      : content(number),
        fd(std::move(file)),
        elsewhere(is_elsewhere),
        adopted(record.state == ContentState::kAdopted),
        hashes(std::move(blocks)),
        sha256(record.sha256),
        pages(std::move(set)) {}

  const ContentNo content;
  const UniqueFd fd;     // read and write
  const bool elsewhere;  // a copy without a name beside a disk that takes no writes: goes with the entry
  const bool adopted;    // no hashes were known when it was opened
  const std::vector<ContentHash> hashes;
  const ContentHash sha256;
  Mutex mutex;
  BlockSet pages GUARDED_BY(mutex);
  uint64_t unsaved_bytes GUARDED_BY(mutex) = 0;  // marked since the bitmap file was written
  bool completing GUARDED_BY(mutex) = false;
  bool retired GUARDED_BY(mutex) = false;  // became an object, or is gone: look it up again
};

// Pages that may be lost to a crash, to be fetched again: few enough to be cheap to repeat,
// enough that the bitmap's fsync does not slow a fetch down.
inline constexpr uint64_t kSaveEveryBytes = 32 << 20;
// Room that an eviction may use when the disk is full: it writes the head, the tail and the list of
// blocks before it frees anything.
inline constexpr uint64_t kReserveBytes = 1 << 20;
inline constexpr const char* kReserveFile = "reserve";
// Staging files made at once, so that one fsync of the folder serves them all: it costs about what
// the fsync of a small file costs, and making an empty file costs a hundredth of it.
inline constexpr size_t kNamesAhead = 32;
// Partial contents held open at once.
inline constexpr size_t kMaxOpenPartials = 256;

// Contents whose erasure was committed; their files go once it is durable.
struct ErasedQueue {
  Mutex mutex;
  ConditionVariable changed;
  std::vector<ContentNo> contents GUARDED_BY(mutex);
  bool removing GUARDED_BY(mutex) = false;
  bool stopping GUARDED_BY(mutex) = false;
};

class Claim;

struct ContentStore::State {
  State(std::string library, Catalog& of) : root(std::move(library)), catalog(of) {}

  const std::string root;
  Catalog& catalog;
  HashedCallback hashed;  // set before threads start
  std::atomic<int64_t> total_bytes{0};
  std::atomic<uint64_t> generation{0};

  Mutex load_mutex;  // one at a time opens, creates or renames a partial file
  std::unordered_set<ContentNo> replacing GUARDED_BY(load_mutex);  // see ContentStore::replace_bytes()
  ConditionVariable replaced;
  Mutex table_mutex;
  std::unordered_map<ContentNo, std::shared_ptr<Partial>> table GUARDED_BY(table_mutex);

  Mutex durable_mutex;
  std::unordered_set<ContentNo> durable_names GUARDED_BY(durable_mutex);  // in staging/
  // Empty files in staging/ whose names are durable: numbers to give, and numbers given whose file
  // nobody took yet. A crash leaves them; recover() takes empty files without a record away.
  std::deque<ContentNo> ahead GUARDED_BY(durable_mutex);
  std::unordered_set<ContentNo> ahead_given GUARDED_BY(durable_mutex);

  // Of partial contents, what is here beyond kept_ranges(); those that have nothing are not in it.
  mutable Mutex fetched_mutex;
  std::unordered_map<ContentNo, uint64_t> fetched GUARDED_BY(fetched_mutex);
  // `present` bytes of a content of `size` are in partial/ now.
  void note_partial(ContentNo content, uint64_t size, uint64_t present);

  Mutex claim_mutex;
  ConditionVariable claim_freed;
  std::unordered_set<ContentNo> claimed GUARDED_BY(claim_mutex);

  // Shared with the catalog's callback, which outlives this store.
  const std::shared_ptr<ErasedQueue> erased = std::make_shared<ErasedQueue>();
  std::thread remover;

  [[nodiscard]] std::string staging(ContentNo content) const;
  [[nodiscard]] std::string object_folder(ContentNo content) const;
  [[nodiscard]] std::string object(ContentNo content) const;
  [[nodiscard]] std::string partial(ContentNo content) const;
  [[nodiscard]] std::string blocks(ContentNo content) const;
  [[nodiscard]] std::string partial_tmp(ContentNo content) const;

  // The record, or kNotFound.
  Result<ContentRecord> record(ContentNo content) const;
  Status make_object_folder(ContentNo content) const;

  // --- content_staging.cpp
  // Empty staging files for numbers to come; as many as can be made.
  std::vector<ContentNo> make_names_ahead();
  void remove_names_ahead();

  // --- partial_table.cpp
  // Null when the content is an object now. Makes an empty partial file where there is none.
  Result<std::shared_ptr<Partial>> open_partial(ContentNo content);
  // For who holds a Claim, which a replacement waits for: kBusy while the bytes are being replaced.
  Result<std::shared_ptr<Partial>> open_partial_claimed(ContentNo content);
  // kBusy: its record was replaced meanwhile, or is being replaced and nobody shall `wait` for that.
  Result<std::shared_ptr<Partial>> try_open_partial(ContentNo content, bool wait);
  Status take_cut_object(ContentNo content, const ContentRecord& record) const REQUIRES(load_mutex);
  Result<std::vector<ContentHash>> recorded_blocks(ContentNo content, const ContentRecord& of) const;
  [[nodiscard]] std::shared_ptr<Partial> find_partial(ContentNo content);
  // content_replace.cpp
  void wait_replaced(ContentNo content) REQUIRES(load_mutex);
  // Forgets the entry; REQUIRES load_mutex.
  void retire(ContentNo content) REQUIRES(load_mutex);
  // Data first, then the bitmap. REQUIRES a Claim on the content.
  Status save(Partial& partial);
  // Blocks of `fd` that equal their hashes.
  static Result<BlockSet> verified_blocks(int fd, uint64_t size, const std::vector<ContentHash>& hashes);
  void prune();

  // --- content_fetch.cpp
  Status complete(const std::shared_ptr<Partial>& partial);
  Status complete_claimed(const std::shared_ptr<Partial>& partial);
  // Whether the bytes at `path` are the ones whose hashes are recorded; drops the blocks that are not.
  Result<bool> as_recorded(Partial& entry, const std::string& path);
  // Makes the catalog say where the bytes are.
  Status set_residence(ContentNo content, Residence residence);

  // --- content_adopt.cpp
  // The hashes of adopted bytes are known: into the catalog. REQUIRES a Claim on the content.
  Status record_hashes(ContentNo content, ContentHashes hashes, Residence residence);

  // --- content_evict.cpp
  Status evict(ContentNo content, const EvictionCheck& check);
  // One of those that leave together.
  struct Leaving {
    size_t index;  // of its outcome
    ContentNo content;
    uint64_t frees;
    std::unique_ptr<Claim> claim;  // null: the caller has it
  };
  void leave(std::vector<Leaving>& leaving, const EvictionCheckOf& check, std::vector<Status>& done);
  // Of `contents` those from `begin` to `end`; what is to be evicted by itself goes into `alone`.
  void evict_together(const std::vector<ContentNo>& contents, size_t begin, size_t end,
                      const EvictionCheckOf& check, std::vector<Status>& done, std::vector<size_t>& alone);
  // Whether it is an object of which more than head and tail is here.
  static bool leaves_whole(const ContentRecord& now);
  // Returns how many bytes stay. REQUIRES a Claim on the content, as the steps after it do.
  Result<uint64_t> write_kept(ContentNo content, const ContentRecord& now, bool synced);
  [[nodiscard]] Status place_kept(ContentNo content) const;
  static Status let_go(Transaction& transaction, ContentNo content, const EvictionCheckOf& check);
  Status drop_object(ContentNo content, uint64_t frees);
  void withdraw_eviction(ContentNo content);
  // What was fetched of a partial content beyond kept_ranges() goes. REQUIRES a Claim on the content.
  Status trim(ContentNo content, const ContentRecord& now, const EvictionCheck& check);
  Status keep_reserve() const;

  // --- content_remove.cpp
  Status remove_files(ContentNo content);
  // Whose erasure is in the catalog and whose files may be left.
  [[nodiscard]] Result<std::vector<ContentNo>> erased_before() const;
  Status note_gone(const std::vector<ContentNo>& contents);
  void run_remover();
};

// The exclusive right to move the files of one content.
class Claim {
 public:
  Claim(ContentStore::State& state, ContentNo content);
  // Null: somebody has it.
  static std::unique_ptr<Claim> unless_taken(ContentStore::State& state, ContentNo content);
  ~Claim();
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

 private:
  struct Taken {};
  Claim(ContentStore::State& state, ContentNo content, Taken /*by the caller*/)
      : state_(state), content_(content) {}
  ContentStore::State& state_;
  ContentNo content_;
};

// Size of a file, or -1 when it is not there.
int64_t file_size(const std::string& path);
bool exists(const std::string& path);
// Copies `range` between files at equal offsets.
Status copy_range(int from, int to, ByteRange range);
// The parts of `range` that `pages` holds.
std::vector<ByteRange> present_parts(const BlockSet& pages, ByteRange range);

}  // namespace shoebox
