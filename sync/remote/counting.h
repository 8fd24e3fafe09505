// Counts what goes over a remote, for `shoebox status` and for tests that promise few requests.
// Wraps any remote; the counters may be read from any thread at any time.
#pragma once

#include <atomic>
#include <memory>

#include "sync/remote/remote.h"

namespace shoebox {

struct RemoteCounts {
  std::atomic<uint64_t> requests{0};        // round trips, also those that failed
  std::atomic<uint64_t> bytes_sent{0};      // of objects, as they go
  std::atomic<uint64_t> bytes_received{0};  // of objects
};

class CountingRemote final : public Remote {
 public:
  // `counts` outlives this.
  CountingRemote(std::unique_ptr<Remote> inner, RemoteCounts& counts)
      : inner_(std::move(inner)), counts_(counts) {}

  [[nodiscard]] const std::string& name() const override { return inner_->name(); }
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

 private:
  template <typename Call>
  auto counted(const RequestContext& context, Call call);

  const std::unique_ptr<Remote> inner_;
  RemoteCounts& counts_;
};

}  // namespace shoebox
