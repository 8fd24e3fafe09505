// A folder of Library into Trash and back: its inode, names and files stay as they are; what changes
// is where it stands and that the views let go of its photos.
#include <sys/stat.h>

#include <algorithm>
#include <unordered_set>

#include "store/tree/content_refs.h"
#include "store/tree/tree_trash.h"

namespace shoebox {
namespace {

Status stand_in_view(Operation& op, const std::vector<InodeNo>& folders, ViewId view) {
  for (InodeNo number : folders) {
    SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, number));
    record.view = view;
    record.ctime = op.now;
    op.txn.put_inode(number, record);
  }
  return Status::ok();
}

}  // namespace

Result<Subtree> walk(const CatalogReader& reader, InodeNo top) {
  Subtree tree;
  tree.folders.push_back(top);
  for (size_t i = 0; i < tree.folders.size(); ++i) {
    const InodeNo folder = tree.folders[i];
    SHOEBOX_TRY(reader.for_each_entry(folder, "", [&](const DirEntry& entry) {
      if (S_ISDIR(entry.dentry.type)) {
        tree.folders.push_back(entry.dentry.inode);
      } else {
        tree.files.push_back({folder, entry.name});
        tree.inodes.push_back(entry.dentry.inode);
      }
      return true;
    }));
  }
  return tree;
}

Status move_folder_row(Operation& op, InodeNo folder, const NameOf& from, InodeNo directory,
                       std::string_view name) {
  SHOEBOX_TRY(op.txn.erase_dentry(from.directory, from.name, Notice::kKernelKnows));
  SHOEBOX_TRY(touch_directory(op, from.directory, -1));
  SHOEBOX_TRY(op.txn.put_dentry(directory, name, {folder, S_IFDIR, NameKind::kGiven}, Notice::kKernelKnows));
  SHOEBOX_TRY(touch_directory(op, directory, +1));
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, folder));
  record.parent = directory;
  record.ctime = op.now;
  op.txn.put_inode(folder, record);
  return Status::ok();
}

Status let_go(Operation& op, InodeNo inode, const NameOf& name, const std::unordered_set<InodeNo>& folders) {
  SHOEBOX_ASSIGN(const auto standing, op.txn.trash(inode));
  if (standing) return Status::ok();  // its second name in the folder
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));
  TrashRecord trash;
  trash.directory = name.directory;
  trash.trashed_s = op.now.seconds;
  trash.uid = op.caller.uid;
  trash.photo = record.photo;
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, inode));
  for (const Row& row : rows) {
    if (row.in_library() && !folders.contains(row.directory)) return Status::ok();  // lives on elsewhere
    if (row.lives()) trash.names.push_back({row.directory, row.name});
  }
  SHOEBOX_ASSIGN(trash.path, path_of_name(op.txn, name));
  if (record.photo) {
    SHOEBOX_ASSIGN(const auto photo, op.txn.photo(record.photo));
    if (photo)
      for (const auto& [value, statement] : photo->statements)
        if (statement == Statement::kAsserted) trash.statements.push_back(value);
  }
  SHOEBOX_TRY(op.core.engine.withdraw_inode(op.txn, inode));
  SHOEBOX_ASSIGN(record, need_inode(op.txn, inode));
  const PhotoId photo = record.photo;
  record.photo = PhotoId{};
  op.txn.put_inode(inode, record);
  op.txn.put_trash(inode, trash);
  if (!photo) return Status::ok();
  SHOEBOX_ASSIGN(const auto left, op.txn.inodes_of_photo(photo));
  if (left.empty()) return Status::ok();
  op.left_to_twins.push_back(photo);
  return op.core.engine.refresh(op.txn, photo);
}

Status trash_folder(Operation& op, InodeNo folder, const NameOf& asked, const TrashTarget& target) {
  SHOEBOX_ASSIGN(const Subtree tree, walk(op.txn, folder));
  const std::unordered_set<InodeNo> folders(tree.folders.begin(), tree.folders.end());
  uint64_t photos = 0;
  for (size_t i = 0; i < tree.files.size(); ++i) {
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, tree.inodes[i]));
    SHOEBOX_ASSIGN(const bool precious, is_precious(op.txn, record, tree.files[i].name));
    photos += precious ? 1 : 0;
  }
  SHOEBOX_TRY(admit_to_trash(op, photos));
  TrashRecord trash;
  trash.directory = asked.directory;
  trash.trashed_s = op.now.seconds;
  trash.uid = op.caller.uid;
  trash.names = {asked};
  SHOEBOX_ASSIGN(trash.path, path_of_name(op.txn, asked));
  for (size_t i = 0; i < tree.files.size(); ++i)
    SHOEBOX_TRY(let_go(op, tree.inodes[i], tree.files[i], folders));
  SHOEBOX_TRY(stand_in_view(op, tree.folders, ViewId::kTrash));
  op.txn.put_trash(folder, trash);
  SHOEBOX_TRY(move_folder_row(op, folder, asked, target.directory, target.name));
  return add_link(op, {target.directory, target.name});
}

Status restore_folder(Operation& op, InodeNo folder, const NameOf& from, InodeNo directory,
                      std::string_view name) {
  SHOEBOX_ASSIGN(const Subtree tree, walk(op.txn, folder));
  SHOEBOX_TRY(drop_link(op, from));
  if (!op.caller.from_kernel) SHOEBOX_TRY(drop_note(op, from));
  SHOEBOX_TRY(stand_in_view(op, tree.folders, ViewId::kLibrary));
  op.txn.erase_trash(folder);
  SHOEBOX_TRY(move_folder_row(op, folder, from, directory, name));
  for (InodeNo inode : tree.inodes) {
    SHOEBOX_ASSIGN(const auto trash, op.txn.trash(inode));
    if (!trash) continue;
    op.txn.erase_trash(inode);
    SHOEBOX_TRY(revive(op, inode, *trash, true));
  }
  return Status::ok();
}

}  // namespace shoebox
