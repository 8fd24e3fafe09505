#include "sync/tidy.h"

#include <fmt/format.h>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/xmp_sidecar.h"
#include "sync/fold_probe.h"
#include "sync/move_aside.h"
#include "sync/remote/object_hash.h"
#include "sync/remote/small_object.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr int kReads = 2;

}  // namespace

Status Tidy::run(const TidyStep& step, const CancelToken& cancel, RequestHints& hints) const {
  RequestContext context;
  context.cancel = cancel;
  context.hints = &hints;
  context.deadline = transfer_deadline(clock, step.size);  // a remote may copy by reading and writing
  switch (step.kind) {
    case TidyStep::Kind::kMove: return move(step, context);
    case TidyStep::Kind::kRemove: return remove(step, context);
    case TidyStep::Kind::kProbe: break;
  }
  SHOEBOX_ASSIGN(const bool folds, remote_folds_keys(remote, step.key, context));
  outbox.probed(step, remote.name(), folds);
  return Status::ok();
}

// Copy, look at the copy, look that it was made of what we sent, tell the catalog; what is left at the
// old key is loose from then on and goes by a step of its own.
Status Tidy::move(const TidyStep& step, const RequestContext& context) const {
  bool stands = false;
  const auto there = remote.stat(step.to, context);
  if (there) {
    SHOEBOX_ASSIGN(stands, holds(step.to, step, context));  // an earlier attempt made it
    if (!stands) SHOEBOX_TRY(move_aside(remote, step.to, clock, context));
  } else if (there.code() != Code::kNotFound) {
    return there.status();
  }
  Status copied;
  if (!stands) {
    RequestContext copying = context;
    copying.source_sha256 = step.sha256;
    copied = remote.copy(step.key, step.to, copying);
    // That there is nothing, or that it is not what was sent, is judged below.
    if (!copied && copied.code() != Code::kNotFound && copied.code() != Code::kDataLoss) return copied;
    kill_point("tidy-copied");
  }
  const auto source = remote.stat(step.key, context);
  if (!source && source.code() != Code::kNotFound) return source.status();
  if (!copied && source) {
    if (copied.code() == Code::kNotFound)
      return {Code::kUnavailable, copied.message()};  // it is there after all
    // A line or a disk may have given it wrong just once.
    for (int read = 0; read < kReads; ++read) {
      SHOEBOX_ASSIGN(const bool sound, holds(step.key, step, context));
      if (sound) return {Code::kUnavailable, copied.message()};
    }
  }
  // Moved already by a machine or a run that this catalog does not know of: the bytes at the new key are
  // the right ones, as was just seen.
  const bool moved_before = stands && !source;
  bool right = moved_before || (copied && source && source->etag == step.etag && source->size == step.size);
  // An etag may have been told wrong, now or when it was confirmed: then the bytes of the copy decide.
  if (!right && source && copied) {
    SHOEBOX_ASSIGN(right, holds(step.to, step, context));
  }
  if (!right) {
    const Status lost = outbox.copy_lost(step.content, remote.name(), step.key);
    const std::string why =
        fmt::format("{} on {} is {}; left alone, {}", step.key, remote.name(),
                    source ? "not the object that was sent" : "gone", lost ? "sent again" : lost.message());
    return {lost ? Code::kConflict : Code::kDataLoss, why};
  }
  SHOEBOX_ASSIGN(const RemoteObject made, remote.stat(step.to, context));
  if (made.size != step.size) {
    return {Code::kDataLoss, fmt::format("{} on {}: copied as {} of {} bytes; {} stays", step.to,
                                         remote.name(), made.size, step.size, step.key)};
  }
  return outbox.tidied(step, remote.name(), {made.etag, made.size});
}

Status Tidy::remove(const TidyStep& step, const RequestContext& context) const {
  const auto there = remote.stat(step.key, context);
  if (!there && there.code() != Code::kNotFound) return there.status();
  if (there) {
    bool ours = there->size == step.size && there->etag == step.etag;
    // Not known, or told wrong, now or when it was confirmed: then the bytes decide, else it would stay for
    // ever. What came wrong is read again, as a line may flip a bit too.
    for (int read = 0; !ours && read < kReads; ++read) {
      SHOEBOX_ASSIGN(ours, holds(step.key, step, context));
    }
    // Not where it was confirmed: another photo's may stand there by now.
    if (!ours && step.etag.empty()) {
      SHOEBOX_ASSIGN(ours, is_our_sidecar(step.key, *there, context));
    }
    if (ours) {
      if (step.keep_aside) SHOEBOX_TRY(move_aside(remote, step.key, clock, context));
      SHOEBOX_TRY(remote.remove(step.key, context));
      kill_point("tidy-removed");
    } else {
      log::warning("remote {}: {} is not the object that was sent; left there", remote.name(), step.key);
    }
  }
  // Never confirmed: an upload in parts may have been begun there, and its name lost to a crash.
  if (step.etag.empty()) {
    const auto all = [](const Leftover&) -> Result<bool> { return true; };
    SHOEBOX_TRY(remote.remove_leftovers(step.key, all, context).status());
  }
  return outbox.removed(step, remote.name());
}

Result<bool> Tidy::is_our_sidecar(const std::string& key, const RemoteObject& there,
                                  const RequestContext& context) const {
  if (!key.ends_with(kSidecarExtension) || there.size > kMostOwnSidecarBytes) return false;
  SHOEBOX_ASSIGN(const std::string bytes, read_small_object(remote, there, context));
  return is_unchanged_sidecar(bytes);
}

Result<bool> Tidy::holds(const std::string& key, const TidyStep& step, const RequestContext& context) const {
  SHOEBOX_ASSIGN(const RemoteObject there, remote.stat(key, context));
  if (there.size != step.size || (step.sha256.is_zero() && step.size > 0)) return false;
  SHOEBOX_ASSIGN(const ContentHash hash, hash_object(remote, key, step.size, there.etag, context));
  return hash == step.sha256;
}

}  // namespace shoebox
