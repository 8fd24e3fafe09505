// Programs that save by setting the old file aside: x.jpg becomes x.jpg_original (ExifTool), x.jpg~ (vim) or
// x.jpg.bak, and then a new file gets the name x.jpg, by a rename or by being written there.
//
// Until the new file has bytes, the photo is the one set aside, so that a save that is broken off loses
// nothing of what was said about it. Then the new file is the photo, in all its places, and the backup copy a
// plain file that stays where it is and shows nowhere else. The former bytes are also a version, as after any
// replacing.
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/name_class.h"
#include "store/tree/tree_rename.h"

namespace shoebox {
namespace {

struct SetAside {
  NameOf name;
  InodeNo inode;
  InodeRecord record;
};

// What was a photo called `name` in this folder a moment ago; by the rename its ctime is new.
Result<std::optional<SetAside>> find_set_aside(Operation& op, const NameOf& name, InodeNo incoming) {
  for (std::string& aside : backup_copy_names(name.name)) {
    SHOEBOX_ASSIGN(const auto dentry, op.txn.dentry(name.directory, aside));
    if (!dentry || dentry->inode == incoming || !S_ISREG(dentry->type)) continue;
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, dentry->inode));
    if (!record.photo || !record.content) continue;
    if (op.now.seconds - record.ctime.seconds >= kNewFileSeconds) continue;
    SHOEBOX_ASSIGN(const auto photo, op.txn.photo(record.photo));
    if (!photo || photo->info.kind == MediaKind::kOther) continue;
    return std::optional(SetAside{{name.directory, std::move(aside)}, dentry->inode, std::move(record)});
  }
  return std::optional<SetAside>();
}

// The new inode takes the names that replace_photo() would give it. Whether the old one has another than that
// of the backup copy left.
Result<bool> move_names(Operation& op, const SetAside& old, InodeNo incoming, bool all_names) {
  bool stays = false;
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, old.inode));
  for (const Row& row : rows) {
    if (NameOf{row.directory, row.name} == old.name) continue;
    if (row.in_library() && !all_names) {
      stays = true;
      continue;
    }
    SHOEBOX_TRY(op.txn.put_dentry(row.directory, row.name, {incoming, S_IFREG, row.kind}, Notice::kTell));
    SHOEBOX_TRY(touch_directory(op, row.directory));
  }
  SHOEBOX_TRY(op.core.rows.recount(op.txn, old.inode));
  return stays;
}

}  // namespace

Result<bool> take_over_set_aside(Operation& op, const NameOf& name, InodeNo inode) {
  SHOEBOX_ASSIGN(const InodeRecord incoming, need_inode(op.txn, inode));
  if (!incoming.content || incoming.size == 0) return false;
  SHOEBOX_ASSIGN(const auto old, find_set_aside(op, name, inode));
  if (!old) return false;
  const PhotoId photo = old->record.photo;
  SHOEBOX_ASSIGN(const Directory directory, need_directory(op.txn, name.directory));
  SHOEBOX_TRY(copy_xattrs(op, old->inode, inode, /*shared_only=*/true));
  SHOEBOX_ASSIGN(const bool stays, move_names(op, *old, inode, directory.place == Place::kView));
  bool version = false;
  if (!stays) {  // else it is a photo of its own from now on, under those names
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, old->inode));
    record.photo = PhotoId{};
    op.txn.put_inode(old->inode, record);
    SHOEBOX_ASSIGN(const auto bytes, op.txn.content(record.content));
    version = record.content != incoming.content && bytes && is_immutable(bytes->state);
    if (version) SHOEBOX_TRY(retain_content(op.txn, record.content));
  }
  SHOEBOX_TRY(move_photo(op, photo, inode));
  if (version) SHOEBOX_TRY(keep_version(op.txn, photo, old->record.content, name.name, op.now));
  SHOEBOX_TRY(relink(op, old->inode));
  SHOEBOX_TRY(relink(op, inode));
  SHOEBOX_TRY(ensure_jobs(op, incoming.content));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, old->name.directory, old->name.name));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, name.directory, name.name));
  return true;
}

Status got_first_bytes(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  if (op.now.seconds - record.btime.seconds >= kNewFileSeconds) return Status::ok();
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  for (const NameOf& name : names) {
    SHOEBOX_ASSIGN(const Directory directory, need_directory(op.txn, name.directory));
    if (directory.place != Place::kLibrary && directory.place != Place::kView) continue;
    SHOEBOX_ASSIGN(const bool taken_over, take_over_set_aside(op, name, inode));
    if (taken_over) break;
  }
  return Status::ok();
}

}  // namespace shoebox
