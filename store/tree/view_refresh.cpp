// The difference between where the views say a photo shows and the rows that stand.

#include <algorithm>
#include <set>

#include "store/tree/name_class.h"
#include "store/tree/safe_name.h"
#include "store/tree/sidecar_facts.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_home.h"
#include "store/tree/view_sidecars.h"

namespace shoebox {
namespace {

Status recount_all(Transaction& txn, const ViewRows& view_rows, const std::vector<Row>& rows) {
  std::set<InodeNo> inodes;
  for (const Row& row : rows) inodes.insert(row.inode);
  for (const InodeNo inode : inodes) SHOEBOX_TRY(view_rows.recount(txn, inode));
  return Status::ok();
}

ViewPath normalized_path(ViewPath path) {
  for (std::string& value : path) value = normalized(value);
  return path;
}

}  // namespace

ViewEngine::ViewEngine(const std::vector<std::unique_ptr<View>>& views, const Clock& clock)
    : rows_(views, clock) {}

Status ViewEngine::refresh(Transaction& txn, PhotoId photo) const {
  SHOEBOX_ASSIGN(auto record, txn.photo(photo));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(const bool sidecars, note_sidecars(txn, photo, *record));
  if (sidecars) {
    apply_sidecars(*record);
    if (record->info.kind != MediaKind::kUnknown) SHOEBOX_TRY(settle(txn, photo, *record));
    txn.put_photo(photo, *record);
  }
  SHOEBOX_ASSIGN(const std::vector<Row> before, follow(txn, photo, *record));
  const Row* home = ViewRows::representative(before);
  if (home && home->in_library() && !record->homed) {
    record->homed = true;
    txn.put_photo(photo, *record);
  }
  for (const auto& view : rows_.views()) SHOEBOX_TRY(refresh_view(txn, *view, *record, before));
  SHOEBOX_ASSIGN(const std::vector<Row> after, rows_.of_photo(txn, photo));
  SHOEBOX_TRY(recount_all(txn, rows_, before));
  SHOEBOX_TRY(recount_all(txn, rows_, after));
  SHOEBOX_TRY(file_backup_copies(txn, rows_, after));
  return refresh_sidecars_of(txn, rows_, after);
}

Status ViewEngine::refresh_view(Transaction& txn, const View& view, const PhotoRecord& record,
                                const std::vector<Row>& rows) const {
  const Row* source = ViewRows::representative(rows);
  std::set<ViewPath> missing;
  if (source) {
    for (ViewPath& place : view.places(record)) missing.insert(normalized_path(std::move(place)));
  }
  std::set<InodeNo> wanted;  // folders that stand
  std::set<InodeNo> shown;   // folders that have a row of the photo
  for (auto place = missing.begin(); place != missing.end();) {
    SHOEBOX_ASSIGN(const auto folder, rows_.folder(txn, view, *place));
    if (folder) wanted.insert(*folder);
    const bool has_row = folder && std::any_of(rows.begin(), rows.end(),
                                               [&](const Row& row) { return row.directory == *folder; });
    place = has_row ? missing.erase(place) : std::next(place);
  }

  for (const Row& row : rows) {
    if (row.view != view.id() || row.kind != NameKind::kGenerated) continue;
    if (!wanted.contains(row.directory) || !shown.insert(row.directory).second) {
      SHOEBOX_TRY(rows_.erase(txn, row.directory, row.name, Notice::kTell));
    } else if (row.inode != source->inode) {
      SHOEBOX_TRY(
          rows_.put(txn, row.directory, row.name, source->inode, NameKind::kGenerated, Notice::kTell));
    }
  }
  for (const ViewPath& place : missing) {
    SHOEBOX_ASSIGN(const InodeNo folder, rows_.make_folder(txn, view, place));
    SHOEBOX_ASSIGN(const std::string name, rows_.unique_name(txn, folder, source->name));
    SHOEBOX_TRY(rows_.put(txn, folder, name, source->inode, NameKind::kGenerated, Notice::kTell));
  }
  return Status::ok();
}

Status ViewEngine::withdraw(Transaction& txn, PhotoId photo) const {
  SHOEBOX_ASSIGN(const std::vector<Row> rows, rows_.of_photo(txn, photo));
  std::set<InodeNo> sidecars;
  for (const Row& row : rows) {
    if (!row.lives()) continue;
    SHOEBOX_ASSIGN(auto beside, sidecars_beside(txn, row.directory, row.name));
    sidecars.merge(beside);
  }
  for (const Row& row : rows) {
    if (row.in_view()) SHOEBOX_TRY(rows_.erase(txn, row.directory, row.name, Notice::kTell));
  }
  SHOEBOX_TRY(recount_all(txn, rows_, rows));
  for (const InodeNo sidecar : sidecars) SHOEBOX_TRY(refresh_sidecar(txn, rows_, sidecar));
  return Status::ok();
}

Status ViewEngine::withdraw_inode(Transaction& txn, InodeNo inode) const {
  SHOEBOX_ASSIGN(const auto record, txn.inode(inode));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(std::vector<Row> rows, rows_.of_photo(txn, record->photo));
  const auto is_own = [&](const Row& row) { return row.inode == inode; };
  std::vector<Row> others = rows;
  std::erase_if(others, is_own);
  const Row* twin = record->photo ? ViewRows::representative(others) : nullptr;
  if (!twin) {
    SHOEBOX_ASSIGN(rows, rows_.of_inode(txn, inode));
  }
  for (const Row& row : rows) {
    if (!is_own(row) || !row.in_view()) continue;
    if (twin) {
      SHOEBOX_TRY(rows_.put(txn, row.directory, row.name, twin->inode, row.kind, Notice::kTell));
    } else {
      SHOEBOX_TRY(rows_.erase(txn, row.directory, row.name, Notice::kTell));
    }
  }
  SHOEBOX_TRY(recount_all(txn, rows_, rows));
  return refresh_sidecars_of(txn, rows_, rows);
}

}  // namespace shoebox
