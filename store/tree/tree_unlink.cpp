// rm and rmdir: the table's row "rm", by where the name stands.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/tree_rename.h"
#include "store/tree/tree_trash.h"
#include "store/tree/view_sidecars.h"

namespace shoebox {
namespace {

Status unlink_in_library(Operation& op, const Directory& parent, std::string_view name, InodeNo inode) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const bool precious, is_precious(op.txn, record, name));
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, inode));
  const NameOf asked{parent.number, std::string(name)};
  if (precious && homes.size() <= 1) {
    SHOEBOX_TRY(trash_file(op, inode, asked, std::nullopt));
  } else {
    SHOEBOX_TRY(op.txn.erase_dentry(parent.number, name, Notice::kKernelKnows));
    SHOEBOX_TRY(touch_directory(op, parent.number));
    SHOEBOX_TRY(after_name_removed(op, inode));
  }
  return op.core.engine.sidecars_changed(op.txn, parent.number, name);
}

// A name that a view made for a sidecar beside the photo.
struct Sidecar {
  std::string name;
  DepartedNames::Departed file;
};

// Folders of a view, from this one upwards, with their names: what may go with the last name in it.
struct Standing {
  NameOf name;
  DepartedNames::Departed folder;
};
Result<std::vector<Standing>> folders_above(Operation& op, const Directory& directory) {
  std::vector<Standing> folders;
  const View* view = op.core.engine.view_of(directory.record.view);
  if (view == nullptr || view->keeps_empty_folders() || op.caller.pid == 0) return folders;
  for (InodeNo at = directory.number; at != view->root();) {
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, at));
    SHOEBOX_ASSIGN(auto names, op.txn.names_of(at));
    if (names.empty()) break;
    const InodeNo above = record.parent;
    folders.push_back({std::move(names.front()), {at, std::move(record)}});
    at = above;
  }
  return folders;
}

// Who removes the names one by one comes to these next.
Status note_departed(Operation& op, InodeNo directory, const std::vector<Sidecar>& sidecars,
                     const std::vector<Standing>& folders) {
  const Clock::Steady now = op.core.clock.steady();
  for (const Sidecar& sidecar : sidecars) {
    SHOEBOX_ASSIGN(const auto stands, op.txn.dentry(directory, sidecar.name));
    if (!stands) op.core.departed.note(directory, sidecar.name, sidecar.file, op.caller.pid, now);
  }
  for (const Standing& one : folders) {
    SHOEBOX_ASSIGN(const auto stands, op.txn.inode(one.folder.inode));
    if (!stands) op.core.departed.note(one.name.directory, one.name.name, one.folder, op.caller.pid, now);
  }
  return Status::ok();
}

Status unlink_with_company(Operation& op, const Directory& parent, std::string_view name, InodeNo inode) {
  std::vector<Sidecar> sidecars;
  SHOEBOX_ASSIGN(const auto beside, sidecar_rows_beside(op.txn, parent.number, name));
  for (const DirEntry& entry : beside) {
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, entry.dentry.inode));
    sidecars.push_back({entry.name, {entry.dentry.inode, std::move(record)}});
  }
  SHOEBOX_ASSIGN(const auto folders, folders_above(op, parent));
  SHOEBOX_TRY(drop_own_backup_copy(op, {parent.number, std::string(name)}, inode));
  SHOEBOX_TRY(unlink_in_view(op, parent, name, inode, std::nullopt));
  return op.caller.pid == 0 ? Status::ok() : note_departed(op, parent.number, sidecars, folders);
}

}  // namespace

Status after_name_removed(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, inode));
  const bool lives = std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.lives(); });
  // Rows that a view made keep nothing alive; they go, or on to a twin.
  if (!lives) SHOEBOX_TRY(op.core.engine.withdraw_inode(op.txn, inode));
  SHOEBOX_TRY(relink(op, inode));
  SHOEBOX_TRY(settle_unlinked(op, inode));
  return record.photo ? op.core.engine.refresh(op.txn, record.photo) : Status::ok();
}

Status unlink_in_view(Operation& op, const Directory& parent, std::string_view name, InodeNo inode,
                      const std::optional<TrashTarget>& target) {
  const View* view = op.core.engine.view_of(parent.record.view);
  if (view == nullptr) return not_permitted("rm", name, "this view is not there in this build");
  const NameOf asked{parent.number, std::string(name)};
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, inode));
  const auto lives = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.lives(); });

  // Junk and files that are still empty leave nothing to undo.
  if (!record.content || record.size == 0 || (is_junk(name) && lives <= 1)) {
    SHOEBOX_TRY(op.core.rows.erase(op.txn, parent.number, name, Notice::kKernelKnows));
    return after_name_removed(op, inode);
  }
  if (!view->stating()) return trash_photo(op, inode, asked, target);

  if (target) SHOEBOX_TRY(trash_statement(op, inode, asked, *target));
  SHOEBOX_TRY(op.core.engine.name_removed(op.txn, parent.number, name));
  return settle_unlinked(op, inode);
}

Status Tree::unlink(InodeNo directory, std::string_view name, const Caller& caller) {
  Operation op(*state_, caller);
  const auto found = need_dentry(op.txn, directory, name);
  if (found.code() == Code::kNotFound &&
      state_->departed.take(directory, name, caller.pid, state_->clock.steady()))
    return Status::ok();
  SHOEBOX_ASSIGN(const Directory parent, need_directory(op.txn, directory));
  SHOEBOX_ASSIGN(const DentryRecord dentry, found);
  if (S_ISDIR(dentry.type)) return {Code::kIsDirectory, fmt::format("rm {}: is a folder", name)};
  switch (parent.place) {
    case Place::kRoot: return not_permitted("rm", name, "the top folders are fixed");
    case Place::kLibrary: SHOEBOX_TRY(unlink_in_library(op, parent, name, dentry.inode)); break;
    case Place::kView: SHOEBOX_TRY(unlink_with_company(op, parent, name, dentry.inode)); break;
    case Place::kTrash:
    case Place::kTrashFiles:
    case Place::kTrashedFolder: SHOEBOX_TRY(purge_row(op, parent, name)); break;
    case Place::kTrashNotes:
      SHOEBOX_TRY(op.txn.erase_dentry(directory, name, Notice::kKernelKnows));
      SHOEBOX_TRY(touch_directory(op, directory));
      SHOEBOX_TRY(after_name_removed(op, dentry.inode));
      break;
  }
  return op.commit();
}

Status Tree::rmdir(InodeNo directory, std::string_view name, const Caller& caller) {
  if (name == ".") return {Code::kInvalid, "rmdir .: not by this name"};
  if (name == "..") return {Code::kNotEmpty, "rmdir ..: not empty"};
  Operation op(*state_, caller);
  const auto found = need_dentry(op.txn, directory, name);
  if (found.code() == Code::kNotFound &&
      state_->departed.take(directory, name, caller.pid, state_->clock.steady()))
    return Status::ok();
  SHOEBOX_ASSIGN(const Directory parent, need_directory(op.txn, directory));
  SHOEBOX_ASSIGN(const DentryRecord dentry, found);
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, dentry.inode));
  if (!S_ISDIR(record.mode)) return {Code::kNotDirectory, fmt::format("rmdir {}: is no folder", name)};
  if (dentry.inode < kFirstFreeInode) return not_permitted("rmdir", name, "the top folders are fixed");
  if (parent.place == Place::kView) {
    SHOEBOX_TRY(state_->engine.rmdir(op.txn, directory, name));
    return op.commit();
  }
  SHOEBOX_ASSIGN(const bool used, op.txn.has_entries(dentry.inode));
  if (used) return {Code::kNotEmpty, fmt::format("rmdir {}: not empty", name)};
  if (is_trash(parent.place)) {
    SHOEBOX_TRY(purge_row(op, parent, name));
    return op.commit();
  }
  SHOEBOX_TRY(op.txn.erase_dentry(directory, name, Notice::kKernelKnows));
  SHOEBOX_TRY(op.txn.erase_inode(dentry.inode));
  SHOEBOX_TRY(touch_directory(op, directory, -1));
  return op.commit();
}

Status Tree::drop_unlinked(InodeNo number) {
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(const auto record, op.txn.inode(number));
  if (!record || record->nlink > 0 || S_ISDIR(record->mode)) return Status::ok();
  SHOEBOX_TRY(settle_unlinked(op, number));
  return op.commit();
}

Status Tree::forget_orphans() {
  std::vector<InodeNo> orphans;
  SHOEBOX_TRY(state_->catalog.for_each_inode([&](InodeNo number, const InodeRecord& record) {
    if (record.nlink == 0 && !S_ISDIR(record.mode)) orphans.push_back(number);
    return true;
  }));
  for (InodeNo number : orphans) SHOEBOX_TRY(drop_unlinked(number));
  return Status::ok();
}

}  // namespace shoebox
