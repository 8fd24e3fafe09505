// The bytes on this disk: staging/ (being written), objects/ (sealed, whole) and partial/
// (sealed, some blocks). Knows files and block hashes; names and photos are the catalog's.
//
// Threads: every function from any thread. Local disk only; never waits for a remote.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class CatalogReader;
struct ContentRecord;
enum class Residence : uint8_t;

// Looks at a content inside the transaction that will let it leave, and may refuse.
using EvictionCheck = std::function<Status(const CatalogReader&, const ContentRecord&)>;

using EvictionCheckOf = std::function<Status(ContentNo content, const CatalogReader&, const ContentRecord&)>;

// Told the hashes of adopted bytes once somebody read all of them; writes them to the catalog, where the
// content may give way to one with equal bytes.
using HashedCallback = std::function<Status(ContentNo, const ContentHashes&, Residence)>;

// Head and tail of an original that stay on this disk after eviction, so that EXIF readers and
// media probes cost no request. The kernel asks for whole pages: the tail starts on a page.
inline constexpr uint64_t kHeadBytes = 128 * 1024;
inline constexpr uint64_t kTailBytes = 64 * 1024;
inline constexpr uint64_t kKeepWholeBytes = 256 * 1024;
// The ranges that eviction keeps of a content of `size` bytes (one range when all is kept).
std::vector<ByteRange> kept_ranges(uint64_t size);

class ContentStore {
 public:
  // `library` is LIBRARY/; makes the folders that are missing. Deletes the files of contents that
  // the catalog erased (Catalog::on_content_erased) by itself, once the erasure is durable.
  static Result<std::unique_ptr<ContentStore>> open(const std::string& library, Catalog& catalog);
  ~ContentStore();

  // --- writing
  // A number for bytes that shall be staged. Takes the catalog's writer lock unless a name was made
  // ahead (below); the record that will name the content persists the counter with it.
  ContentNo new_staging_no();
  // kNoSpace: what is free of the disk the catalog must have, so that the library can be mounted again.
  [[nodiscard]] Status room_for(uint64_t bytes) const;
  // A new empty staging file; sync_staging() makes its directory entry durable, where it is not.
  Result<UniqueFd> create_staging(ContentNo content);
  Result<UniqueFd> open_staging(ContentNo content, int flags);
  // Copies a sealed local content into a new staging file (reflink where the disk can).
  Result<UniqueFd> clone_to_staging(ContentNo from, ContentNo to);
  // fdatasync of the file and, where its directory entry is not durable yet, fsync of the folder.
  // That fsync serves some names more, which are made just before it for the next files.
  Status sync_staging(ContentNo content, int fd);
  // Moves staging/N to objects/; REQUIRES no writer. Idempotent. The bytes are durable when it
  // returns (`synced`: they are already); a power cut may still show them in staging/, where
  // recover() finds them.
  Status seal(ContentNo content, bool synced = false);

  // --- reading
  // A read-only fd of a complete local content (staging or object).
  Result<UniqueFd> open_local(ContentNo content) const;
  // A read-only fd of partial/N; absent ranges read as holes: ask missing() first.
  Result<UniqueFd> open_partial(ContentNo content) const;
  // Parts of `range` that are not on this disk, widened to blocks. Empty: all is there, in any fd
  // that open_partial() gave before.
  Result<std::vector<ByteRange>> missing(ContentNo content, ByteRange range) const;
  // Bytes of this content that are on this disk; holes of a sparse file count.
  Result<uint64_t> local_bytes(ContentNo content) const;
  // Bytes of a partial content beyond kept_ranges(), which evict() would free. From memory.
  [[nodiscard]] uint64_t fetched_bytes(ContentNo content) const;
  // What its files occupy, for st_blocks. `record`: as the catalog has it.
  [[nodiscard]] uint64_t disk_bytes(ContentNo content, const std::optional<ContentRecord>& record) const;

  // --- adopting: bytes that stand on a remote and whose hashes nobody knows (ContentState::kAdopted).
  // Whoever stores blocks of one has asked for them under its ETag.
  // Stores parts of a content of `size` bytes that has no record yet. sync_adopted() makes those of many
  // durable, and objects of those that are whole. remove() takes back what gets no record.
  struct Part {
    uint64_t offset = 0;
    std::string bytes;
  };
  Status put_adopted(ContentNo content, uint64_t size, const std::vector<Part>& parts);
  Status sync_adopted(const std::vector<ContentNo>& whole);
  // Somebody read all the bytes elsewhere, and these are their hashes. Ok when they are known already.
  Status adopted_hashes(ContentNo content, const ContentHashes& hashes);
  // Without it, hashes are written as they are and equal bytes stay two contents. Before recover().
  void on_hashed(HashedCallback callback);

  // --- fetching
  // Verifies block `index` against its recorded hash and stores it; it can be read from now on. kDataLoss:
  // the bytes are wrong and nothing was stored. Of adopted bytes nothing can be verified. settle_fetched()
  // is due after each.
  Status store_block(ContentNo content, uint64_t index, std::string_view bytes);
  // Asked before each block; with its error the call ends.
  using GoOn = std::function<Status(uint64_t blocks_read)>;
  // store_block() of all that is missing, read from an open file that has the same bytes, and
  // settle_fetched().
  Status fill(ContentNo content, int from, const GoOn& go_on = {});
  // Makes stored blocks durable once they are many, and a content that has them all an object: checks the
  // whole hash, or records the hashes of adopted bytes; waits for who is doing that already. Apart from
  // store_block(), as reading a large content again and syncing it takes seconds, which nobody who reads its
  // last block has to wait. Who needs the object calls it after a fetch.
  Status settle_fetched(ContentNo content);
  // Reads all local bytes again and drops blocks whose hash is wrong (kept if no remote has a copy, unless
  // the caller has all of the bytes: `fill_follows`); returns the number of rotten blocks.
  Result<uint64_t> discard_rotten(ContentNo content, bool fill_follows = false, const GoOn& go_on = {});

  // Makes the lists of fetched blocks durable, so that a crash costs no second fetch. For a thread
  // that comes by now and then.
  Status flush_partials();
  // Grows when bytes that an open fd of a local content shows turned out wrong: open it again.
  [[nodiscard]] uint64_t generation() const;

  // --- leaving
  // Turns a complete object into partial/ holding kept_ranges(), and lets go of a partial content what was
  // fetched beyond these; nothing to do for small ones. The caller has checked promise 2, or `check` does,
  // inside the transaction that lets it go.
  Status evict(ContentNo content);
  Status evict(ContentNo content, const EvictionCheck& check);
  // Originals that leave with the same syncs: enough that these cost little, few enough that their heads and
  // tails, which are written before anything goes, take some megabytes.
  static constexpr size_t kEvictTogether = 64;
  // Many, with few syncs for so many of them. What came of each.
  std::vector<Status> evict(const std::vector<ContentNo>& contents, const EvictionCheckOf& check);
  // Deletes whatever files there are. REQUIRES the erasure of its record to be durable, or that
  // there never was a record.
  Status remove(ContentNo content);
  // These numbers will mean other bytes than those that are here, which go: nobody may see them under the
  // record to come. Until what it returns is let go of, whoever opens one of them waits; the record is to be
  // committed by then.
  Result<std::shared_ptr<void>> replace_bytes(const std::vector<ContentNo>& contents);
  // Waits until the files of erased contents are gone. For tests and orderly ends.
  void drain_removals();

  // --- recovery
  // Moves staging files without a record to recovered/; finishes half-done seals and evictions.
  // Returns how many files went to recovered/.
  Result<uint64_t> recover();

  [[nodiscard]] uint64_t local_total_bytes()
      const;  // objects/ and partial/, for the cache limit; after recover()
  [[nodiscard]] const std::string& root() const;

  struct State;  // content_state.h, for the parts of this class only

 private:
  explicit ContentStore(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
