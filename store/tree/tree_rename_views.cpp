// mv into and out of the views: what a place given to a photo states.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree_rename.h"

namespace shoebox {
namespace {

Status across_views(const Renaming& r) {
  return not_permitted("mv", r.from_name, "folders stay in their view; move the photos in it");
}

// What has no PhotoId states nothing: it really moves.
bool moves_for_real(const Renaming& r) { return !r.source_record.photo; }

Status check_holds(Operation& op, const Renaming& r) {
  const View* view = op.core.engine.view_of(r.to.record.view);
  if (view == nullptr) return not_permitted("mv", r.to_name, "this view is not there in this build");
  if (!S_ISREG(r.source_record.mode))
    return not_permitted("mv", r.from_name, "views hold photos and plain files only");
  return Status::ok();
}

// A name in a view is taken: a temporary or new file replaces, a photo that has its home does not.
Status over_a_name(Operation& op, const Renaming& r) {
  const bool photo = r.target_record->photo && r.target_record->content;
  if (photo) {
    SHOEBOX_ASSIGN(const bool fresh, is_fresh(op, r));
    if (!fresh)
      return {Code::kExists, fmt::format("mv {} to {}: another photo has this name", r.from_name, r.to_name)};
    return replace_photo(op, r, /*all_names=*/true);
  }
  if (r.source_record.photo && !is_junk(r.from_name) && r.from.place != r.to.place)
    return {Code::kExists, fmt::format("mv {} to {}: a file has this name", r.from_name, r.to_name)};
  // A sidecar or other file that was written anew takes all the names of the old one.
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, r.target->inode));
  for (const Row& row : rows) {
    const bool asked = row.directory == r.to.number && row.name == r.to_name;
    SHOEBOX_TRY(op.txn.put_dentry(row.directory, row.name, {r.source.inode, S_IFREG, row.kind},
                                  asked ? Notice::kKernelKnows : Notice::kTell));
  }
  // An empty placeholder's photo goes: the file that takes its place states the same by its folder.
  const PhotoId placeholder = r.target_record->photo;
  SHOEBOX_ASSIGN(InodeRecord old, need_inode(op.txn, r.target->inode));
  old.photo = PhotoId{};
  op.txn.put_inode(r.target->inode, old);
  SHOEBOX_TRY(op.core.rows.erase(op.txn, r.from.number, r.from_name, Notice::kKernelKnows));
  SHOEBOX_TRY(op.core.engine.created(op.txn, r.to.number, r.to_name, r.source.inode));
  SHOEBOX_TRY(relink(op, r.target->inode));
  SHOEBOX_TRY(settle_unlinked(op, r.target->inode));
  SHOEBOX_TRY(forget_photo(op.txn, placeholder));
  SHOEBOX_TRY(relink(op, r.source.inode));
  return meet_content(op, r.source.inode);
}

}  // namespace

Status rename_into_view(Operation& op, const Renaming& r) {
  const bool same_view = r.from.place == Place::kView && r.from.record.view == r.to.record.view;
  if (S_ISDIR(r.source_record.mode)) {
    if (!same_view) return across_views(r);
    return op.core.engine.rename_folder(op.txn, r.from.number, r.from_name, r.to.number, r.to_name);
  }
  SHOEBOX_TRY(check_holds(op, r));
  if (r.from.place == Place::kTrashNotes)
    return not_permitted("mv", r.from_name, "a file manager's notes stay in its .Trash folder");
  if (r.target) return over_a_name(op, r);
  if (same_view) {
    SHOEBOX_TRY(op.core.engine.name_moved(op.txn, r.from.number, r.from_name, r.to.number, r.to_name));
    SHOEBOX_TRY(relink(op, r.source.inode));
    SHOEBOX_ASSIGN(const bool taken_over, take_over_set_aside(op, r));
    return taken_over ? Status::ok() : meet_content(op, r.source.inode);
  }
  if (moves_for_real(r)) {
    SHOEBOX_TRY(op.core.rows.erase(op.txn, r.from.number, r.from_name, Notice::kKernelKnows));
    SHOEBOX_TRY(op.core.engine.created(op.txn, r.to.number, r.to_name, r.source.inode));
    SHOEBOX_TRY(relink(op, r.source.inode));
    return meet_content(op, r.source.inode);
  }
  SHOEBOX_TRY(op.core.engine.name_added(op.txn, r.to.number, r.to_name, r.source.inode));
  return tell_again(op, r.from.number, r.from_name);
}

Status rename_view_to_library(Operation& op, const Renaming& r) {
  if (S_ISDIR(r.source_record.mode)) return across_views(r);
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, r.source.inode));
  if (r.target && r.target_record->photo) {
    SHOEBOX_ASSIGN(const bool fresh, is_fresh(op, r));
    SHOEBOX_ASSIGN(const bool precious, is_precious(op.txn, *r.target_record, r.to_name));
    if (fresh && precious) return replace_photo(op, r, /*all_names=*/false);
  }
  SHOEBOX_TRY(make_way(op, r));
  if (moves_for_real(r)) {
    for (const NameOf& home : homes) {
      SHOEBOX_TRY(op.txn.erase_dentry(home.directory, home.name));
      SHOEBOX_TRY(touch_directory(op, home.directory));
    }
    SHOEBOX_TRY(op.core.rows.erase(op.txn, r.from.number, r.from_name, Notice::kKernelKnows));
  } else if (!homes.empty()) {
    // The home moves here; further homes stay.
    SHOEBOX_TRY(op.txn.erase_dentry(homes.front().directory, homes.front().name));
    SHOEBOX_TRY(touch_directory(op, homes.front().directory));
  }
  SHOEBOX_TRY(op.txn.put_dentry(r.to.number, r.to_name, {r.source.inode, S_IFREG, NameKind::kGiven},
                                Notice::kKernelKnows));
  SHOEBOX_TRY(touch_directory(op, r.to.number));
  SHOEBOX_TRY(relink(op, r.source.inode));
  SHOEBOX_TRY(become_real(op, r.source.inode, r.to_name));
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, r.source.inode));
  if (record.photo) SHOEBOX_TRY(op.core.engine.refresh(op.txn, record.photo));
  if (!homes.empty())
    SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, homes.front().directory, homes.front().name));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, r.to.number, r.to_name));
  return moves_for_real(r) ? Status::ok() : tell_again(op, r.from.number, r.from_name);
}

}  // namespace shoebox
