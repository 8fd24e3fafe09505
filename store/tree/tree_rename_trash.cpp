// mv into Trash does what rm does where it came from; mv out of it undoes that.
#include <fmt/format.h>
#include <sys/stat.h>

#include "store/base/file_names.h"
#include "store/tree/tree_rename.h"
#include "store/tree/tree_trash.h"

namespace shoebox {

namespace {

// A name in a trashed folder whose file lives elsewhere: the name alone leaves.
Status move_further_name(Operation& op, const Renaming& r) {
  if (r.to.place == Place::kView) {
    SHOEBOX_TRY(op.txn.erase_dentry(r.from.number, r.from_name, Notice::kKernelKnows));
    SHOEBOX_TRY(touch_directory(op, r.from.number));
    return op.core.engine.name_added(op.txn, r.to.number, r.to_name, r.source.inode);
  }
  SHOEBOX_TRY(move_row(op, r));
  SHOEBOX_TRY(relink(op, r.source.inode));
  if (r.source_record.photo) SHOEBOX_TRY(op.core.engine.refresh(op.txn, r.source_record.photo));
  return op.core.engine.sidecars_changed(op.txn, r.to.number, r.to_name);
}

}  // namespace

Status rename_into_trash(Operation& op, const Renaming& r) {
  if (r.target)
    return {Code::kExists, fmt::format("mv {} to {}: Trash has that name", r.from_name, r.to_name)};
  if (r.to.place == Place::kTrashedFolder)
    return not_permitted("mv", r.from_name, "move it into Trash itself, not into a folder that lies there");
  const NameOf asked = r.from_name_of();
  const TrashTarget target{r.to.number, r.to_name};
  if (S_ISDIR(r.source_record.mode)) {
    if (r.from.place == Place::kView) return trash_view_folder(op, r.source.inode, asked, target);
    if (r.from.place != Place::kLibrary)
      return not_permitted("mv", r.from_name, "the folders of a file manager's Trash stay");
    return trash_folder(op, r.source.inode, asked, target);
  }
  if (r.from.place == Place::kView) {
    // Where rm leaves nothing to undo, the move still has to leave what it moved.
    if (!r.source_record.content || r.source_record.size == 0 || is_junk(r.from_name))
      return trash_file(op, r.source.inode, asked, target);
    return unlink_in_view(op, r.from, r.from_name, r.source.inode, target);
  }
  SHOEBOX_TRY(trash_file(op, r.source.inode, asked, target));
  return op.core.engine.sidecars_changed(op.txn, r.from.number, r.from_name);
}

Status rename_out_of_trash(Operation& op, const Renaming& r) {
  if (r.to.place != Place::kLibrary && r.to.place != Place::kView)
    return not_permitted("mv", r.from_name, "move it to Library or a view to restore it");
  SHOEBOX_ASSIGN(const auto linked, linked_folder(op.txn, r.source.inode));
  if (S_ISDIR(r.source_record.mode) || linked) {
    NameOf from = r.from_name_of();
    InodeNo folder = r.source.inode;
    if (linked) {
      // The kernel moves a link, and gets a folder: it must look again, everywhere.
      op.txn.tell_all_names();
      SHOEBOX_ASSIGN(const DentryRecord behind, need_dentry(op.txn, linked->directory, linked->name));
      SHOEBOX_TRY(drop_note(op, *linked));
      folder = behind.inode;
      from = *linked;
    }
    SHOEBOX_ASSIGN(const ViewId view, view_of_trashed(op.txn, folder));
    if (view != ViewId::kLibrary) {
      if (r.target)
        return {Code::kExists, fmt::format("mv {} to {}: is there already", r.from_name, r.to_name)};
      return restore_view_folder(op, folder, from, r.to, r.to_name);
    }
    if (r.to.place == Place::kView)
      return not_permitted("mv", r.from_name, "folders of Library go back to Library");
    SHOEBOX_TRY(make_way(op, r));
    return restore_folder(op, folder, from, r.to.number, r.to_name);
  }
  if (r.to.place == Place::kView && r.target)
    return {Code::kExists, fmt::format("mv {} to {}: is there already", r.from_name, r.to_name)};
  SHOEBOX_TRY(make_way(op, r));
  SHOEBOX_ASSIGN(const auto trashed, op.txn.trash(r.source.inode));
  if (!trashed) return move_further_name(op, r);
  return restore_file(op, r.source.inode, r.from_name_of(), r.to, r.to_name);
}

Status rename_inside_trash(Operation& op, const Renaming& r) {
  const bool top = r.from.place != Place::kTrashedFolder && r.to.place != Place::kTrashedFolder;
  if (!top && r.from.place != r.to.place)
    return not_permitted("mv", r.from_name, "what lies in a trashed folder is restored from there");
  if (r.target) return {Code::kExists, fmt::format("mv {} to {}: is there already", r.from_name, r.to_name)};
  // From Trash/ to .Trash-$UID/files or back: it shows in both anyway, and takes the name given here.
  if (top && r.from.number != r.to.number && !S_ISDIR(r.source_record.mode)) {
    SHOEBOX_ASSIGN(const auto names, op.txn.names_of(r.source.inode));
    for (const NameOf& name : names) {
      if (name.directory != r.to.number) continue;
      SHOEBOX_TRY(op.txn.erase_dentry(name.directory, name.name));
    }
    SHOEBOX_TRY(op.txn.put_dentry(r.to.number, r.to_name, r.source, Notice::kKernelKnows));
    SHOEBOX_TRY(touch_directory(op, r.to.number));
    return tell_again(op, r.from.number, r.from_name);
  }
  if (!S_ISDIR(r.source_record.mode)) return move_row(op, r);
  SHOEBOX_TRY(drop_link(op, r.from_name_of()));
  SHOEBOX_TRY(move_row(op, r));
  return add_link(op, {r.to.number, r.to_name});
}

}  // namespace shoebox
