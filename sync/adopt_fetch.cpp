#include "sync/adopt_fetch.h"

#include <algorithm>
#include <cctype>

#include "store/base/file_names.h"
#include "store/base/hash.h"
#include "sync/remote/checks.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr uint32_t kTries = 6;
constexpr uint64_t kMostSidecarBytes = 4 << 20;  // as the decoder

bool may_pass(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kThrottled;
}

bool is_xmp(std::string_view name) {
  std::string extension(extension_of(name));
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".xmp" && is_sidecar(name);
}

}  // namespace

Status repeated(const AdoptFetch& fetch, uint64_t bytes,
                const std::function<Status(const RequestContext&)>& call) {
  for (uint32_t attempt = 1;; ++attempt) {
    if (fetch.cancel.cancelled()) return {Code::kCancelled, "interrupted"};
    RequestHints hints;
    RequestContext context;
    context.cancel = fetch.cancel;
    context.hints = &hints;
    context.deadline = transfer_deadline(fetch.clock, bytes);
    const Status status = call(context);
    fetch.traffic.requests += std::max<uint64_t>(1, hints.requests);
    fetch.traffic.received_bytes += hints.extra_bytes;
    if (status || !may_pass(status.code()) || attempt == kTries) return status;
    const std::chrono::duration<double> delay(fetch.backoff.delay_s(attempt, hints.retry_after_s));
    RequestContext waiting;
    waiting.cancel = fetch.cancel;
    SHOEBOX_TRY(pause_for(std::chrono::duration_cast<std::chrono::milliseconds>(delay), waiting));
  }
}

bool AdoptFetch::wanted_whole(const RemoteObject& object) {
  if (object.size <= kKeepWholeBytes) return true;
  return object.size <= kMostSidecarBytes && is_xmp(object.key.substr(object.key.rfind('/') + 1));
}

Result<std::string> AdoptFetch::range(const RemoteObject& object, ByteRange range) const {
  std::string bytes;
  const Status status = repeated(*this, range.size(), [&](const RequestContext& context) {
    bytes.clear();
    return remote.get(
        object.key, range, object.etag,
        [&](std::string_view piece) {
          traffic.received_bytes += piece.size();
          bytes += piece;
          return Status::ok();
        },
        context);
  });
  if (!status) return status;
  if (bytes.size() != range.size())
    return Status(Code::kDataLoss, object.key + ": other bytes came than were asked");
  return bytes;
}

Result<std::vector<ContentStore::Part>> AdoptFetch::parts(const RemoteObject& object) const {
  std::vector<ContentStore::Part> parts;
  const std::vector<ByteRange> ranges =
      wanted_whole(object) ? std::vector<ByteRange>{{0, object.size}} : kept_ranges(object.size);
  for (const ByteRange& wanted : ranges) {
    SHOEBOX_ASSIGN(std::string bytes, range(object, wanted));
    parts.push_back({wanted.begin, std::move(bytes)});
  }
  return parts;
}

Result<ContentHash> AdoptFetch::hash(const RemoteObject& object) const {
  Sha256 hash;
  uint64_t bytes = 0;
  const Status status = repeated(*this, object.size, [&](const RequestContext& context) {
    (void)hash.finish();  // of an attempt before
    bytes = 0;
    return remote.get(
        object.key, {0, object.size}, object.etag,
        [&](std::string_view piece) {
          traffic.received_bytes += piece.size();
          bytes += piece.size();
          hash.update(piece.data(), piece.size());
          return Status::ok();
        },
        context);
  });
  if (!status) return status;
  if (bytes != object.size) return Status(Code::kDataLoss, object.key + ": other bytes came than were asked");
  return hash.finish();
}

}  // namespace shoebox
