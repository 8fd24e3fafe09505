#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/catalog/catalog.h"
#include "store/content/content_source.h"
#include "store/content/content_store.h"
#include "store/lost_copies.h"
#include "store/outbox.h"
#include "sync/leftovers.h"
#include "sync/remote/object_hash.h"
#include "sync/remote/remote.h"
#include "sync/transfer_deadline.h"
#include "sync/verifier_item.h"

namespace shoebox {
namespace {

bool unreachable(Code code) {
  return code == Code::kUnavailable || code == Code::kTimeout || code == Code::kThrottled ||
         code == Code::kUnauthorized;
}

}  // namespace

Verifier::Verifier(Catalog& catalog, ContentStore& contents, Outbox& outbox, ContentSource& source,
                   const Clock& clock)
    : catalog_(catalog), contents_(contents), outbox_(outbox), source_(source), clock_(clock) {}

RequestContext Verifier::context_for(uint64_t bytes, const CancelToken& cancel) const {
  RequestContext context;
  context.cancel = cancel;
  context.deadline = transfer_deadline(clock_, bytes);
  return context;
}

Result<std::vector<Verifier::Item>> Verifier::plan(const std::vector<Remote*>& remotes,
                                                   const VerifyRequest& request,
                                                   const CancelToken& cancel) const {
  std::vector<Item> items;
  Status failed;
  std::mt19937_64 random(std::random_device{}());
  std::uniform_real_distribution<double> chance(0, 1);
  SHOEBOX_TRY(catalog_.for_each_content([&](ContentNo content, const ContentRecord& record) {
    if (cancel.cancelled()) return false;
    if (!is_immutable(record.state)) return true;
    const bool adopted = record.state == ContentState::kAdopted;
    const auto left_out = adopted ? VerifyRequest::Unread::kLeaveOut : VerifyRequest::Unread::kOnly;
    if (request.unread == left_out) return true;
    const auto copies = catalog_.copies(content);
    if (!copies) {
      failed = copies.status();
      return false;
    }
    for (const auto& [name, copy] : *copies) {
      const auto remote = std::find_if(remotes.begin(), remotes.end(),
                                       [&name = name](const Remote* r) { return r->name() == name; });
      if (remote == remotes.end() || copy.confirmed_s >= request.confirmed_before_s) continue;
      if (request.share < 1 && chance(random) >= request.share) continue;
      items.push_back({content, adopted, record.sha256, record.size, *remote, copy});
    }
    return true;
  }));
  SHOEBOX_TRY(failed);
  if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
  // Longest unseen first: a run that is broken off has done the most useful part.
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.copy.confirmed_s < b.copy.confirmed_s; });
  if (items.size() > request.at_most) items.resize(request.at_most);
  return items;
}

Result<ContentHash> Verifier::hash_of_object(const Item& item, const RemoteCopy& copy,
                                             const CancelToken& cancel) const {
  if (copy.size != item.size)
    return Status(Code::kDataLoss, fmt::format("{} bytes instead of {}", copy.size, item.size));
  if (item.size == 0) {  // nothing to read, but it must stand there
    SHOEBOX_ASSIGN(const RemoteObject there, item.remote->stat(copy.key, context_for(0, cancel)));
    if (there.etag != copy.etag) return Status(Code::kConflict, copy.key + " was written anew");
    if (there.size != 0) return Status(Code::kDataLoss, fmt::format("{} bytes instead of 0", there.size));
  }
  return hash_object(*item.remote, copy.key, item.size, copy.etag, context_for(item.size, cancel));
}

// The first whole read of adopted bytes: what comes under the ETag they were adopted with is right.
Result<Verifier::Found> Verifier::read_adopted(const Item& item, const CancelToken& cancel) const {
  BlockHasher hasher;
  const Status read = item.remote->get(
      item.copy.key, {0, item.size}, item.copy.etag,
      [&hasher](std::string_view piece) {
        hasher.update(piece.data(), piece.size());
        return Status::ok();
      },
      context_for(item.size, cancel));
  if (read.code() == Code::kConflict) return Found::kReplaced;
  if (read.code() == Code::kNotFound) return Found::kMissing;
  if (read.code() == Code::kDataLoss) return Found::kDamaged;
  if (!read) return read;
  const ContentHashes hashes = hasher.finish();
  if (hashes.size != item.size) return Found::kDamaged;
  const Status recorded = contents_.adopted_hashes(item.content, hashes);
  if (!recorded && recorded.code() != Code::kNotFound) return recorded;
  return Found::kGood;
}

// `copy` gets the ETag that now stands there when the bytes are right all the same.
Result<Verifier::Found> Verifier::check(const Item& item, RemoteCopy& copy, const CancelToken& cancel) const {
  if (item.adopted) return read_adopted(item, cancel);
  bool replaced = false;
  for (int read = 0; read < kVerifyReads; ++read) {
    Result<ContentHash> hash = hash_of_object(item, copy, cancel);
    if (!hash && hash.code() == Code::kConflict) {
      // Somebody wrote it anew: another program, or a server that was moved. The bytes decide.
      replaced = true;
      const Result<RemoteObject> now = item.remote->stat(copy.key, context_for(0, cancel));
      if (!now && now.code() == Code::kNotFound) return Found::kMissing;
      if (!now) return now.status();
      copy.etag = now->etag;
      copy.size = now->size;
      hash = hash_of_object(item, copy, cancel);
    }
    if (hash && *hash == item.sha256) return Found::kGood;
    if (!hash && hash.code() == Code::kNotFound) return Found::kMissing;
    if (!hash && hash.code() != Code::kDataLoss) return hash.status();
  }
  return replaced ? Found::kReplaced : Found::kDamaged;
}

Status Verifier::note_good(const Item& item, const RemoteCopy& copy) const {
  const std::unique_ptr<Transaction> txn = catalog_.begin();
  SHOEBOX_ASSIGN(std::optional<RemoteCopy> now, txn->copy(item.content, item.remote->name()));
  if (!now || now->key != item.copy.key || now->etag != item.copy.etag) return Status::ok();  // moved on
  now->etag = copy.etag;
  now->confirmed_s = clock_.now().seconds;
  txn->put_copy(item.content, item.remote->name(), *now);
  return txn->commit();
}

Status Verifier::send_again(const Item& item, Found found, const std::string& etag, bool fetch,
                            const CancelToken& cancel) const {
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, catalog_.content(item.content));
  if (!record) return Status::ok();  // deleted meanwhile
  if (record->residence == Residence::kPartial) {
    SHOEBOX_ASSIGN(const auto copies, catalog_.copies(item.content));
    if (copies.size() < 2) return {Code::kDataLoss, "it was the only copy, and this disk has none"};
  }
  if (record->residence == Residence::kPartial && fetch) {
    // Every block that comes is checked, so nothing wrong comes from the bad copy either.
    SHOEBOX_TRY(fetch_pieces_and_wait(source_, item.content, item.size, cancel));
    SHOEBOX_TRY(contents_.settle_fetched(item.content));
  }
  // Before anything is done there: what counts as a copy may let these bytes leave this disk.
  SHOEBOX_TRY(outbox_.copy_lost(item.content, item.remote->name(), item.copy.key,
                                found == Found::kMissing ? "" : etag));
  kill_point("verify-queued");
  return Status::ok();
}

Result<VerifyReport> Verifier::run(const std::vector<Remote*>& remotes, const VerifyRequest& request,
                                   const CancelToken& cancel,
                                   const std::function<void(const VerifyReport&)>& progress) {
  SHOEBOX_ASSIGN(const std::vector<Item> items, plan(remotes, request, cancel));
  VerifyReport report;
  report.to_check = items.size();
  for (const Item& item : items) report.bytes_to_check += item.size;
  std::map<const Remote*, Status> given_up;
  std::set<const Remote*> used;
  CopyVerdicts verdicts;
  for (const Item& item : items) {
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    if (given_up.contains(item.remote)) {
      ++report.unchecked;
      continue;
    }
    RemoteCopy copy = item.copy;
    const Result<Found> found = check(item, copy, cancel);
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    if (!found) {
      ++report.unchecked;
      report.list(item.remote->name(), item.copy.key, "not checked", found.status().message());
      if (unreachable(found.code())) given_up[item.remote] = found.status();
      if (progress) progress(report);
      continue;
    }
    ++report.checked;
    report.checked_bytes += item.size;
    used.insert(item.remote);
    // Before anything is noted of the copy: that makes its sidecar one that is to be looked at.
    SHOEBOX_TRY(check_sidecar(item, request.repair, cancel, report));
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    if (*found == Found::kGood) {
      SHOEBOX_TRY(note_good(item, copy));
      verdicts[{item.content, item.remote->name()}] = false;
    } else {
      // The catalog may have moved on while we read: renamed there, sent anew, deleted.
      SHOEBOX_ASSIGN(const std::optional<RemoteCopy> now, catalog_.copy(item.content, item.remote->name()));
      if (!now || now->key != item.copy.key || now->etag != item.copy.etag) continue;
      const char* what = *found == Found::kMissing    ? "missing"
                         : *found == Found::kReplaced ? "replaced by something else"
                                                      : "damaged";
      ++(*found == Found::kMissing ? report.missing : report.damaged);
      const Status queued = send_again(item, *found, copy.etag, request.repair, cancel);
      if (queued) ++report.queued_again;
      report.list(item.remote->name(), item.copy.key, what,
                  queued ? "queued to be sent again" : queued.message());
      if (queued || queued.code() == Code::kDataLoss) verdicts[{item.content, item.remote->name()}] = !queued;
    }
    if (progress) progress(report);
  }
  for (Remote* remote : remotes) {
    if (given_up.contains(remote) || (!request.wake_remotes && !used.contains(remote))) continue;
    const Result<uint64_t> removed = remove_leftovers(*remote, catalog_, clock_, cancel);
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    report.leftovers += removed ? *removed : 0;
    // Where another library writes, its leftovers are its own.
    if (!removed && removed.code() != Code::kReadOnly)
      report.list(remote->name(), ".shoebox", "leftovers not looked for", removed.status().message());
  }
  SHOEBOX_TRY(note_lost_copies(catalog_, verdicts));
  SHOEBOX_TRY(catalog_.sync());
  return report;
}

}  // namespace shoebox
