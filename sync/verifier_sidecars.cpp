// Verifier: the XMP sidecars on remotes, each read back with the original that it stands beside.
#include <fmt/format.h>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/outbox.h"
#include "sync/remote/remote.h"
#include "sync/remote/small_object.h"
#include "sync/verifier_item.h"

namespace shoebox {

// `etag`: of what stands there.
Result<Verifier::Found> Verifier::look_at_sidecar(Remote& remote, const SidecarObject& sent,
                                                  std::string& etag, const CancelToken& cancel) const {
  for (int read = 0; read < kVerifyReads; ++read) {
    const Result<RemoteObject> there = remote.stat(sent.key, context_for(0, cancel));
    if (!there && there.code() == Code::kNotFound) return Found::kMissing;
    if (!there) return there.status();
    etag = there->etag;
    if (there->size != sent.size) break;
    const Result<std::string> bytes = read_small_object(remote, *there, context_for(there->size, cancel));
    if (bytes && sha256(*bytes) == sent.sha256) return Found::kGood;
    if (!bytes && bytes.code() == Code::kNotFound) return Found::kMissing;
    if (!bytes && bytes.code() != Code::kDataLoss && bytes.code() != Code::kConflict) return bytes.status();
  }
  return etag == sent.etag ? Found::kDamaged : Found::kReplaced;
}

Status Verifier::check_sidecar(const Item& item, bool repair, const CancelToken& cancel,
                               VerifyReport& report) const {
  Remote& remote = *item.remote;
  SHOEBOX_ASSIGN(const std::optional<PhotoId> photo, catalog_.photo_of_content(item.content));
  if (!photo) return Status::ok();
  SHOEBOX_ASSIGN(const auto sent, catalog_.sidecar(*photo, remote.name()));
  SHOEBOX_ASSIGN(const auto mark, catalog_.sidecar_mark(remote.name(), *photo));
  if (!sent || mark) return Status::ok();  // none was sent, or it will be looked at
  std::string etag;
  const Result<Found> found = look_at_sidecar(remote, *sent, etag, cancel);
  if (cancel.cancelled()) return Status::ok();
  if (!found) {
    ++report.unchecked;
    report.list(remote.name(), sent->key, "not checked", found.status().message());
    return Status::ok();
  }
  ++report.sidecars;
  if (*found == Found::kGood && etag == sent->etag) return Status::ok();
  std::unique_ptr<Transaction> txn = catalog_.begin();
  SHOEBOX_ASSIGN(std::optional<SidecarObject> now, txn->sidecar(*photo, remote.name()));
  SHOEBOX_ASSIGN(const auto marked, txn->sidecar_mark(remote.name(), *photo));
  // Sent anew, or let go, while we looked.
  if (!now || marked || now->key != sent->key || now->etag != sent->etag) return Status::ok();
  if (*found == Found::kGood) {
    // A server that was moved: the bytes are right, and what is ours is known by its ETag.
    now->etag = etag;
    txn->put_sidecar(*photo, remote.name(), *now);
    return txn->commit();
  }
  txn.reset();
  const char* what = *found == Found::kMissing    ? "missing"
                     : *found == Found::kReplaced ? "replaced by something else"
                                                  : "damaged";
  ++(*found == Found::kMissing ? report.missing : report.damaged);
  std::string outcome = "shoebox verify --repair sends it again";
  if (repair) {
    const Status queued = *found == Found::kDamaged
                              ? outbox_.sidecar_damaged(*photo, remote.name(), sent->key)
                              : outbox_.sidecar_lost(*photo, remote.name(), sent->key);
    if (queued) ++report.queued_again;
    outcome = queued ? "queued to be sent again" : queued.message();
  }
  report.list(remote.name(), sent->key, what, std::move(outcome));
  return Status::ok();
}

}  // namespace shoebox
