// Makes room: turns complete local originals into partial ones, oldest access first, and only
// those that promise 2 lets go: sealed, confirmed on `copies` remotes, no upload job, not pinned,
// not open, kind known; and while a copy can be fetched back.
//
// Owned by Library. One thread keeps the cache limit; evict calls come from any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/live_settings.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Files;

class Evictor {
 public:
  struct Dependencies {
    Catalog& catalog;
    ContentStore& contents;
    Files& files;
    SettingsView settings;
    const Clock& clock;
    std::string library_path;
  };
  explicit Evictor(const Dependencies& dependencies);
  ~Evictor();
  // Why a remote cannot be read from at this moment, as far as is known; empty: nothing is known against it.
  // An original whose copies are on such remotes only stays: nobody could read it. Asked on any thread,
  // outside of transactions. Set before start().
  void ask_remotes(std::function<std::string(const std::string& remote)> trouble_of);
  void start();
  void stop();
  void wake();  // something grew or was confirmed

  struct Outcome {
    uint64_t evicted = 0;
    uint64_t freed_bytes = 0;
    std::vector<std::pair<ContentNo, std::string>> kept;  // with the reason
  };
  // Evicts one content if promise 2 allows; the Status says why not (kBusy).
  Status evict(ContentNo content);
  // Many at a time (ContentStore::kEvictTogether of a long list, so that the caller can tell how far it is).
  // What came of each.
  std::vector<Status> evict(const std::vector<ContentNo>& contents);
  // Oldest first until `bytes` are free or nothing is left.
  Outcome make_room(uint64_t bytes);
  // All that may go and were not read since `older_than_s` seconds ago (0: all).
  Outcome evict_all(int64_t older_than_s, const std::function<void(uint64_t done, uint64_t total)>& progress);
  // Bytes that make_room() could free now, as counted last: what programs that look before they copy
  // may take for free. Counted in the background after changes; what was evicted since is taken off.
  [[nodiscard]] uint64_t evictable_bytes() const;
  // Free bytes of the disk that no photo gets, as the catalog needs them.
  [[nodiscard]] uint64_t kept_free_bytes() const;
  // Counts them now. Reads the records of all contents.
  Result<uint64_t> count_evictable();
  void changed();  // contents or copies changed: the count is old
  Status pin(ContentNo content, bool pinned);
  void touched(ContentNo content);  // read now; kept in memory, written now and then

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
