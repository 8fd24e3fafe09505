// A Remote that counts what passes through it, for `shoebox status`.
//
// Owned by SyncEngine. Threads: any, as Remote.
#pragma once

#include <atomic>
#include <memory>

#include "sync/remote/remote.h"

namespace shoebox {

struct RemoteCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> bytes_sent{0};
  std::atomic<uint64_t> bytes_received{0};
};

class CountedRemote final : public Remote {
 public:
  explicit CountedRemote(std::unique_ptr<Remote> remote) : remote_(std::move(remote)) {}
  [[nodiscard]] const RemoteCounters& counters() const { return counters_; }
  // From now on every call fails with kUnavailable: the remote left the settings. What runs goes on.
  void close() { closed_ = true; }
  // For what is not counted, nor closed: keeping the lease.
  Remote& uncounted() { return *remote_; }

  [[nodiscard]] const std::string& name() const override { return remote_->name(); }
  Status check(const RequestContext& context) override;
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override;
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override;
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override;
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override;
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  Status remove(const std::string& key, const RequestContext& context) override;
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override;

 private:
  [[nodiscard]] Status open() const;

  std::unique_ptr<Remote> remote_;
  RemoteCounters counters_;
  std::atomic<bool> closed_{false};
};

}  // namespace shoebox
