// Out of Trash: for good, or back to life.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree_trash.h"

namespace shoebox {
namespace {

Notice notice_for(const NameOf& name, const NameOf* asked) {
  return asked != nullptr && name == *asked ? Notice::kKernelKnows : Notice::kTell;
}

// The row goes; a file manager that took it away itself removes its note as well.
Status drop_row(Operation& op, const NameOf& row, const NameOf* asked, int subfolders) {
  const bool by_file_manager = op.caller.from_kernel && asked != nullptr && row == *asked;
  if (!by_file_manager) SHOEBOX_TRY(drop_note(op, row));
  SHOEBOX_TRY(op.txn.erase_dentry(row.directory, row.name, notice_for(row, asked)));
  return touch_directory(op, row.directory, subfolders);
}

// Everything below a folder in Trash, then the folder.
Status purge_folder(Operation& op, InodeNo folder, const NameOf* asked) {
  std::vector<DirEntry> entries;
  SHOEBOX_TRY(op.txn.for_each_entry(folder, "", [&](const DirEntry& entry) {
    entries.push_back(entry);
    return true;
  }));
  for (const DirEntry& entry : entries) {
    if (S_ISDIR(entry.dentry.type)) {
      SHOEBOX_TRY(purge_folder(op, entry.dentry.inode, nullptr));
      continue;
    }
    SHOEBOX_ASSIGN(const Directory directory, need_directory(op.txn, folder));
    SHOEBOX_TRY(purge_row(op, directory, entry.name));
  }
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(folder));
  for (const NameOf& name : names) {
    SHOEBOX_TRY(drop_link(op, name));
    SHOEBOX_TRY(drop_row(op, name, asked, -1));
  }
  op.txn.erase_trash(folder);
  return op.txn.erase_inode(folder);
}

Status purge_file(Operation& op, InodeNo inode, const NameOf* asked) {
  SHOEBOX_ASSIGN(const auto trash, op.txn.trash(inode));
  SHOEBOX_TRY(take_out(op, inode, asked));
  SHOEBOX_TRY(settle_unlinked(op, inode));
  // An empty file holds no bytes by which its photo would be found.
  return trash ? forget_photo(op.txn, trash->photo) : Status::ok();
}

// A name in a view that the record remembers, if its folder still stands and the name is free.
Status give_back_name(Operation& op, InodeNo inode, const NameOf& name) {
  SHOEBOX_ASSIGN(const auto directory, op.txn.inode(name.directory));
  if (!directory || place_of(name.directory, *directory) != Place::kView) return Status::ok();
  SHOEBOX_ASSIGN(const auto taken, op.txn.dentry(name.directory, name.name));
  if (taken) return Status::ok();
  return op.core.engine.name_added(op.txn, name.directory, name.name, inode);
}

}  // namespace

Status purge_row(Operation& op, const Directory& directory, std::string_view name) {
  SHOEBOX_ASSIGN(const DentryRecord dentry, need_dentry(op.txn, directory.number, name));
  const NameOf asked{directory.number, std::string(name)};
  if (S_ISDIR(dentry.type)) return purge_folder(op, dentry.inode, &asked);
  SHOEBOX_ASSIGN(const auto linked, linked_folder(op.txn, dentry.inode));
  if (linked) {
    SHOEBOX_ASSIGN(const DentryRecord folder, need_dentry(op.txn, linked->directory, linked->name));
    return purge_folder(op, folder.inode, nullptr);
  }
  if (directory.place != Place::kTrashedFolder) return purge_file(op, dentry.inode, &asked);
  // In a trashed folder each name counts: a hard link may live on in Library.
  SHOEBOX_TRY(op.txn.erase_dentry(directory.number, name, Notice::kKernelKnows));
  SHOEBOX_TRY(touch_directory(op, directory.number));
  SHOEBOX_TRY(relink(op, dentry.inode));
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, dentry.inode));
  if (record.nlink > 0) return Status::ok();
  SHOEBOX_ASSIGN(const auto trash, op.txn.trash(dentry.inode));
  op.txn.erase_trash(dentry.inode);
  SHOEBOX_TRY(settle_unlinked(op, dentry.inode));
  return trash ? forget_photo(op.txn, trash->photo) : Status::ok();
}

Status purge(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(const auto record, op.txn.inode(inode));
  if (!record) return Status::ok();
  return S_ISDIR(record->mode) ? purge_folder(op, inode, nullptr) : purge_file(op, inode, nullptr);
}

Status take_out(Operation& op, InodeNo inode, const NameOf* asked) {
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  for (const NameOf& name : names) SHOEBOX_TRY(drop_row(op, name, asked, 0));
  op.txn.erase_trash(inode);
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));
  record.nlink = 0;
  record.ctime = op.now;
  op.txn.put_inode(inode, record);
  return Status::ok();
}

Status revive(Operation& op, InodeNo inode, const TrashRecord& trash, bool with_names) {
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));
  if (!trash.photo) return Status::ok();
  // The photo by its bytes: it may have been merged, or replaced, while this lay in Trash.
  PhotoId id;
  if (record.content) {
    SHOEBOX_ASSIGN(const auto by_bytes, op.txn.photo_of_content(record.content));
    if (by_bytes) id = *by_bytes;
  }
  if (!id) id = op.txn.new_photo_id();
  SHOEBOX_ASSIGN(const auto known, op.txn.photo(id));
  PhotoRecord photo = known.value_or(PhotoRecord{});
  photo.content = record.content;
  if (photo.original_name.empty()) photo.original_name = trash.path.substr(trash.path.rfind('/') + 1);
  for (const ViewValue& value : trash.statements) photo.statements.emplace(value, Statement::kAsserted);
  op.txn.put_photo(id, photo);
  record.photo = id;
  op.txn.put_inode(inode, record);
  if (with_names)
    for (const NameOf& name : trash.names) SHOEBOX_TRY(give_back_name(op, inode, name));
  SHOEBOX_TRY(relink(op, inode));
  return redo_rows(op, id);
}

Result<InodeNo> living_of(Operation& op, InodeNo inode, const TrashRecord& trash) {
  if (!trash.photo) return inode;
  SHOEBOX_ASSIGN(auto rows, op.core.rows.of_photo(op.txn, trash.photo));
  if (rows.empty()) {  // it may have been merged while this lay in Trash: equal bytes are one photo
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
    SHOEBOX_ASSIGN(const auto by_bytes, op.txn.photo_of_content(record.content));
    if (by_bytes) {
      SHOEBOX_ASSIGN(rows, op.core.rows.of_photo(op.txn, *by_bytes));
    }
  }
  const Row* living = ViewRows::representative(rows);
  return living != nullptr ? living->inode : inode;
}

Status restore_file(Operation& op, InodeNo inode, const NameOf& from, const Directory& to,
                    std::string_view name) {
  SHOEBOX_ASSIGN(const auto found, op.txn.trash(inode));
  TrashRecord trash = found.value_or(TrashRecord{});
  SHOEBOX_TRY(take_out(op, inode, &from));
  if (to.place == Place::kLibrary) {
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
    SHOEBOX_TRY(op.txn.put_dentry(to.number, name, {inode, record.mode & S_IFMT, NameKind::kGiven},
                                  Notice::kKernelKnows));
    SHOEBOX_TRY(touch_directory(op, to.number));
    SHOEBOX_TRY(relink(op, inode));
    SHOEBOX_TRY(revive(op, inode, trash, true));
    SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, to.number, name));
    return restore_sidecars(op, trash, to, name);
  }
  // A stand-in that a view left: the photo itself takes the name, if it still lives.
  SHOEBOX_ASSIGN(const InodeNo living, living_of(op, inode, trash));
  if (living == inode) {
    // The place it is put at states anew; only where it was lost does the record tell.
    trash.statements.clear();
    SHOEBOX_TRY(revive(op, inode, trash, false));
    SHOEBOX_TRY(op.core.engine.name_added(op.txn, to.number, name, inode));
    return restore_sidecars(op, trash, to, name);
  }
  SHOEBOX_TRY(op.core.engine.name_added(op.txn, to.number, name, living));
  // The kernel moved the stand-in there: it must look again.
  SHOEBOX_TRY(tell_again(op, to.number, name));
  return settle_unlinked(op, inode);
}

}  // namespace shoebox
