// A Remote that lets a write through only while this library owns the place (OwnerLease): whoever writes,
// moves or removes objects gets this one. Reads pass.
//
// Owned by SyncEngine. Threads: any, as Remote. Writes fail with kReadOnly where another one owns it, and
// with kUnavailable where that cannot be told; one that is under way is broken off when the lease is over.
#pragma once

#include "sync/remote/remote.h"

namespace shoebox {

class OwnerLease;

class LeasedRemote final : public Remote {
 public:
  LeasedRemote(Remote& remote, OwnerLease& lease) : remote_(remote), lease_(lease) {}

  [[nodiscard]] const std::string& name() const override { return remote_.name(); }
  Status check(const RequestContext& context) override { return remote_.check(context); }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override;
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override {
    return remote_.stat(key, context);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override {
    return remote_.get(key, range, etag, sink, context);
  }
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override {
    return remote_.list(prefix, next, context);
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  Status remove(const std::string& key, const RequestContext& context) override;
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override;
  // Whether a write would be let through now; asks, as one would.
  Status may_write(const RequestContext& context);

 private:
  Remote& remote_;
  OwnerLease& lease_;
};

}  // namespace shoebox
