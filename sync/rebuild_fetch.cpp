#include "sync/rebuild_fetch.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/keys.h"
#include "sync/owner_objects.h"
#include "sync/remote/crypt_check.h"
#include "sync/time_text.h"
#include "sync/transfer_deadline.h"

namespace shoebox {
namespace {

constexpr const char* kShoeboxFolder = ".shoebox/";

}  // namespace

Result<std::string> RebuildFetch::segment(const std::string& library, const backup::Segment& segment,
                                          const std::function<Status()>& allowed) const {
  const std::string path = folder_ + "/" + segment.sha256.hex();
  const Result<std::string> kept = read_file(path, backup::kMostSegmentBytes);
  if (kept && sha256(*kept) == segment.sha256) return *kept;
  SHOEBOX_ASSIGN(std::string file, copy_.segment(library, segment, allowed));
  SHOEBOX_TRY(write_file_atomically(path, file));
  return file;
}

std::unique_ptr<SegmentsAhead> RebuildFetch::ahead(const std::string& library,
                                                   std::vector<backup::Segment> segments) const {
  return std::make_unique<SegmentsAhead>(
      std::move(segments),
      [this, library](const backup::Segment& one, const std::function<Status()>& allowed) {
        return segment(library, one, allowed);
      },
      std::min<size_t>(SegmentsAhead::kAtOnce, plan_.remote.connections));
}

// The library that the owner means: with the most originals, because a machine that was set up anew on
// the same remote may have begun a backup of its own.
Result<std::optional<RebuildFetch::Candidate>> RebuildFetch::choose() const {
  std::vector<std::string> ids{plan_.id};
  if (plan_.id.empty()) {
    SHOEBOX_ASSIGN(ids, copy_.libraries());
  }
  std::vector<Candidate> candidates;
  for (const std::string& id : ids) {
    SHOEBOX_ASSIGN(BackupCopy::Heads heads, copy_.heads(id));
    for (const std::string& damaged : heads.damaged) plan_.note(damaged);
    if (!heads.whole.empty()) candidates.push_back({id, std::move(heads)});
  }
  if (candidates.empty()) return std::optional<Candidate>();
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    const backup::Head& one = a.heads.whole.front();
    const backup::Head& other = b.heads.whole.front();
    return std::pair(one.originals, one.time_s) > std::pair(other.originals, other.time_s);
  });
  for (size_t i = 1; i < candidates.size(); ++i) {
    const backup::Head& head = candidates[i].heads.whole.front();
    plan_.note(
        fmt::format("another library is backed up there, with {} originals, last on {}; to take that: "
                    "--id {}",
                    head.originals, time_text(head.time_s), candidates[i].id));
  }
  return std::optional(std::move(candidates.front()));
}

// Fetches a head's segments. Damaged ones at the end of the journal are left out, and told; none:
// the snapshot is not whole. An error: the remote does not answer.
Result<std::optional<Restorable>> RebuildFetch::whole(const backup::Head& head, uint64_t& damaged) const {
  if (head.schema > keys::kSchema) {
    return Status(Code::kIncompatible, "the backup was made by a newer Shoebox; update this one");
  }
  Restorable found;
  found.head = head;
  found.sequence = head.snapshot;
  std::vector<backup::Segment> wanted = head.segments;
  std::erase_if(wanted, [](const auto& one) { return one.kind == backup::SegmentKind::kThumbnails; });
  const std::unique_ptr<SegmentsAhead> files = ahead(head.library, wanted);
  for (size_t i = 0; i < wanted.size(); ++i) {
    const backup::Segment& segment = wanted[i];
    plan_.progress("fetching the catalog", i, wanted.size());
    const Result<std::string> file = files->next();
    if (!file && file.code() != Code::kDataLoss && file.code() != Code::kNotFound) return file.status();
    damaged += file ? 0 : 1;
    if (!file && segment.kind == backup::SegmentKind::kSnapshot) {
      plan_.note(file.status().message());
      return std::optional<Restorable>();
    }
    if (!file) {
      plan_.note(file.status().message());
      plan_.note(fmt::format("the catalog lacks changes {} to {}, the last before {}", found.sequence + 1,
                             head.sequence, time_text(head.time_s)));
      // A cut that made several segments is one change: none of it counts.
      std::erase_if(found.segments, [&](const backup::Segment& one) {
        return one.kind == backup::SegmentKind::kJournal && one.to == segment.to;
      });
      return std::optional(std::move(found));
    }
    found.segments.push_back(segment);
    const bool last_of_cut =
        i + 1 == wanted.size() || wanted[i + 1].to != segment.to || wanted[i + 1].kind != segment.kind;
    if (segment.kind == backup::SegmentKind::kJournal && last_of_cut) found.sequence = segment.to;
  }
  found.newest = true;
  return std::optional(std::move(found));
}

Result<std::optional<Restorable>> RebuildFetch::catalog(std::string& why) const {
  SHOEBOX_ASSIGN(const std::optional<Candidate> candidate, choose());
  if (!candidate) {
    why = fmt::format("{} holds no backup of a catalog that can be read{}", plan_.remote.url,
                      plan_.id.empty() ? "" : " for this id");
    return std::optional<Restorable>();
  }
  uint64_t damaged = candidate->heads.damaged.size();
  for (const backup::Head& head : candidate->heads.whole) {
    SHOEBOX_ASSIGN(std::optional<Restorable> found, whole(head, damaged));
    if (!found) continue;
    found->damaged = damaged;
    const bool first = &head == &candidate->heads.whole.front();
    found->newest = found->newest && first && candidate->heads.damaged.empty();
    found->newest_head = candidate->heads.whole.front();
    if (!first || !candidate->heads.damaged.empty()) {
      plan_.note(fmt::format("the backup of {} is taken; the catalog lacks what changed after it",
                             time_text(head.time_s)));
    }
    return found;
  }
  why = fmt::format("the backup of the catalog on {} is damaged", plan_.remote.url);
  return std::optional<Restorable>();
}

Result<std::string> RebuildFetch::library_id() const {
  const Result<OwnerObjects::Found> owner = OwnerObjects(remote_, clock_).find(plan_.cancel);
  if (owner && !owner->terms.empty()) return owner->last.library;
  if (!owner && owner.code() != Code::kDataLoss && owner.code() != Code::kIncompatible) return owner.status();
  SHOEBOX_ASSIGN(const std::vector<std::string> ids, copy_.libraries());
  return ids.size() == 1 ? ids.front() : std::string();
}

Result<bool> RebuildFetch::has_originals() const {
  RequestContext context;
  context.cancel = plan_.cancel;
  const auto any = [&](const std::string& folder, std::string_view but) -> Result<bool> {
    std::string next;
    do {
      context.deadline = transfer_deadline(clock_, 0);
      SHOEBOX_ASSIGN(const ListPage page, remote_.list(folder, next, context));
      for (const RemoteObject& object : page.objects) {
        if (but.empty() || !object.key.starts_with(but)) return true;
      }
      next = page.next;
    } while (!next.empty());
    return false;
  };
  for (const char* folder : {"Library/", ".shoebox/short/"}) {
    SHOEBOX_ASSIGN(const bool found, any(folder, ""));
    if (found) return true;
  }
  // What was adopted stands anywhere; but of a place that no library ever used nothing is taken for
  // originals.
  SHOEBOX_ASSIGN(const bool used, any(kShoeboxFolder, ""));
  if (used) {
    SHOEBOX_ASSIGN(const bool found, any("", kShoeboxFolder));
    if (found) return true;
  }
  SHOEBOX_TRY(refuse_sealed(remote_, context));
  return false;
}

}  // namespace shoebox
