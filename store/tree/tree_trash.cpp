// What the commands do with Trash: list, restore, empty, allow.
#include "store/tree/tree_trash.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

namespace shoebox {
namespace {

// One transaction holds the writer lock for this many at most.
constexpr size_t kBatch = 256;

// Trash/ and, for folders that a file manager put there, .Trash-*/files.
Status for_each_in_trash(const CatalogReader& reader,
                         const std::function<void(InodeNo, const std::string&)>& fn) {
  SHOEBOX_TRY(reader.for_each_entry(kTrashInode, "", [&](const DirEntry& entry) {
    fn(entry.dentry.inode, entry.name);
    return true;
  }));
  std::vector<InodeNo> aliases;
  SHOEBOX_TRY(reader.for_each_entry(kRootInode, ".Trash", [&](const DirEntry& entry) {
    if (!entry.name.starts_with(".Trash-")) return false;
    aliases.push_back(entry.dentry.inode);
    return true;
  }));
  for (InodeNo alias : aliases) {
    SHOEBOX_ASSIGN(const auto files, reader.dentry(alias, "files"));
    if (!files || files->type != S_IFDIR) continue;
    SHOEBOX_TRY(reader.for_each_entry(files->inode, "", [&](const DirEntry& entry) {
      if (S_ISDIR(entry.dentry.type)) fn(entry.dentry.inode, entry.name);
      return true;
    }));
  }
  return Status::ok();
}

// The Library folder of that path, with what is missing of it made anew; nothing for other paths.
Result<std::optional<Directory>> make_library_folder(Operation& op, std::string_view path) {
  SHOEBOX_ASSIGN(Directory at, need_directory(op.txn, kLibraryInode));
  constexpr std::string_view kLibrary = "Library";
  if (!path.starts_with(kLibrary)) return std::optional<Directory>();
  path.remove_prefix(kLibrary.size());
  while (!path.empty()) {
    if (path.front() == '/') {
      path.remove_prefix(1);
      continue;
    }
    const std::string name(path.substr(0, path.find('/')));
    path.remove_prefix(name.size());
    SHOEBOX_ASSIGN(const auto dentry, op.txn.dentry(at.number, name));
    if (dentry && S_ISDIR(dentry->type)) {
      SHOEBOX_ASSIGN(at, need_directory(op.txn, dentry->inode));
      continue;
    }
    SHOEBOX_ASSIGN(const std::string free, unique_name(op.txn, at.number, name));
    const InodeNo number = op.txn.new_inode_no();
    SHOEBOX_ASSIGN(const InodeRecord record, new_inode(op, number, at, S_IFDIR | (at.record.mode & 0777)));
    op.txn.put_inode(number, record);
    SHOEBOX_TRY(op.txn.put_dentry(at.number, free, {number, S_IFDIR, NameKind::kGiven}));
    SHOEBOX_TRY(touch_directory(op, at.number, +1));
    SHOEBOX_ASSIGN(at, need_directory(op.txn, number));
  }
  return std::optional(at);
}

// Where it came from, if that folder still stands in Library.
Result<std::optional<Directory>> original_folder(Operation& op, const TrashRecord& trash) {
  SHOEBOX_ASSIGN(const auto record, op.txn.inode(trash.directory));
  if (record && S_ISDIR(record->mode) && record->view == ViewId::kLibrary)
    return std::optional(Directory{trash.directory, *record, Place::kLibrary});
  const size_t slash = trash.path.rfind('/');
  return make_library_folder(
      op, slash == std::string::npos ? std::string_view{} : std::string_view(trash.path).substr(0, slash));
}

// A folder of a view goes back under its name, or a free one. Of a folder of Dates the photos go back, which
// makes the folders that they need.
Status restore_to_view(Operation& op, InodeNo folder, const NameOf& from, const TrashRecord& trash) {
  const ViewValue& was = trash.statements.front();
  const View* view = op.core.engine.view_of(was.view);
  if (view == nullptr)
    return {Code::kNotFound, fmt::format("{}: its place is gone; move it out of Trash", trash.path)};
  if (!view->stating()) {
    SHOEBOX_ASSIGN(const Subtree tree, walk(op.txn, folder));
    SHOEBOX_TRY(restore_files_of(op, tree));
    return purge(op, folder);
  }
  SHOEBOX_ASSIGN(const auto parent, op.txn.inode(trash.directory));
  InodeNo to = trash.directory;
  if (!parent || parent->view != was.view) {
    SHOEBOX_ASSIGN(to, op.core.engine.make_parents(op.txn, *view, was.value));
  }
  SHOEBOX_ASSIGN(const Directory directory, need_directory(op.txn, to));
  SHOEBOX_ASSIGN(const std::string name, op.core.rows.unique_name(op.txn, to, base_name(trash.path)));
  return restore_view_folder(op, folder, from, directory, name);
}

}  // namespace

Status restore_to_original(Operation& op, InodeNo inode, const TrashRecord& trash) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  if (names.empty()) return {Code::kNotFound, fmt::format("{}: is not in Trash any more", trash.path)};
  const NameOf& from = names.front();
  const std::string wanted = trash.path.substr(trash.path.rfind('/') + 1);
  if (S_ISDIR(record.mode) && !trash.statements.empty()) return restore_to_view(op, inode, from, trash);
  SHOEBOX_ASSIGN(const auto folder, original_folder(op, trash));
  if (S_ISDIR(record.mode)) {
    if (!folder)
      return {Code::kNotFound, fmt::format("{}: its place is gone; move it out of Trash", trash.path)};
    SHOEBOX_ASSIGN(const std::string name, unique_name(op.txn, folder->number, wanted));
    return restore_folder(op, inode, from, folder->number, name);
  }
  if (folder) {
    SHOEBOX_ASSIGN(const std::string name, unique_name(op.txn, folder->number, wanted));
    SHOEBOX_TRY(restore_file(op, inode, from, *folder, name));
    // Further homes that it had.
    for (const NameOf& home : trash.names) {
      SHOEBOX_ASSIGN(const auto directory, op.txn.inode(home.directory));
      if (!directory || directory->view != ViewId::kLibrary) continue;
      SHOEBOX_ASSIGN(const auto taken, op.txn.dentry(home.directory, home.name));
      if (taken) continue;
      SHOEBOX_TRY(
          op.txn.put_dentry(home.directory, home.name, {inode, record.mode & S_IFMT, NameKind::kGiven}));
      SHOEBOX_TRY(touch_directory(op, home.directory));
    }
    return relink(op, inode);
  }
  // It had names in views only.
  SHOEBOX_ASSIGN(const auto directory, op.txn.inode(trash.directory));
  if (directory && place_of(trash.directory, *directory) == Place::kView) {
    SHOEBOX_ASSIGN(const std::string name, unique_name(op.txn, trash.directory, wanted));
    return restore_file(op, inode, from, Directory{trash.directory, *directory, Place::kView}, name);
  }
  SHOEBOX_ASSIGN(const Directory library, need_directory(op.txn, kLibraryInode));
  SHOEBOX_ASSIGN(const std::string name, unique_name(op.txn, kLibraryInode, wanted));
  return restore_file(op, inode, from, library, name);
}

Result<std::vector<Tree::TrashEntry>> Tree::trash_list() const {
  std::vector<TrashEntry> entries;
  SHOEBOX_TRY(for_each_in_trash(state_->catalog, [&](InodeNo inode, const std::string& name) {
    entries.push_back(TrashEntry{inode, name, {}, 0});
  }));
  std::vector<TrashEntry> listed;
  for (TrashEntry& entry : entries) {
    // The folder itself is listed, not its link.
    SHOEBOX_ASSIGN(const auto linked, linked_folder(state_->catalog, entry.inode));
    if (linked) continue;
    SHOEBOX_ASSIGN(auto trash, state_->catalog.trash(entry.inode));
    if (trash) entry.record = *std::move(trash);
    SHOEBOX_ASSIGN(const auto record, state_->catalog.inode(entry.inode));
    if (record) entry.size = record->size;
    listed.push_back(std::move(entry));
  }
  return listed;
}

Status Tree::trash_restore(InodeNo inode, const Caller& caller) {
  Operation op(*state_, caller);
  SHOEBOX_ASSIGN(const auto linked, linked_folder(op.txn, inode));
  if (linked) {
    SHOEBOX_ASSIGN(const DentryRecord folder, need_dentry(op.txn, linked->directory, linked->name));
    inode = folder.inode;
  }
  SHOEBOX_ASSIGN(const auto trash, op.txn.trash(inode));
  if (!trash) return {Code::kNotFound, fmt::format("inode {}: is not in Trash", inode.value)};
  SHOEBOX_TRY(restore_to_original(op, inode, *trash));
  return op.commit();
}

Result<uint64_t> Tree::trash_empty(int64_t older_than_s) {
  SHOEBOX_ASSIGN(const auto entries, trash_list());
  const int64_t until = state_->clock.now().seconds - older_than_s;
  std::vector<InodeNo> due;
  for (const TrashEntry& entry : entries)
    if (older_than_s == 0 || entry.record.trashed_s <= until) due.push_back(entry.inode);
  for (size_t at = 0; at < due.size(); at += kBatch) {
    Operation op(*state_, Caller{});
    for (size_t i = at; i < std::min(at + kBatch, due.size()); ++i) {
      // It may have left Trash since it was listed.
      SHOEBOX_ASSIGN(const auto trash, op.txn.trash(due[i]));
      if (trash) SHOEBOX_TRY(purge(op, due[i]));
    }
    SHOEBOX_TRY(op.commit());
  }
  return due.size();
}

Status Tree::trash_allow() {
  state_->breaker.allow(state_->clock.steady());
  return Status::ok();
}

}  // namespace shoebox
