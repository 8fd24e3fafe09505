// rename(2): checks that hold everywhere, then by place.
#include "store/tree/tree_rename.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include "store/base/file_names.h"
#include "store/tree/tree_trash.h"

namespace shoebox {
namespace {

// Whether `directory` is `ancestor` or lies below it.
Result<bool> is_below(const CatalogReader& reader, InodeNo directory, InodeNo ancestor) {
  for (InodeNo at = directory; at && at != kRootInode;) {
    if (at == ancestor) return true;
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(reader, at));
    at = record.parent;
  }
  return ancestor == kRootInode;
}

Status check_types(const Renaming& r) {
  if (!r.target) return Status::ok();
  const bool source_is_folder = S_ISDIR(r.source_record.mode);
  const bool target_is_folder = S_ISDIR(r.target_record->mode);
  if (source_is_folder && !target_is_folder)
    return {Code::kNotDirectory, fmt::format("mv {} to {}: a folder onto a file", r.from_name, r.to_name)};
  if (!source_is_folder && target_is_folder)
    return {Code::kIsDirectory, fmt::format("mv {} to {}: a file onto a folder", r.from_name, r.to_name)};
  return Status::ok();
}

Status check_no_loop(Operation& op, const Renaming& r, RenameMode mode) {
  if (S_ISDIR(r.source_record.mode)) {
    SHOEBOX_ASSIGN(const bool below, is_below(op.txn, r.to.number, r.source.inode));
    if (below) return {Code::kInvalid, fmt::format("mv {}: into itself", r.from_name)};
  }
  if (r.target && S_ISDIR(r.target_record->mode)) {
    SHOEBOX_ASSIGN(const bool below, is_below(op.txn, r.from.number, r.target->inode));
    if (below && mode == RenameMode::kExchange)
      return {Code::kInvalid, fmt::format("mv {}: exchanged with a folder it is in", r.from_name)};
    if (below) return {Code::kNotEmpty, fmt::format("mv {} to {}: not empty", r.from_name, r.to_name)};
  }
  return Status::ok();
}

Result<Renaming> look_up(Operation& op, InodeNo from, std::string_view from_name, InodeNo to,
                         std::string_view to_name) {
  Renaming r;
  SHOEBOX_ASSIGN(r.from, need_directory(op.txn, from));
  SHOEBOX_ASSIGN(r.to, need_standing_directory(op, to));
  r.from_name = from_name;
  r.to_name = to_name;
  SHOEBOX_ASSIGN(r.source, need_dentry(op.txn, from, from_name));
  SHOEBOX_ASSIGN(r.source_record, need_inode(op.txn, r.source.inode));
  SHOEBOX_ASSIGN(r.target, op.txn.dentry(to, to_name));
  if (r.target) {
    SHOEBOX_ASSIGN(r.target_record, need_inode(op.txn, r.target->inode));
  }
  return r;
}

Status by_place(Operation& op, const Renaming& r) {
  if (is_trash(r.from.place) && is_trash(r.to.place)) return rename_inside_trash(op, r);
  if (is_trash(r.from.place)) return rename_out_of_trash(op, r);
  if (is_trash(r.to.place)) return rename_into_trash(op, r);
  if (r.to.place == Place::kView) return rename_into_view(op, r);
  if (r.from.place == Place::kView && r.to.place == Place::kLibrary) return rename_view_to_library(op, r);
  if (r.from.place == r.to.place) return rename_in_tree(op, r);
  return not_permitted("mv", r.from_name, "a file manager's notes stay in its .Trash folder");
}

}  // namespace

Status Tree::rename(InodeNo from_directory, std::string_view from_name, InodeNo to_directory,
                    std::string_view to_name, RenameMode mode, const Caller& caller) {
  if (Status valid = check_new_name(to_name); !valid.is_ok())
    return valid.code() == Code::kExists ? Status(Code::kBusy, valid.message()) : valid;
  Operation op(*state_, caller);
  SHOEBOX_ASSIGN(const Renaming r, look_up(op, from_directory, from_name, to_directory, to_name));
  if (r.from.place == Place::kRoot || r.to.place == Place::kRoot)
    return not_permitted("mv", from_name, "the top folders are fixed");
  if (mode == RenameMode::kNoReplace && r.target)
    return {Code::kExists, fmt::format("mv {} to {}: is there already", from_name, to_name)};
  if (mode == RenameMode::kExchange && !r.target)
    return {Code::kNotFound, fmt::format("mv {} to {}: nothing to exchange with", from_name, to_name)};
  if (r.target && r.target->inode == r.source.inode) return Status::ok();
  SHOEBOX_TRY(check_no_loop(op, r, mode));
  if (mode == RenameMode::kExchange) {
    if (r.from.place != Place::kLibrary || r.to.place != Place::kLibrary)
      return {Code::kInvalid, fmt::format("mv {}: names are exchanged in Library only", from_name)};
    SHOEBOX_TRY(exchange_in_library(op, r));
    return op.commit();
  }
  SHOEBOX_TRY(check_types(r));
  SHOEBOX_TRY(by_place(op, r));
  SHOEBOX_TRY(op.commit());
  note_set_aside(op, r);
  return Status::ok();
}

Status make_way(Operation& op, const Renaming& r) {
  if (!r.target) return Status::ok();
  const NameOf asked{r.to.number, r.to_name};
  if (S_ISDIR(r.target_record->mode)) {
    SHOEBOX_ASSIGN(const bool used, op.txn.has_entries(r.target->inode));
    if (used) return {Code::kNotEmpty, fmt::format("mv {} to {}: not empty", r.from_name, r.to_name)};
    SHOEBOX_TRY(op.txn.erase_dentry(r.to.number, r.to_name, Notice::kKernelKnows));
    SHOEBOX_TRY(op.txn.erase_inode(r.target->inode));
    return touch_directory(op, r.to.number, -1);
  }
  SHOEBOX_ASSIGN(const bool precious, is_precious(op.txn, *r.target_record, r.to_name));
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, r.target->inode));
  // Sidecars are rewritten all the time: only photos leave something behind.
  if (precious && !is_sidecar(r.to_name) && homes.size() <= 1)
    return trash_file(op, r.target->inode, asked, std::nullopt);
  SHOEBOX_TRY(op.txn.erase_dentry(r.to.number, r.to_name, Notice::kKernelKnows));
  return after_name_removed(op, r.target->inode);
}

Status move_row(Operation& op, const Renaming& r) {
  const bool folder = S_ISDIR(r.source_record.mode);
  const bool same_folder = r.from.number == r.to.number;
  SHOEBOX_TRY(op.txn.erase_dentry(r.from.number, r.from_name, Notice::kKernelKnows));
  SHOEBOX_TRY(op.txn.put_dentry(r.to.number, r.to_name,
                                {r.source.inode, r.source_record.mode & S_IFMT, NameKind::kGiven},
                                Notice::kKernelKnows));
  SHOEBOX_TRY(touch_directory(op, r.from.number, folder && !same_folder ? -1 : 0));
  SHOEBOX_TRY(touch_directory(op, r.to.number, folder && !same_folder ? +1 : 0));
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, r.source.inode));
  record.ctime = op.now;
  if (folder) record.parent = r.to.number;
  op.txn.put_inode(r.source.inode, record);
  return Status::ok();
}

Status rename_in_tree(Operation& op, const Renaming& r) {
  if (r.from.place == Place::kTrashNotes && S_ISDIR(r.source_record.mode))
    return not_permitted("mv", r.from_name, "the folders of a file manager's Trash stay");
  const bool in_library = r.to.place == Place::kLibrary;
  if (in_library && r.target && S_ISREG(r.source_record.mode) && r.target_record->photo) {
    SHOEBOX_ASSIGN(const bool precious, is_precious(op.txn, *r.target_record, r.to_name));
    SHOEBOX_ASSIGN(const bool fresh, is_fresh(op, r));
    if (precious && fresh) return replace_photo(op, r, /*all_names=*/false);
  }
  SHOEBOX_TRY(make_way(op, r));
  SHOEBOX_TRY(move_row(op, r));
  if (!in_library || S_ISDIR(r.source_record.mode)) return Status::ok();
  SHOEBOX_ASSIGN(const bool taken_over, take_over_set_aside(op, r));
  if (!taken_over) SHOEBOX_TRY(become_real(op, r.source.inode, r.to_name));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, r.from.number, r.from_name));
  return op.core.engine.sidecars_changed(op.txn, r.to.number, r.to_name);
}

Status exchange_in_library(Operation& op, const Renaming& r) {
  SHOEBOX_TRY(op.txn.put_dentry(r.to.number, r.to_name, {r.source.inode, r.source.type, NameKind::kGiven},
                                Notice::kKernelKnows));
  SHOEBOX_TRY(op.txn.put_dentry(r.from.number, r.from_name,
                                {r.target->inode, r.target->type, NameKind::kGiven}, Notice::kKernelKnows));
  const int folders = (S_ISDIR(r.source.type) ? 1 : 0) - (S_ISDIR(r.target->type) ? 1 : 0);
  const bool same_folder = r.from.number == r.to.number;
  SHOEBOX_TRY(touch_directory(op, r.from.number, same_folder ? 0 : -folders));
  SHOEBOX_TRY(touch_directory(op, r.to.number, same_folder ? 0 : folders));
  const auto moved = [&op](InodeNo number, InodeNo parent, const std::string& name) -> Status {
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, number));
    record.ctime = op.now;
    if (S_ISDIR(record.mode)) record.parent = parent;
    op.txn.put_inode(number, record);
    return become_real(op, number, name);
  };
  SHOEBOX_TRY(moved(r.source.inode, r.to.number, r.to_name));
  return moved(r.target->inode, r.from.number, r.from_name);
}

}  // namespace shoebox
