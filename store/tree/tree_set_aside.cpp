// Programs that save by setting the old file aside: x.jpg becomes x.jpg_original (ExifTool), x.jpg~ (vim) or
// x.jpg.bak, and then a new file gets the name x.jpg, by a rename or by being written there.
//
// Only a file that the program that did so puts there, within seconds, is meant (set_aside_names.h): `mv`
// and then `cp` are two programs, and make two photos. Until the new file has bytes, the photo is the one set
// aside, so that a save that is broken off loses nothing of what was said about it. Then the new file is the
// photo, in all its places, and the backup copy a plain file that stays where it is and shows nowhere else.
// The former bytes are also a version, as after any replacing.
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/name_class.h"
#include "store/tree/tree_rename.h"
#include "store/tree/view_home.h"

namespace shoebox {
namespace {

struct FormerFile {
  NameOf name;
  InodeNo inode;
  InodeRecord record;
};

// The photo set aside, if that very file still stands where the program put it.
Result<std::optional<FormerFile>> find_former(Operation& op, const NameOf& name,
                                              const std::optional<SetAsideNames::SetAside>& aside) {
  if (!aside) return std::optional<FormerFile>();
  SHOEBOX_ASSIGN(const auto dentry, op.txn.dentry(name.directory, aside->name));
  if (!dentry || dentry->inode != aside->inode || !S_ISREG(dentry->type)) return std::optional<FormerFile>();
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, aside->inode));
  if (!record.photo || !record.content) return std::optional<FormerFile>();
  SHOEBOX_ASSIGN(const auto photo, op.txn.photo(record.photo));
  if (!photo || photo->info.kind == MediaKind::kOther) return std::optional<FormerFile>();
  return std::optional(FormerFile{{name.directory, aside->name}, aside->inode, std::move(record)});
}

// The new inode takes the names that replace_photo() would give it. Whether the old one has another than that
// of the backup copy left.
Result<bool> move_names(Operation& op, const FormerFile& old, InodeNo incoming, bool all_names) {
  bool stays = false;
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, old.inode));
  for (const Row& row : rows) {
    if (NameOf{row.directory, row.name} == old.name) continue;
    // The home of an earlier backup copy, whose place in the view the old file took.
    const auto is_copied = [&](const Row& other) {
      return other.directory == row.directory && other.name == photo_of_backup_copy(row.name);
    };
    if (std::any_of(rows.begin(), rows.end(), is_copied)) continue;
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

// The photo goes on with this inode, which has bytes. Whether there was one set aside.
Result<bool> go_on_with(Operation& op, const NameOf& name, InodeNo inode,
                        const std::optional<SetAsideNames::SetAside>& aside) {
  SHOEBOX_ASSIGN(const auto old, find_former(op, name, aside));
  if (!old || old->inode == inode) return false;
  SHOEBOX_ASSIGN(const InodeRecord incoming, need_inode(op.txn, inode));
  const PhotoId photo = old->record.photo;
  SHOEBOX_ASSIGN(const Directory directory, need_directory(op.txn, name.directory));
  SHOEBOX_TRY(copy_xattrs(op, old->inode, inode, /*shared_only=*/true));
  SHOEBOX_ASSIGN(const bool stays, move_names(op, *old, inode, directory.place == Place::kView));
  bool version = false;
  if (!stays) {  // else it is a photo of its own from now on, under those names
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, old->inode));
    record.photo = PhotoId{};
    op.txn.put_inode(old->inode, record);
    version = record.content != incoming.content;
    if (version) SHOEBOX_TRY(retain_content(op.txn, record.content));
  }
  SHOEBOX_TRY(move_photo(op, photo, inode));
  if (version) SHOEBOX_TRY(keep_version(op.txn, photo, old->record.content, name.name, op.now));
  SHOEBOX_TRY(relink(op, old->inode));
  SHOEBOX_TRY(relink(op, inode));
  if (directory.place == Place::kView)
    SHOEBOX_TRY(file_backup_copy(op.txn, op.core.rows, old->name, name.name));
  SHOEBOX_TRY(ensure_jobs(op, incoming.content));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, old->name.directory, old->name.name));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, name.directory, name.name));
  // Not before the catalog says so.
  op.txn.after_commit([&core = op.core, name] { core.set_aside.saved(name); });
  return true;
}

}  // namespace

Result<bool> take_over_set_aside(Operation& op, const Renaming& r) {
  // A photo that has an identity of its own keeps it, whoever gives it the name.
  if (r.source_record.photo || !r.source_record.content || r.source_record.size == 0) return false;
  const NameOf name{r.to.number, r.to_name};
  return go_on_with(op, name, r.source.inode,
                    op.core.set_aside.find(name, op.caller.pid, op.core.clock.steady()));
}

Status got_first_bytes(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  if (!record.content || record.size == 0) return Status::ok();
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  for (const NameOf& name : names) {
    const auto aside = op.core.set_aside.find(name, inode, op.core.clock.steady());
    SHOEBOX_ASSIGN(const bool taken_over, go_on_with(op, name, inode, aside));
    if (taken_over) break;
  }
  return Status::ok();
}

Status drop_own_backup_copy(Operation& op, const NameOf& name, InodeNo inode) {
  if (!op.core.set_aside.made(name, inode, op.caller.pid, op.core.clock.steady())) return Status::ok();
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const bool held, held_by_version(op.txn, record.content));
  if (record.photo || !held) return Status::ok();
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, inode));
  for (const NameOf& home : homes)
    SHOEBOX_TRY(op.core.rows.erase(op.txn, home.directory, home.name, Notice::kTell));
  return relink(op, inode);
}

void note_set_aside(const Operation& op, const Renaming& r) {
  if (r.from.number != r.to.number || !S_ISREG(r.source_record.mode) || !r.source_record.photo) return;
  if (r.to.place != Place::kLibrary && r.to.place != Place::kView) return;
  const auto names = backup_copy_names(r.from_name);
  if (std::find(names.begin(), names.end(), r.to_name) == names.end()) return;
  op.core.set_aside.note({r.from.number, r.from_name}, {r.source.inode, r.to_name}, op.caller.pid,
                         op.core.clock.steady());
}

}  // namespace shoebox
