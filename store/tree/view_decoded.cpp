// What a file says about itself enters its photo's record: effective date, home, rows.

#include <algorithm>

#include "store/tree/capture_date.h"
#include "store/tree/name_class.h"
#include "store/tree/person_names.h"
#include "store/tree/sidecar_facts.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_home.h"

namespace shoebox {

Result<bool> ViewEngine::set_date(const CatalogReader& reader, PhotoId photo, PhotoRecord& record) const {
  // Of several inodes with equal bytes, the first whose mtime a tool set gives the guess.
  std::optional<Timestamp> mtime;
  SHOEBOX_ASSIGN(const auto inodes, reader.inodes_of_photo(photo));
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const auto found, reader.inode(inode));
    if (found && found->mtime_was_set && !mtime) mtime = found->mtime;
  }
  const EffectiveDate date = effective_date(record.info, record.original_name, mtime, rows_.now());
  if (date.date == record.date && date.source == record.date_source) return false;
  record.date = date.date;
  record.date_source = date.source;
  return true;
}

Status ViewEngine::decoded(Transaction& txn, PhotoId photo, const MediaInfo& info) const {
  SHOEBOX_ASSIGN(auto record, txn.photo(photo));
  if (!record) return Status::ok();
  record->info = info;
  record->file_info.reset();
  tidy(record->info.people);
  tidy(record->info.tags);
  SHOEBOX_TRY(use_present_names(txn, record->info.people));
  SHOEBOX_ASSIGN(const bool changed, note_sidecars(txn, photo, *record));
  (void)changed;
  apply_sidecars(*record);
  SHOEBOX_TRY(settle(txn, photo, *record));
  txn.put_photo(photo, *record);
  SHOEBOX_TRY(file_home(txn, rows_, photo, *record));
  // What was no photo by its earlier name may have lost its home as one.
  if (shows_in_views(*record)) SHOEBOX_TRY(file_again(txn, rows_, photo, {}));
  return refresh(txn, photo);
}

Status ViewEngine::left_to_twins(Transaction& txn, PhotoId photo, PhotoId went_on) const {
  SHOEBOX_ASSIGN(const auto twins, txn.inodes_of_photo(photo));
  if (twins.empty()) return Status::ok();
  SHOEBOX_TRY(file_again(txn, rows_, photo, went_on));
  return refresh(txn, photo);
}

void ViewEngine::settle_views(PhotoRecord& record) const {
  // As long as one is not read, as after each change of it, the date may be another one: what was said
  // against a sidecar would seem to say nothing new.
  const bool all_read = std::none_of(record.sidecars.begin(), record.sidecars.end(), [](const auto& sidecar) {
    return sidecar.second.kind == MediaKind::kUnknown;
  });
  if (!all_read) return;
  for (const auto& view : rows_.views()) view->settle(record);
}

Status ViewEngine::settle(const CatalogReader& reader, PhotoId photo, PhotoRecord& record) const {
  SHOEBOX_ASSIGN(const bool changed, set_date(reader, photo, record));
  (void)changed;
  settle_views(record);
  return Status::ok();
}

Status ViewEngine::mtime_changed(Transaction& txn, InodeNo inode) const {
  SHOEBOX_ASSIGN(const auto changed, txn.inode(inode));
  if (!changed || !changed->photo) return Status::ok();
  SHOEBOX_ASSIGN(auto record, txn.photo(changed->photo));
  if (!record || record->info.kind == MediaKind::kUnknown) return Status::ok();
  SHOEBOX_ASSIGN(const bool moved, set_date(txn, changed->photo, *record));
  if (!moved) return Status::ok();
  settle_views(*record);
  txn.put_photo(changed->photo, *record);
  return refresh(txn, changed->photo);
}

}  // namespace shoebox
