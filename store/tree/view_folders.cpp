// Folders of the views: each holds the value it stands for in its inode record; the catalog's index
// leads from a joined path of values to the folder, whatever its name is spelled like.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/tree/person_names.h"
#include "store/tree/safe_name.h"
#include "store/tree/tree.h"
#include "store/tree/view_engine.h"

namespace shoebox {

// Only flat views have values with '/' in them, so that a joined path is never ambiguous.
std::string ViewRows::joined(const ViewPath& path) {
  std::string result;
  for (const std::string& value : path) {
    if (!result.empty()) result.push_back('/');
    result.append(value);
  }
  return result;
}

Result<ViewPath> ViewRows::path_of(const CatalogReader& reader, InodeNo directory) const {
  ViewPath path;
  while (true) {
    SHOEBOX_ASSIGN(auto record, reader.inode(directory));
    if (!record) return {Code::kNotFound, fmt::format("folder {} is gone", directory.value)};
    const View* view = view_of(record->view);
    if (!view) return {Code::kInvalid, fmt::format("folder {} is in no view", directory.value)};
    if (view->root() == directory) break;
    path.push_back(std::move(record->view_value));
    directory = record->parent;
  }
  std::reverse(path.begin(), path.end());
  return path;
}

Result<std::optional<InodeNo>> ViewRows::folder(const CatalogReader& reader, const View& view,
                                                const ViewPath& path) const {
  if (path.empty()) return std::optional(view.root());
  return reader.view_directory(view.id(), joined(path));
}

Result<InodeNo> ViewRows::make_folder(Transaction& txn, const View& view, const ViewPath& path) const {
  InodeNo at = view.root();
  ViewPath so_far;
  for (const std::string& value : path) {
    so_far.push_back(value);
    SHOEBOX_ASSIGN(const auto standing, folder(txn, view, so_far));
    if (standing) {
      at = *standing;
      continue;
    }
    SHOEBOX_ASSIGN(const std::string name, unique_name(txn, at, safe_name(value)));
    SHOEBOX_ASSIGN(at, add_folder(txn, at, name, view.id(), value));
    txn.put_view_directory(view.id(), joined(so_far), at);
  }
  return at;
}

Result<InodeNo> ViewRows::add_folder(Transaction& txn, InodeNo parent, std::string_view name, ViewId view,
                                     std::string_view value, NameKind kind, Notice notice) const {
  SHOEBOX_ASSIGN(const auto above, txn.inode(parent));
  if (!above) return {Code::kNotFound, fmt::format("folder {} for {} is gone", parent.value, name)};
  InodeRecord record;
  record.mode = above->mode;
  record.uid = above->uid;
  record.gid = above->gid;
  record.nlink = 2;
  record.atime = record.mtime = record.ctime = record.btime = now();
  record.view = view;
  record.parent = parent;
  record.view_value = value;
  const InodeNo number = txn.new_inode_no();
  txn.put_inode(number, record);
  SHOEBOX_TRY(txn.put_dentry(parent, name, {.inode = number, .type = S_IFDIR, .kind = kind}, notice));
  SHOEBOX_TRY(touch(txn, parent, +1));
  return number;
}

Status ViewRows::erase_folder(Transaction& txn, InodeNo folder, Notice notice) const {
  SHOEBOX_ASSIGN(const auto record, txn.inode(folder));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(const ViewPath path, path_of(txn, folder));
  SHOEBOX_ASSIGN(const auto names, txn.names_of(folder));
  for (const NameOf& name : names) SHOEBOX_TRY(txn.erase_dentry(name.directory, name.name, notice));
  SHOEBOX_ASSIGN(const auto indexed, txn.view_directory(record->view, joined(path)));
  if (indexed == folder) txn.erase_view_directory(record->view, joined(path));
  SHOEBOX_TRY(txn.erase_inode(folder));
  return touch(txn, record->parent, -1);
}

Status ViewRows::touch(Transaction& txn, InodeNo directory, int subfolders) const {
  SHOEBOX_ASSIGN(auto record, txn.inode(directory));
  if (!record) return Status::ok();
  record->mtime = record->ctime = now();
  record->nlink = static_cast<uint32_t>(static_cast<int64_t>(record->nlink) + subfolders);
  txn.put_inode(directory, *record);
  return Status::ok();
}

Status ViewRows::prune(Transaction& txn, InodeNo directory) const {
  while (true) {
    SHOEBOX_ASSIGN(const auto record, txn.inode(directory));
    const View* view = record ? view_of(record->view) : nullptr;
    if (!view || view->keeps_empty_folders() || view->root() == directory) return Status::ok();
    SHOEBOX_ASSIGN(const bool used, txn.has_entries(directory));
    if (used) return Status::ok();
    SHOEBOX_TRY(erase_folder(txn, directory, Notice::kTell));
    directory = record->parent;
  }
}

Result<InodeNo> ViewEngine::mkdir(Transaction& txn, InodeNo directory, std::string_view name, uint32_t mode,
                                  const Caller& caller) const {
  SHOEBOX_ASSIGN(const auto parent, txn.inode(directory));
  const View* view = parent ? view_of(parent->view) : nullptr;
  if (!view) return {Code::kInvalid, fmt::format("mkdir {}: not in a view", name)};
  SHOEBOX_ASSIGN(ViewPath path, rows_.path_of(txn, directory));
  path.push_back(value_for_folder(*view, name));
  SHOEBOX_TRY(view->may_mkdir(path));
  SHOEBOX_ASSIGN(const auto taken, txn.dentry(directory, name));
  SHOEBOX_ASSIGN(const auto same, rows_.folder(txn, *view, path));
  if (taken || same) return {Code::kExists, fmt::format("mkdir {}/{}: exists already", view->name(), name)};
  SHOEBOX_ASSIGN(const InodeNo number, rows_.add_folder(txn, directory, name, view->id(), path.back(),
                                                        NameKind::kGiven, Notice::kKernelKnows));
  txn.put_view_directory(view->id(), ViewRows::joined(path), number);
  if (view->merges_folders()) SHOEBOX_TRY(forget_earlier_name(txn, path.back()));
  SHOEBOX_ASSIGN(auto record, txn.inode(number));
  const bool group_sticks = (parent->mode & S_ISGID) != 0;
  record->mode = S_IFDIR | (mode & 07777) | (group_sticks ? S_ISGID : 0);
  record->uid = caller.uid;
  record->gid = group_sticks ? parent->gid : caller.gid;
  txn.put_inode(number, *record);
  return number;
}

Status ViewEngine::rmdir(Transaction& txn, InodeNo directory, std::string_view name) const {
  SHOEBOX_ASSIGN(const auto dentry, txn.dentry(directory, name));
  if (!dentry) return {Code::kNotFound, fmt::format("rmdir {}: no such folder", name)};
  if ((dentry->type & S_IFMT) != S_IFDIR) {
    return {Code::kNotDirectory, fmt::format("rmdir {}: not a folder", name)};
  }
  SHOEBOX_ASSIGN(const bool used, txn.has_entries(dentry->inode));
  if (used) return {Code::kNotEmpty, fmt::format("rmdir {}: not empty", name)};
  return rows_.erase_folder(txn, dentry->inode, Notice::kKernelKnows);
}

Status ViewEngine::detach_folders(Transaction& txn, const std::vector<InodeNo>& folders) const {
  std::vector<std::string> paths;  // asked before any folder changes
  for (const InodeNo folder : folders) {
    SHOEBOX_ASSIGN(const ViewPath path, rows_.path_of(txn, folder));
    paths.push_back(ViewRows::joined(path));
  }
  for (size_t i = 0; i < folders.size(); ++i) {
    SHOEBOX_ASSIGN(auto record, txn.inode(folders[i]));
    SHOEBOX_ASSIGN(const auto indexed, txn.view_directory(record->view, paths[i]));
    if (indexed == folders[i]) txn.erase_view_directory(record->view, paths[i]);
    record->view = ViewId::kTrash;
    record->ctime = rows_.now();
    txn.put_inode(folders[i], *record);
  }
  return Status::ok();
}

Status ViewEngine::attach_folders(Transaction& txn, const View& view, const std::vector<InodeNo>& folders,
                                  std::string_view name) const {
  for (const InodeNo folder : folders) {
    SHOEBOX_ASSIGN(auto record, txn.inode(folder));
    record->view = view.id();
    record->ctime = rows_.now();
    if (folder == folders.front()) record->view_value = value_for_folder(view, name);
    txn.put_inode(folder, *record);
    SHOEBOX_ASSIGN(const ViewPath path, rows_.path_of(txn, folder));
    if (folder == folders.front()) {
      SHOEBOX_TRY(view.may_mkdir(path));
      SHOEBOX_ASSIGN(const auto stands, rows_.folder(txn, view, path));
      if (stands) return {Code::kExists, fmt::format("{}/{}: is there already", view.name(), name)};
      if (view.merges_folders()) SHOEBOX_TRY(forget_earlier_name(txn, path.back()));
    }
    txn.put_view_directory(view.id(), ViewRows::joined(path), folder);
  }
  return Status::ok();
}

Result<InodeNo> ViewEngine::make_parents(Transaction& txn, const View& view, std::string_view joined) const {
  ViewPath path;
  for (size_t slash = joined.find('/'); slash != std::string_view::npos; slash = joined.find('/')) {
    path.emplace_back(joined.substr(0, slash));
    joined.remove_prefix(slash + 1);
  }
  return rows_.make_folder(txn, view, path);
}

std::string ViewEngine::value_for_folder(const View& view, std::string_view name) const {
  std::string value = normalized(value_of_name(name));
  // Where folders nest, '/' separates the levels: a spelled '／' then is only itself.
  const bool nests = view.may_mkdir({value, "x"}).is_ok();
  return nests && value.find('/') != std::string::npos ? normalized(name) : value;
}

Result<ViewPath> ViewEngine::path_of(const CatalogReader& reader, InodeNo directory) const {
  return rows_.path_of(reader, directory);
}

}  // namespace shoebox
