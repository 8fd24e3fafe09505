// "Replacing": an editor writes a temporary or new file and renames it over a photo.
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/sidecar_facts.h"
#include "store/tree/tree_rename.h"

namespace shoebox {
namespace {

// The former file under the name of a backup copy, a hard link made just before: `rsync --backup`.
bool is_its_backup_copy(const Renaming& r, const Row& row) {
  return row.directory == r.to.number && photo_of_backup_copy(row.name) == r.to_name;
}

// Whether the old inode has no names but such.
Result<bool> only_backup_copies(Operation& op, const Renaming& r) {
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, r.target->inode));
  return std::all_of(rows.begin(), rows.end(), [&](const Row& row) { return is_its_backup_copy(r, row); });
}

// Where rsync collects with --delay-updates, by itself or with the --partial-dir that its manual gives:
// nobody keeps photos there.
bool collects_for_hours(std::string_view folder) {
  return folder.starts_with(".~tmp~") || folder == ".rsync-partial";
}

// Whether the source has no names but where it comes from and, if that is a view, the home that it was given
// for it. One born there has a higher number than its folder.
Result<bool> was_born_there(Operation& op, const Renaming& r) {
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, r.source.inode));
  uint32_t homes = 0;
  for (const Row& row : rows) {
    if ((row.directory == r.from.number && row.name == r.from_name) || !row.lives()) continue;
    if (!row.in_library() || r.from.place != Place::kView) return false;
    ++homes;
  }
  return homes == 0 || (homes == 1 && r.source.inode > r.from.number);
}

// Somebody said something of this photo.
bool is_stated(const PhotoRecord& photo) {
  const bool asserted = std::any_of(photo.statements.begin(), photo.statements.end(),
                                    [](const auto& entry) { return entry.second == Statement::kAsserted; });
  return asserted || photo.stated_date || photo.stated_place;
}

bool is_new(const Operation& op, const Renaming& r) {
  return op.now.seconds - r.source_record.btime.seconds < kNewFileSeconds;
}

// Whether the source, which is `photo`, comes out of a hidden folder beside the target, in which a program
// collects what it puts in place when all of it is there: `rsync --delay-updates`. It may lie there for
// hours, decoded and filed. What somebody put there that was a photo before is none of it.
Result<bool> was_collected(Operation& op, const Renaming& r, PhotoRecord photo) {
  if (r.from.record.parent != r.to.number) return false;
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(r.from.number));
  if (names.empty() || !is_junk(names.front().name)) return false;
  if (!collects_for_hours(names.front().name) && !is_new(op, r)) return false;
  if (const View* view = op.core.engine.view_of(r.from.record.view)) {
    SHOEBOX_ASSIGN(const ViewPath folder, op.core.rows.path_of(op.txn, r.from.number));
    ViewEngine::unsay(photo, *view, folder);
  }
  if (is_stated(photo)) return false;
  return was_born_there(op, r);
}

// What the name it comes from stated goes with it: that it is in the folder. Before the photo becomes another
// one, of which nothing is denied by this: it may be in that folder too.
Status take_back(Operation& op, const Renaming& r) {
  const bool moves_on = r.from.number != r.to.number && r.from.record.view == r.to.record.view;
  const View* view = op.core.engine.view_of(r.from.record.view);
  if (view == nullptr || !moves_on) return Status::ok();
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(r.source_record.photo));
  SHOEBOX_ASSIGN(const ViewPath folder, op.core.rows.path_of(op.txn, r.from.number));
  if (!photo || !view->holds_photos(folder)) return Status::ok();
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_photo(op.txn, r.source_record.photo));
  const bool still_shows = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.directory == r.from.number && row.name != r.from_name;
  });
  if (still_shows) return Status::ok();
  ViewEngine::unsay(*photo, *view, folder);
  op.txn.put_photo(r.source_record.photo, *photo);
  return Status::ok();
}

// Names of the old inode that the new one takes: all that it has in views; in Library just the one
// asked for, unless the photo was replaced through a view and has its homes there.
Status take_names(Operation& op, const Renaming& r, bool all_names, bool collected) {
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, r.target->inode));
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, r.source.inode));
  for (const Row& row : rows) {
    const bool asked = row.directory == r.to.number && row.name == r.to_name;
    if (!asked && ((row.in_library() && !all_names) || is_its_backup_copy(r, row))) continue;
    const NameKind kind = asked ? NameKind::kGiven : row.kind;
    SHOEBOX_TRY(op.txn.put_dentry(row.directory, row.name, {r.source.inode, S_IFREG, kind},
                                  asked ? Notice::kKernelKnows : Notice::kTell));
    SHOEBOX_TRY(touch_directory(op, row.directory));
  }
  // The name it comes from goes with what it stated.
  const View* view = op.core.engine.view_of(r.from.record.view);
  if (view != nullptr && (collected || !r.source_record.photo)) {
    // It really moves, and its home with it: so does a backup copy that is restored.
    for (const NameOf& home : homes)
      SHOEBOX_TRY(op.core.rows.erase(op.txn, home.directory, home.name, Notice::kTell));
  }
  if (view != nullptr) return op.core.rows.erase(op.txn, r.from.number, r.from_name, Notice::kKernelKnows);
  SHOEBOX_TRY(op.txn.erase_dentry(r.from.number, r.from_name, Notice::kKernelKnows));
  return touch_directory(op, r.from.number);
}

}  // namespace

Result<bool> is_fresh(Operation& op, const Renaming& r) {
  if (is_temporary(r.from_name) || is_junk(r.from_name)) return true;
  if (!r.source_record.photo) return true;
  SHOEBOX_ASSIGN(const auto photo, op.txn.photo(r.source_record.photo));
  if (!photo) return true;
  SHOEBOX_ASSIGN(const bool collected, was_collected(op, r, *photo));
  if (collected) return true;
  if (r.to.place == Place::kView) return !photo->homed;
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, r.source.inode));
  return !is_stated(*photo) && homes.size() == 1 && r.from.number == r.to.number && is_new(op, r);
}

Status move_photo(Operation& op, PhotoId photo, InodeNo inode) {
  SHOEBOX_ASSIGN(InodeRecord incoming, need_inode(op.txn, inode));
  // What the incoming bytes were before: a provisional photo, or for a temporary file one that its
  // twins carry. Asked now, since the photo is about to become the one of these bytes.
  PhotoId joining = incoming.photo;
  if (!joining && incoming.content) {
    SHOEBOX_ASSIGN(const auto known, op.txn.photo_of_content(incoming.content));
    joining = known.value_or(PhotoId{});
  }
  std::optional<MediaInfo> info;
  if (joining) {
    SHOEBOX_ASSIGN(const auto record, op.txn.photo(joining));
    if (record && record->info.kind != MediaKind::kUnknown) info = own_info(*record);
  }
  incoming.photo = photo;
  op.txn.put_inode(inode, incoming);
  SHOEBOX_ASSIGN(const PhotoId rest, move_photo_to(op.txn, photo, inode, incoming.content));
  // Twins of the incoming bytes come along: equal bytes, one photo.
  if (joining && joining != photo) SHOEBOX_TRY(op.core.engine.merge(op.txn, joining, photo));
  if (rest) SHOEBOX_TRY(op.core.engine.left_to_twins(op.txn, rest, photo));
  SHOEBOX_ASSIGN(auto record, op.txn.photo(photo));
  if (!record) return Status::ok();
  record->content = incoming.content;
  record->homed = true;
  op.txn.put_photo(photo, *record);
  if (info) return op.core.engine.decoded(op.txn, photo, *info);
  return meet_content(op, inode);
}

Status replace_photo(Operation& op, const Renaming& r, bool all_names) {
  const PhotoId photo = r.target_record->photo;
  const InodeNo old = r.target->inode;
  SHOEBOX_TRY(copy_xattrs(op, old, r.source.inode, /*shared_only=*/true));
  SHOEBOX_ASSIGN(const auto joining, op.txn.photo(r.source_record.photo));
  bool collected = false;
  if (joining) {
    SHOEBOX_ASSIGN(collected, was_collected(op, r, *joining));
  }
  SHOEBOX_TRY(take_back(op, r));
  SHOEBOX_TRY(take_names(op, r, all_names, collected));
  SHOEBOX_TRY(op.core.rows.recount(op.txn, old));
  SHOEBOX_ASSIGN(InodeRecord old_record, need_inode(op.txn, old));
  SHOEBOX_ASSIGN(const bool gone, only_backup_copies(op, r));  // or no name at all
  const bool new_bytes = old_record.content != r.source_record.content;
  if (gone) {
    // Its hold on the bytes passes to the version; an open handle holds them for itself.
    old_record.photo = PhotoId{};
    op.txn.put_inode(old, old_record);
    if (new_bytes) SHOEBOX_TRY(retain_content(op.txn, old_record.content));
  }
  SHOEBOX_TRY(move_photo(op, photo, r.source.inode));
  if (gone) {
    if (new_bytes) SHOEBOX_TRY(keep_version(op.txn, photo, old_record.content, r.to_name, op.now));
  }
  if (old_record.nlink == 0)
    SHOEBOX_TRY(settle_unlinked(op, old));
  else
    SHOEBOX_TRY(relink(op, old));
  SHOEBOX_TRY(relink(op, r.source.inode));
  SHOEBOX_TRY(ensure_jobs(op, r.source_record.content));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, r.from.number, r.from_name));
  return op.core.engine.sidecars_changed(op.txn, r.to.number, r.to_name);
}

}  // namespace shoebox
