#include "sync/backup_fit.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/catalog/catalog.h"
#include "sync/backup_copy.h"
#include "sync/known_head.h"
#include "sync/time_text.h"

namespace shoebox {
namespace {

// Several libraries would share the keys below Library/.
Status no_other_library(const BackupCopy& copy, const std::string& library) {
  SHOEBOX_ASSIGN(const std::vector<std::string> ids, copy.libraries());
  if (ids.empty() || std::find(ids.begin(), ids.end(), library) != ids.end()) return Status::ok();
  return {
      Code::kReadOnly,
      fmt::format("another library ({:.8}) is backed up there; give each a place of its own, or take that "
                  "one over with shoebox rebuild",
                  ids.front())};
}

}  // namespace

Status backup_fits(const Catalog& catalog, Remote& remote, const Clock& clock, const std::string& library,
                   const CancelToken& cancel) {
  const BackupCopy copy(remote, clock, cancel);
  SHOEBOX_ASSIGN(const BackupCopy::Heads heads, copy.heads(library));
  if (heads.whole.empty()) {
    return heads.damaged.empty() ? no_other_library(copy, library) : Status::ok();
  }
  const backup::Head& newest = heads.whole.front();
  SHOEBOX_ASSIGN(const KnownHead known, known_head(catalog, remote.name()));
  if (known.is(newest)) return Status::ok();
  // Ours is gone from there, or damaged, and this is the one before it.
  if (known.head && newest.counter < known.head->counter) return Status::ok();
  SHOEBOX_ASSIGN(const bool accepted, is_accepted_head(catalog, remote.name(), newest));
  if (accepted) return Status::ok();
  // The same place under another name, in the settings of before.
  if (newest.remote != remote.name()) {
    SHOEBOX_ASSIGN(const KnownHead renamed, known_head(catalog, newest.remote));
    if (renamed.is(newest)) return Status::ok();
  }
  return {
      Code::kReadOnly,
      fmt::format("the backup of the catalog there, of {}, was not made by this library as it is now, which "
                  "would undo what is only in that one; make the library anew from there with shoebox "
                  "rebuild",
                  time_text(newest.time_s))};
}

Status accept_backup(Catalog& catalog, Remote& remote, const Clock& clock, const std::string& library,
                     const CancelToken& cancel) {
  SHOEBOX_ASSIGN(const BackupCopy::Heads heads, BackupCopy(remote, clock, cancel).heads(library));
  if (heads.whole.empty()) return Status::ok();
  const std::unique_ptr<Transaction> txn = catalog.begin();
  accept_head(*txn, remote.name(), heads.whole.front());
  return txn->commit();
}

}  // namespace shoebox
