#include "sync/backup_check.h"

#include <fmt/format.h>

#include <charconv>
#include <optional>
#include <random>
#include <vector>

#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "sync/backup_copy.h"
#include "sync/known_head.h"

namespace shoebox {
namespace {

// No name of a remote holds a slash.
std::string checked_name(std::string_view remote) {
  return fmt::format("{}checked/{}", keys::kMetaBackup, remote);
}

std::set<std::string> named_by(const backup::Head& head) {
  std::set<std::string> named;
  for (const backup::Segment& segment : head.segments) named.insert(segment_key(head.library, segment));
  return named;
}

}  // namespace

Result<std::set<std::string>> BackupCheck::run(
    double share, const CancelToken& cancel, VerifyReport& report,
    const std::function<void(const VerifyReport&)>& progress) const {
  std::set<std::string> bad;
  SHOEBOX_ASSIGN(const KnownHead known, known_head(catalog, remote.name()));
  if (!known.head) return bad;
  std::mt19937_64 random(std::random_device{}());
  std::uniform_real_distribution<double> chance(0, 1);
  const BackupCopy copy(remote, clock, cancel);
  for (const backup::Segment& segment : known.head->segments) {
    if (share < 1 && chance(random) >= share) continue;
    const std::string key = segment_key(known.head->library, segment);
    const Result<std::string> read = copy.segment(known.head->library, segment);
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    if (read) {
      ++report.catalog_objects;
    } else if (read.code() == Code::kNotFound || read.code() == Code::kDataLoss) {
      // The backup may have gone on meanwhile, and removed what its head does not name any more.
      SHOEBOX_ASSIGN(const KnownHead now, known_head(catalog, remote.name()));
      if (!now.head) continue;
      const std::set<std::string> named = named_by(*now.head);
      if (!named.contains(key)) continue;
      const bool missing = read.code() == Code::kNotFound;
      ++report.catalog_objects;
      ++(missing ? report.missing : report.damaged);
      ++report.queued_again;
      report.list(remote.name(), key, missing ? "missing" : "damaged",
                  "this part of the backup of the catalog is sent again");
      bad.insert(key);
    } else {
      ++report.unchecked;
      report.list(remote.name(), key, "not checked", read.status().message());
      return bad;
    }
    if (progress) progress(report);
  }
  return bad;
}

Result<bool> BackupCheck::due(int64_t period_s) const {
  SHOEBOX_ASSIGN(const std::optional<std::string> text, catalog.meta(checked_name(remote.name())));
  int64_t last_s = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), last_s).ec != std::errc()) {
    SHOEBOX_TRY(note_good());
    return false;
  }
  return last_s < clock.now().seconds - period_s;
}

Status BackupCheck::note_good() const {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  txn->put_meta(checked_name(remote.name()), std::to_string(clock.now().seconds));
  return txn->commit();
}

}  // namespace shoebox
