#include "sync/adopt_fetch.h"

#include <algorithm>
#include <cctype>

#include "store/base/file_names.h"
#include "store/base/hash.h"
#include "store/decode/wire.h"
#include "sync/remote/checks.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr uint32_t kTries = 6;

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

Status list_pages(const AdoptFetch& fetch, const std::string& prefix,
                  const std::function<Status(const ListPage&)>& each) {
  std::string next;
  do {
    ListPage page;
    SHOEBOX_TRY(repeated(fetch, 0, [&](const RequestContext& context) -> Status {
      SHOEBOX_ASSIGN(page, fetch.remote.list(prefix, next, context));
      return Status::ok();
    }));
    SHOEBOX_TRY(each(page));
    next = std::move(page.next);
  } while (!next.empty());
  return Status::ok();
}

bool AdoptFetch::wanted_whole(const RemoteObject& object) {
  if (object.size <= kKeepWholeBytes) return true;
  return object.size <= wire::kMaxSidecarBytes && is_xmp(object.key.substr(object.key.rfind('/') + 1));
}

Result<std::optional<Timestamp>> AdoptFetch::read(const RemoteObject& object, ByteRange range,
                                                  const std::function<void()>& begin,
                                                  const std::function<void(std::string_view)>& take) const {
  uint64_t bytes = 0;
  std::optional<Timestamp> file_time;
  const auto attempt = [&](const RequestContext& context) {
    bytes = 0;
    begin();
    const auto sink = [&](std::string_view piece) {
      traffic.received_bytes += piece.size();
      bytes += piece.size();
      take(piece);
      return Status::ok();
    };
    const Status got = remote.get(object.key, range, object.etag, sink, context);
    file_time = context.hints->file_time;
    return got;
  };
  SHOEBOX_TRY(repeated(*this, range.size(), attempt));
  if (bytes == range.size()) return file_time;
  return Status(Code::kDataLoss, object.key + ": other bytes came than were asked");
}

Result<AdoptFetch::Parts> AdoptFetch::parts(const RemoteObject& object) const {
  Parts found;
  const std::vector<ByteRange> ranges =
      wanted_whole(object) ? std::vector<ByteRange>{{0, object.size}} : kept_ranges(object.size);
  for (const ByteRange& wanted : ranges) {
    std::string bytes;
    SHOEBOX_ASSIGN(found.file_time, read(
                                        object, wanted, [&] { bytes.clear(); },
                                        [&](std::string_view piece) { bytes += piece; }));
    found.parts.push_back({wanted.begin, std::move(bytes)});
  }
  return found;
}

Result<std::string> AdoptFetch::bytes(const RemoteObject& object, ByteRange range) const {
  std::string bytes;
  SHOEBOX_TRY(read(
                  object, range, [&] { bytes.clear(); }, [&](std::string_view piece) { bytes += piece; })
                  .status());
  return bytes;
}

Result<ContentHash> AdoptFetch::hash(const RemoteObject& object) const {
  Sha256 hash;
  SHOEBOX_TRY(read(
                  object, {0, object.size}, [&] { (void)hash.finish(); },
                  [&](std::string_view piece) { hash.update(piece.data(), piece.size()); })
                  .status());
  return hash.finish();
}

}  // namespace shoebox
