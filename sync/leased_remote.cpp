#include "sync/leased_remote.h"

#include "sync/owner_lease.h"

namespace shoebox {
namespace {

class Leave {
 public:
  explicit Leave(OwnerLease& lease) : lease_(lease) {}
  ~Leave() { lease_.leave(); }
  Leave(const Leave&) = delete;
  Leave& operator=(const Leave&) = delete;

 private:
  OwnerLease& lease_;
};

// Runs `write` under the lease.
template <typename Write>
auto under_lease(OwnerLease& lease, const RequestContext& context, const Write& write)
    -> decltype(write(context)) {
  if (const Status entered = lease.enter(context); !entered) return entered;
  const Leave leave(lease);
  RequestContext leased = context;
  leased.allowed = [&lease, &context] {
    const Status allowed = lease.allowed();
    return allowed && context.allowed ? context.allowed() : allowed;
  };
  return write(leased);
}

}  // namespace

Result<RemoteObject> LeasedRemote::put(const std::string& key, int fd, const PutOptions& options,
                                       const RequestContext& context) {
  return under_lease(lease_, context,
                     [&](const RequestContext& leased) { return remote_.put(key, fd, options, leased); });
}

Status LeasedRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  return under_lease(lease_, context,
                     [&](const RequestContext& leased) { return remote_.copy(from, to, leased); });
}

Status LeasedRemote::remove(const std::string& key, const RequestContext& context) {
  return under_lease(lease_, context,
                     [&](const RequestContext& leased) { return remote_.remove(key, leased); });
}

Result<uint64_t> LeasedRemote::remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                                const RequestContext& context) {
  return under_lease(lease_, context, [&](const RequestContext& leased) {
    return remote_.remove_leftovers(key, given_up, leased);
  });
}

Status LeasedRemote::may_write(const RequestContext& context) {
  return under_lease(lease_, context, [](const RequestContext&) { return Status::ok(); });
}

}  // namespace shoebox
