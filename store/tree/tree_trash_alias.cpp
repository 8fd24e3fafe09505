// Trash/ and .Trash-$UID are one place: links in Trash/ to folders that a file manager put away, and
// the file manager's notes (info/NAME.trashinfo, of the Trash specification of freedesktop.org 1.0).
#include <fmt/format.h>
#include <sys/stat.h>

#include "store/tree/tree_trash.h"

namespace shoebox {
namespace {

// "../.Trash-1000/files/NAME"; empty where the row is in no .Trash-$UID/files.
Result<std::string> target_of(const CatalogReader& reader, const NameOf& row) {
  SHOEBOX_ASSIGN(const auto files, reader.inode(row.directory));
  if (!files || place_of(row.directory, *files) != Place::kTrashFiles) return std::string();
  return fmt::format("../.Trash-{}/{}", files->view_value, row.name);
}

}  // namespace

Status drop_note(Operation& op, const NameOf& row) {
  SHOEBOX_ASSIGN(const auto files, op.txn.inode(row.directory));
  if (!files || place_of(row.directory, *files) != Place::kTrashFiles) return Status::ok();
  SHOEBOX_ASSIGN(const auto info, op.txn.dentry(files->parent, "info"));
  if (!info || info->type != S_IFDIR) return Status::ok();
  const std::string name = row.name + ".trashinfo";
  SHOEBOX_ASSIGN(const auto note, op.txn.dentry(info->inode, name));
  if (!note || note->type != S_IFREG) return Status::ok();
  SHOEBOX_TRY(op.txn.erase_dentry(info->inode, name));
  SHOEBOX_TRY(touch_directory(op, info->inode));
  return after_name_removed(op, note->inode);
}

Status add_link(Operation& op, const NameOf& row) {
  SHOEBOX_ASSIGN(const std::string target, target_of(op.txn, row));
  if (target.empty()) return Status::ok();
  SHOEBOX_ASSIGN(const Directory trash, need_directory(op.txn, kTrashInode));
  SHOEBOX_ASSIGN(const std::string name, unique_name(op.txn, kTrashInode, row.name));
  const InodeNo number = op.txn.new_inode_no();
  SHOEBOX_ASSIGN(InodeRecord link, new_inode(op, number, trash, S_IFLNK | 0777));
  link.symlink_target = target;
  link.size = target.size();
  op.txn.put_inode(number, link);
  SHOEBOX_TRY(op.txn.put_dentry(kTrashInode, name, {number, S_IFLNK, NameKind::kGiven}));
  return touch_directory(op, kTrashInode);
}

Status drop_link(Operation& op, const NameOf& row) {
  SHOEBOX_ASSIGN(const std::string target, target_of(op.txn, row));
  if (target.empty()) return Status::ok();
  std::vector<DirEntry> links;
  SHOEBOX_TRY(op.txn.for_each_entry(kTrashInode, "", [&](const DirEntry& entry) {
    if (S_ISLNK(entry.dentry.type)) links.push_back(entry);
    return true;
  }));
  for (const DirEntry& link : links) {
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, link.dentry.inode));
    SHOEBOX_ASSIGN(const auto trashed, op.txn.trash(link.dentry.inode));
    if (trashed || record.symlink_target != target) continue;
    SHOEBOX_TRY(op.txn.erase_dentry(kTrashInode, link.name));
    SHOEBOX_TRY(touch_directory(op, kTrashInode));
    SHOEBOX_TRY(op.txn.erase_inode(link.dentry.inode));
  }
  return Status::ok();
}

Result<std::optional<NameOf>> linked_folder(const CatalogReader& reader, InodeNo link) {
  constexpr std::string_view kAbove = "../";
  constexpr std::string_view kFiles = "/files/";
  SHOEBOX_ASSIGN(const auto record, reader.inode(link));
  SHOEBOX_ASSIGN(const auto trashed, reader.trash(link));  // a link that somebody trashed is itself
  if (!record || trashed || !S_ISLNK(record->mode)) return std::optional<NameOf>();
  const std::string_view target = record->symlink_target;
  const size_t files_at = target.find(kFiles);
  if (!target.starts_with(kAbove) || files_at == std::string_view::npos) return std::optional<NameOf>();
  const std::string_view alias = target.substr(kAbove.size(), files_at - kAbove.size());
  SHOEBOX_ASSIGN(const auto top, reader.dentry(kRootInode, alias));
  if (!top) return std::optional<NameOf>();
  SHOEBOX_ASSIGN(const auto files, reader.dentry(top->inode, "files"));
  if (!files) return std::optional<NameOf>();
  NameOf row{files->inode, std::string(target.substr(files_at + kFiles.size()))};
  SHOEBOX_ASSIGN(const auto folder, reader.dentry(row.directory, row.name));
  if (!folder || !S_ISDIR(folder->type)) return std::optional<NameOf>();
  return std::optional(std::move(row));
}

}  // namespace shoebox
