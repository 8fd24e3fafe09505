// The inside of Outbox, shared by its .cpp files: totals and keys in memory, and the rules by which a
// content belongs into the queue.
#pragma once

#include <map>
#include <unordered_map>

#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/outbox.h"

namespace shoebox {

// Rows a transaction puts at most, so that writers need not wait long.
inline constexpr size_t kOutboxBatchRows = 200;

enum class Naming { kReal, kJunk };
// Junk: it has names and all of them are junk or temporary. What lost its last name is no junk.
Result<Naming> naming_of(const CatalogReader& reader, ContentNo content);

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
    uint64_t confirmed_files = 0, confirmed_bytes = 0;
    std::string last_error;
    ContentNo error_of;
    std::unordered_map<std::string, ContentNo> claims;  // keys given out and not confirmed yet
  };
  std::map<std::string, KeyLimits> key_limits;  // set before threads start
  Mutex mutex;                                  // leaf: only the catalog is read while it is held
  std::map<std::string, Queue> queues GUARDED_BY(mutex);
  std::vector<std::string> served GUARDED_BY(mutex);  // remotes whose contents must have jobs

  void load();
  void observe(const Change& change);
  void count(const Change& change);
  void ensure_jobs(ContentNo content);
  Result<std::string> choose_key(const std::string& remote, ContentNo content, const ContentHash& sha256);
  bool claim(const std::string& remote, const std::string& key, ContentNo content);
  void release_claims(const std::string& remote, ContentNo content);
  [[nodiscard]] int64_t now_s() const { return clock.now().seconds; }
};

}  // namespace shoebox
