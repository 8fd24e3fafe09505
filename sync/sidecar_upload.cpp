#include "sync/sidecar_upload.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/xmp_sidecar.h"
#include "sync/move_aside.h"
#include "sync/remote/small_object.h"
#include "sync/transfer_deadline.h"

namespace shoebox {

Status SidecarUpload::run(const SidecarStep& step, const CancelToken& cancel, RequestHints& hints) const {
  RequestContext context;
  context.cancel = cancel;
  context.hints = &hints;
  context.deadline = transfer_deadline(clock, step.bytes.size());
  SHOEBOX_ASSIGN(const RemoteObject stored, store(step, context));
  kill_point("sidecar-stored");
  if (stored.size != step.bytes.size()) {
    return {Code::kDataLoss, fmt::format("{} on {}: {} bytes were sent and {} confirmed", step.key,
                                         remote.name(), step.bytes.size(), stored.size)};
  }
  return outbox.sidecar_sent(step, remote.name(), {stored.etag, stored.size});
}

Result<RemoteObject> SidecarUpload::store(const SidecarStep& step, const RequestContext& context) const {
  Result<RemoteObject> put = put_small_object(remote, step.key, step.bytes, /*if_absent=*/true, context);
  if (put || put.code() != Code::kConflict) return put;
  SHOEBOX_ASSIGN(const Standing there, standing(step, context));
  if (there == Standing::kStranger && !step.apart) {
    return Status(Code::kConflict,
                  fmt::format("{} on {} was written by somebody else; it stays", step.key, remote.name()));
  }
  if (there != Standing::kOurs) SHOEBOX_TRY(move_aside(remote, step.key, clock, context));
  return put_small_object(remote, step.key, step.bytes, /*if_absent=*/false, context);
}

Result<SidecarUpload::Standing> SidecarUpload::standing(const SidecarStep& step,
                                                        const RequestContext& context) const {
  SHOEBOX_ASSIGN(const RemoteObject there, remote.stat(step.key, context));
  if (!step.former_etag.empty() && there.etag == step.former_etag) return Standing::kOurs;
  if (there.size > kMostOwnSidecarBytes) return Standing::kStranger;
  SHOEBOX_ASSIGN(const std::string bytes, read_small_object(remote, there, context));
  const ContentHash hash = sha256(bytes);
  if (std::find(step.ours.begin(), step.ours.end(), hash) != step.ours.end()) return Standing::kOurs;
  const std::string mark = "<shoebox:Original>" + step.original.hex() + "</shoebox:Original>";
  const bool of_original = !step.original.is_zero() && bytes.find(mark) != std::string::npos;
  if (!of_original) return Standing::kStranger;
  // One of an attempt that was broken off, of which only a later one is remembered.
  const bool as_written = !step.ours.empty() && is_unchanged_sidecar(bytes);
  return as_written ? Standing::kOurs : Standing::kOfOriginal;
}

}  // namespace shoebox
