#include "sync/paced_remote.h"

#include <algorithm>

namespace shoebox {
namespace {

// Fair shares are what a limit gives on average.
constexpr uint64_t kSharesAllowed = 2;

std::chrono::seconds time_for(const std::optional<Pace>& pace, uint64_t bytes, uint64_t sharers) {
  if (!pace) return std::chrono::seconds(0);
  const uint64_t share = std::max<uint64_t>(1, pace->slowest_bytes_s() / (sharers * kSharesAllowed));
  return std::chrono::seconds(bytes / share + 1);
}

}  // namespace

PacedRemote::PacedRemote(Remote& remote, const Clock& clock, const UploadPolicy& policy, uint32_t sharers)
    : remote_(remote), sharers_(std::max<uint32_t>(1, sharers)) {
  if (policy.bandwidth.limits()) up_.emplace(clock, policy.bandwidth);
  const BandwidthPlan& down = policy.bandwidth_down ? *policy.bandwidth_down : policy.bandwidth;
  if (down.limits()) down_.emplace(clock, down);
}

uint64_t PacedRemote::holding_bytes_s() const {
  if (up_ && up_->holding()) return up_->bytes_s();
  return down_ && down_->holding() ? down_->bytes_s() : 0;
}

RequestContext PacedRemote::paced(const RequestContext& context, uint64_t up, uint64_t down) {
  RequestContext paced = context;
  paced.bandwidth = {up_ ? &*up_ : nullptr, down_ ? &*down_ : nullptr};
  if (paced.deadline != Clock::Steady::max()) {
    paced.deadline += time_for(up_, up, sharers_) + time_for(down_, down, sharers_);
  }
  return paced;
}

// Some kinds read back what was sent.
Result<RemoteObject> PacedRemote::put(const std::string& key, int fd, const PutOptions& options,
                                      const RequestContext& context) {
  return remote_.put(key, fd, options, paced(context, options.size, options.size));
}

Status PacedRemote::get(const std::string& key, ByteRange range, const std::string& etag,
                        const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  return remote_.get(key, range, etag, sink, paced(context, 0, range.size()));
}

// Most remotes copy by themselves; where the bytes come through here they are read, sent and read back.
Status PacedRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  uint64_t size = 0;
  if (up_ || down_) {
    SHOEBOX_ASSIGN(const RemoteObject object, remote_.stat(from, context));
    size = object.size;
  }
  return remote_.copy(from, to, paced(context, size, 2 * size));
}

}  // namespace shoebox
