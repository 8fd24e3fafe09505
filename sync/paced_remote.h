// A Remote whose transfers keep to the bandwidth that the owner allows, all of them together: what works
// in the background (uploads, the backup of the catalog, tidying, verifying) talks through this one. Who
// reads a photo does not wait for it: the fetcher has the remote below.
//
// Time that the limit takes is added to the deadline of a call.
//
// Owned by SyncEngine. Threads: any, as Remote.
#pragma once

#include <optional>

#include "store/policy_settings.h"
#include "sync/remote/remote.h"

namespace shoebox {

class PacedRemote final : public Remote {
 public:
  // `remote` outlives this. `sharers`: calls that may run at once.
  PacedRemote(Remote& remote, const Clock& clock, const UploadPolicy& policy, uint32_t sharers);

  // Bytes a second, of what is sent, when something is held back by it now; else 0. Of what is read when
  // only that holds.
  [[nodiscard]] uint64_t holding_bytes_s() const;

  [[nodiscard]] const std::string& name() const override { return remote_.name(); }
  Status check(const RequestContext& context) override { return remote_.check(context); }
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override;
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override {
    return remote_.stat(key, context);
  }
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override;
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override {
    return remote_.list(prefix, next, context);
  }
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  Status remove(const std::string& key, const RequestContext& context) override {
    return remote_.remove(key, context);
  }
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override {
    return remote_.remove_leftovers(key, given_up, context);
  }

 private:
  [[nodiscard]] RequestContext paced(const RequestContext& context, uint64_t up, uint64_t down);

  Remote& remote_;
  const uint32_t sharers_;
  std::optional<Pace> up_, down_;
};

}  // namespace shoebox
