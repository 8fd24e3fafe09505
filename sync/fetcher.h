// Brings blocks of evicted contents back: what a read misses, and what readahead adds to it.
//
// Owned by SyncEngine. fetch() never blocks: it looks at the local disk, joins what is on its way
// and queues the rest; worker threads move the bytes, and one thread watches deadlines, cancelled
// waiters and stalled transfers. Every block is verified by ContentStore::store_block before anyone
// hears of it. Lock order: Fetcher's mutex is a leaf; no callback runs while it is held.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/clock.h"
#include "store/content/content_source.h"
#include "sync/backoff.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Remote;

class Fetcher final : public ContentSource {
 public:
  struct Options {
    size_t threads = 8;
    // Below the 30 s that a read may take, so that the answer still arrives in time.
    std::chrono::milliseconds deadline{29'000};
    // A transfer that brings nothing for so long is broken off, in time to ask another remote.
    std::chrono::milliseconds stall{10'000};
    // How long a remote counts as offline, and a content as bad, after it failed.
    std::chrono::milliseconds offline{5'000};
    std::chrono::milliseconds bad{10'000};
    Backoff backoff{.base_s = 0.2, .cap_s = 2};
  };
  Fetcher(Catalog& catalog, ContentStore& contents, const Clock& clock, Options options);
  ~Fetcher() override;  // stop()

  // Reads go to the one that answers fastest; before that is known, in this order. At any time.
  void add_remote(std::shared_ptr<Remote> remote);
  void add_remote(Remote& remote);  // that outlives this
  // Nothing is read there any more: what is on its way is broken off and asked of another one. A request may
  // end a moment later, and keeps the remote until then.
  void remove_remote(const std::string& name);
  // Brings them into this order; others come behind.
  void order_remotes(const std::vector<std::string>& names);
  // Evicts until about so many bytes are free; returns the bytes freed. Before start().
  void on_disk_full(std::function<uint64_t(uint64_t bytes_wanted)> callback);
  // The remote plainly has no such object although the catalog says so. Before start().
  void on_copy_missing(
      std::function<void(ContentNo, const std::string& remote, const std::string& key)> callback);
  // It has it, of which that was told. Before start().
  void on_copy_found(std::function<void(ContentNo, const std::string& remote)> callback);
  void start();
  // Whoever waits gets kUnavailable.
  void stop();

  void fetch(ContentNo content, ByteRange range, CancelToken cancel,
             std::function<void(Status)> done) override;
  void found(ContentNo content, ByteRange range) override;

  [[nodiscard]] bool online(const std::string& remote) const;
  [[nodiscard]] std::string last_error(const std::string& remote) const;
  [[nodiscard]] int64_t last_error_s(const std::string& remote) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
