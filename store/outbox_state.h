// The inside of Outbox, shared by its .cpp files: totals and keys in memory, and the rules by which a
// content belongs into the queue.
#pragma once

#include <atomic>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/outbox.h"
#include "store/wanted_keys.h"

namespace shoebox {

// Who works at a key. An upload and a tidying step of one content are not the same.
struct KeyClaim {
  enum class Work : uint8_t { kUpload, kMove, kRemove, kSidecar };
  Work work = Work::kUpload;
  ContentNo content;  // none: kRemove; kSidecar: of the original
  std::string key;    // as it is spelled; claims are by the folded key where the remote may fold
  auto operator<=>(const KeyClaim&) const = default;
};

// Whether a remote takes two spellings of a key for one object (KeyLimits::folds: it may).
struct Folding {
  std::optional<bool> known;
  bool wanted = false;   // something waits for the answer
  bool probing = false;  // a step that finds out was given out
  uint32_t attempts = 0;
  int64_t not_before_s = 0;
};

// Rows a transaction puts at most, so that writers need not wait long.
inline constexpr size_t kOutboxBatchRows = 200;

enum class Naming { kReal, kJunk };
// Junk: it has names and all of them are junk or temporary. What lost its last name is no junk.
Result<Naming> naming_of(const CatalogReader& reader, ContentNo content);

// The first step among rows that have their turn one after the other, so that some that fail do not keep the
// others from it: those behind `after`, then those up to it. `walk` calls what it is given with each row from
// a position on, as Catalog::for_each_tidy(); `plan` makes a step of a row, or none.
template <typename Step, typename Position, typename Walk, typename Plan>
Result<std::optional<Step>> first_in_turn(const Position& after, const Walk& walk, const Plan& plan) {
  std::optional<Step> step;
  for (const bool again : {false, true}) {
    Status failure;
    SHOEBOX_TRY(walk(again ? Position() : after, [&](const auto& at, const auto&... row) {
      if (again && at > after) return false;
      auto planned = plan(at, row...);
      if (planned) {
        step = std::move(*planned);
      } else {
        failure = planned.status();
      }
      return failure.is_ok() && !step;
    }));
    SHOEBOX_TRY(failure);
    if (step || after == Position()) break;
  }
  return step;
}

struct Outbox::State {
  State(Catalog& c, ContentStore& s, Tree& t, const Clock& k) : catalog(c), contents(s), tree(t), clock(k) {}

  Catalog& catalog;
  ContentStore& contents;
  Tree& tree;
  const Clock& clock;
  std::vector<std::function<void()>> wakes;  // set before threads start

  // Totals as the catalog has them, kept by the observer: status asks often.
  struct Queue {
    std::unordered_map<ContentNo, uint64_t> pending;  // with the size
    uint64_t pending_bytes = 0;
    std::unordered_set<ContentNo> damaged;  // of these
    uint64_t confirmed_files = 0, confirmed_bytes = 0;
    std::string last_error;
    ContentNo error_of;
    std::unordered_map<std::string, KeyClaim> claims;  // keys given out and not confirmed yet
    Folding folding;
    std::unordered_set<ContentNo> sending;  // between sending() and ended()
    ContentNo tidied;                       // where next_tidy() goes on among contents
    std::string loosened;                   // and among loose objects
    PhotoId sidecar;                        // where next_sidecar() goes on
    // Loose objects that wait until the backup of the catalog has the change that was the last when they
    // were first seen.
    std::unordered_map<std::string, uint64_t> unbacked;
    bool awaits_backup = false;  // as next_tidy() found, asked last
  };
  mutable Mutex mutex;  // leaf: only the catalog is read while it is held
  std::map<std::string, KeyLimits> key_limits GUARDED_BY(mutex);
  std::map<std::string, std::function<uint64_t()>> backed_up GUARDED_BY(mutex);
  std::map<std::string, Queue> queues GUARDED_BY(mutex);
  std::optional<std::unordered_set<InodeNo>> kept_here GUARDED_BY(mutex);  // once somebody asked
  std::vector<std::string> served GUARDED_BY(mutex);  // remotes whose contents must have jobs

  std::vector<std::function<void()>> tidy_wakes;     // set before threads start
  std::vector<std::function<void()>> sidecar_wakes;  // set before threads start
  std::atomic<bool> folders_moved{true};             // perhaps

  [[nodiscard]] KeyLimits limits_of(const std::string& remote) const;
  void load();
  void observe(const Change& change);
  void count(const Change& change);
  // A spoiled version: its upload stays, so that nobody takes these bytes for good ones, and is not told of.
  void count_no_more(const std::string& remote, ContentNo content);
  void ensure_jobs(ContentNo content);
  // A name of this file came or went.
  void note_kept_here(InodeNo inode);
  Status look_kept_here(InodeNo inode) REQUIRES(mutex);
  // False: none is queued (confirmed or deleted since).
  Result<bool> change_job(ContentNo content, const std::string& remote,
                          const std::function<void(UploadJob&)>& change);
  [[nodiscard]] bool serves(const std::string& remote) const;
  // nullopt: the key is about to become free; ask again.
  Result<std::optional<std::string>> choose_key(const std::string& remote, ContentNo content,
                                                const ContentHash& sha256);
  // Who has the key while it works there: the one that asks when nobody had.
  KeyClaim claim(const std::string& remote, KeyClaim wanted);
  // The same by its claim_name(); and whether nobody had it.
  std::pair<KeyClaim, bool> put_claim(const std::string& remote, std::string name, KeyClaim wanted)
      REQUIRES(mutex);
  [[nodiscard]] std::string claim_name(const std::string& remote, const std::string& key) const;
  // True: `remote` is known to fold keys. Else whoever met two spellings has to wait, and a probe is asked
  // for if need be.
  bool folds(const std::string& remote);
  // Whether a copy belongs where it stands. In doubt: only if another spelling of its key is the same object
  // there; then a probe is asked for.
  enum class Stays : uint8_t { kNo, kYes, kInDoubt };
  Result<Stays> stays(const std::string& remote, const KeyHolder& holder);
  void release_claims(const std::string& remote, ContentNo content);
  void release_key(const std::string& remote, const std::string& key);

  // outbox_tidy.cpp
  struct Plan {
    const std::string& remote;
    bool hurry;
    const std::function<bool(ContentNo)>& skip;
    int64_t due_s = 0;             // the earliest back-off met
    std::vector<ContentNo> chain;  // contents whose keys wait for each other
    [[nodiscard]] bool waits(int64_t not_before_s, int64_t now_s);
  };
  Result<std::optional<TidyStep>> next_probe(Plan& plan);
  void end_probe(const std::string& remote, const std::string& key, std::optional<bool> folds,
                 int64_t not_before_s);
  Result<bool> unbacked(const std::string& remote, const std::string& key);
  Result<std::optional<TidyStep>> next_loose(Plan& plan);
  Result<std::optional<TidyStep>> take_loose(Plan& plan, const std::string& key, const LooseObject& object);
  Result<std::optional<TidyStep>> next_move(Plan& plan);
  Result<std::optional<TidyStep>> plan_move(Plan& plan, ContentNo content);
  Status settle(const std::string& remote, ContentNo content);
  // outbox_sidecars.cpp
  Result<std::optional<SidecarStep>> plan_sidecar(Plan& plan, PhotoId photo, const TidyRecord& mark);
  Status let_sidecar_go(Transaction& txn, const std::string& remote, PhotoId photo);
  enum class SidecarThere : uint8_t { kNone, kLeaving, kStays };
  // Whether one stands at a key that an original is to have.
  Result<SidecarThere> sidecar_at(const std::string& remote, const std::string& key);
  // Whether one stands under another spelling of `key`.
  Result<bool> sidecar_spelled(const std::string& remote, std::string_view key);
  Status walk_moved_folders();
  Status walk(InodeNo folder);
  [[nodiscard]] int64_t now_s() const { return clock.now().seconds; }
};

}  // namespace shoebox
