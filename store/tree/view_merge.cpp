// Equal bytes, one photo: what was said of the newcomer is said of the photo that was there.

#include <algorithm>

#include "store/tree/content_refs.h"
#include "store/tree/name_class.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_home.h"

namespace shoebox {

Status ViewEngine::merge(Transaction& txn, PhotoId from, PhotoId into) const {
  if (from == into) return Status::ok();
  SHOEBOX_ASSIGN(const auto newcomer, txn.photo(from));
  SHOEBOX_ASSIGN(auto record, txn.photo(into));
  if (!newcomer || !record) return Status::ok();

  SHOEBOX_ASSIGN(const auto inodes, txn.inodes_of_photo(from));
  for (const InodeNo number : inodes) {
    SHOEBOX_ASSIGN(auto inode, txn.inode(number));
    if (!inode) continue;
    inode->photo = into;
    txn.put_inode(number, *inode);
  }
  // The newcomer's statements are the later ones.
  for (const auto& [value, statement] : newcomer->statements) record->statements[value] = statement;
  if (newcomer->stated_date) record->stated_date = newcomer->stated_date;
  if (newcomer->stated_place) record->stated_place = newcomer->stated_place;
  const bool is_decoded = record->info.kind != MediaKind::kUnknown;
  if (is_decoded) settle_views(*record);
  record->homed = record->homed || newcomer->homed;
  if (record->original_name.empty()) record->original_name = newcomer->original_name;

  SHOEBOX_ASSIGN(const auto versions, txn.versions(from));
  SHOEBOX_ASSIGN(const auto own_versions, txn.versions(into));
  for (const VersionRecord& version : versions) {
    const bool known = std::any_of(own_versions.begin(), own_versions.end(),
                                   [&](const VersionRecord& own) { return own.content == version.content; });
    txn.erase_version(from, version.content);
    if (known) {
      SHOEBOX_TRY(release_content(txn, version.content));  // two holds become one
    } else {
      txn.put_version(into, version);
    }
  }
  SHOEBOX_TRY(txn.erase_photo(from));
  txn.put_photo(into, *record);
  if (is_decoded) SHOEBOX_TRY(file_home(txn, rows_, into, *record));
  // The newcomer may have lost its home while it was no photo.
  if (is_decoded && shows_in_views(*record)) SHOEBOX_TRY(file_again(txn, rows_, into, {}));
  return refresh(txn, into);
}

}  // namespace shoebox
