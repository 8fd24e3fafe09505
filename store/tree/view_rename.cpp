// mv of a folder inside one view: an album with everything below it gets another path, a person
// another name. Renaming a person onto or into another one makes them one person.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "store/tree/person_names.h"
#include "store/tree/safe_name.h"
#include "store/tree/view_engine.h"

namespace shoebox {

// One folder whose path changes.
struct ViewEngine::Renaming {
  InodeNo folder;
  ViewPath from, to;
};

namespace {

Result<std::vector<DirEntry>> entries_of(const CatalogReader& reader, InodeNo directory) {
  std::vector<DirEntry> entries;
  SHOEBOX_TRY(reader.for_each_entry(directory, "", [&](const DirEntry& entry) {
    entries.push_back(entry);
    return true;
  }));
  return entries;
}

bool states(const View& view, const PhotoRecord& photo, const ViewPath& path) {
  const auto places = view.places(photo);
  return std::find(places.begin(), places.end(), path) != places.end();
}

}  // namespace

Status ViewEngine::rename_folder(Transaction& txn, InodeNo from_directory, std::string_view from_name,
                                 InodeNo to_directory, std::string_view to_name) const {
  SHOEBOX_ASSIGN(const auto source, txn.dentry(from_directory, from_name));
  if (!source) return {Code::kNotFound, fmt::format("{}: no such folder", from_name)};
  SHOEBOX_ASSIGN(const auto folder, txn.inode(source->inode));
  SHOEBOX_ASSIGN(const auto to_parent, txn.inode(to_directory));
  const View* view = folder ? view_of(folder->view) : nullptr;
  if (!view || !to_parent || to_parent->view != folder->view) {
    return {Code::kNotPermitted,
            fmt::format("{}: a folder of a view stays in its view, move the photos in it", from_name)};
  }
  SHOEBOX_ASSIGN(const ViewPath from, rows_.path_of(txn, source->inode));
  SHOEBOX_ASSIGN(ViewPath to, rows_.path_of(txn, to_directory));
  if (to.size() >= from.size() && std::equal(from.begin(), from.end(), to.begin())) {
    return {Code::kInvalid, fmt::format("{}: cannot move a folder into itself", from_name)};
  }
  to.push_back(value_for_folder(*view, to_name));
  SHOEBOX_TRY(view->may_rename_folder(from, to));

  if (view->merges_folders() && to_directory != view->root()) {
    return merge_folders(txn, *view, {from_directory, std::string(from_name)}, to_directory, Notice::kTell);
  }
  SHOEBOX_ASSIGN(const auto named, txn.dentry(to_directory, to_name));
  SHOEBOX_ASSIGN(const auto valued, rows_.folder(txn, *view, to));
  std::optional<InodeNo> target = valued;
  if (named) {
    if ((named->type & S_IFMT) != S_IFDIR) {
      return {Code::kNotDirectory, fmt::format("{}: is a file", to_name)};
    }
    target = named->inode;
  }
  if (target && *target != source->inode) {
    if (view->merges_folders()) {
      const Notice notice = named ? Notice::kKernelKnows : Notice::kTell;
      return merge_folders(txn, *view, {from_directory, std::string(from_name)}, *target, notice);
    }
    if (!named) return {Code::kExists, fmt::format("{}: exists under another spelling", to_name)};
    SHOEBOX_ASSIGN(const bool used, txn.has_entries(*target));
    if (used) return {Code::kNotEmpty, fmt::format("{}: not empty", to_name)};
    SHOEBOX_TRY(rows_.erase_folder(txn, *target, Notice::kKernelKnows));
  }
  return move_folder(txn, *view, {from_directory, std::string(from_name)},
                     {to_directory, std::string(to_name)});
}

// The rows stay where they are: their folder keeps its inode, and the records follow its new path.
Status ViewEngine::move_folder(Transaction& txn, const View& view, const NameOf& from,
                               const NameOf& to) const {
  SHOEBOX_ASSIGN(const auto source, txn.dentry(from.directory, from.name));
  SHOEBOX_ASSIGN(ViewPath to_path, rows_.path_of(txn, to.directory));
  to_path.push_back(value_for_folder(view, to.name));
  SHOEBOX_ASSIGN(ViewPath from_path, rows_.path_of(txn, source->inode));

  std::vector<Renaming> renamed{{source->inode, std::move(from_path), std::move(to_path)}};
  for (size_t at = 0; at < renamed.size(); ++at) {
    SHOEBOX_ASSIGN(const auto entries, entries_of(txn, renamed[at].folder));
    for (const DirEntry& entry : entries) {
      if ((entry.dentry.type & S_IFMT) != S_IFDIR) continue;
      SHOEBOX_ASSIGN(const auto below, txn.inode(entry.dentry.inode));
      if (!below) continue;
      Renaming next{entry.dentry.inode, renamed[at].from, renamed[at].to};
      next.from.push_back(below->view_value);
      next.to.push_back(below->view_value);
      renamed.push_back(std::move(next));
    }
  }
  if (renamed.front().from != renamed.front().to) {
    for (const Renaming& one : renamed) SHOEBOX_TRY(restate(txn, view, one));
    SHOEBOX_TRY(restate_trash(txn, view, renamed));
    for (const Renaming& one : renamed) txn.erase_view_directory(view.id(), ViewRows::joined(one.from));
    for (const Renaming& one : renamed) {
      txn.put_view_directory(view.id(), ViewRows::joined(one.to), one.folder);
    }
  }

  SHOEBOX_TRY(txn.erase_dentry(from.directory, from.name, Notice::kKernelKnows));
  SHOEBOX_TRY(txn.put_dentry(to.directory, to.name,
                             {.inode = source->inode, .type = S_IFDIR, .kind = NameKind::kGiven},
                             Notice::kKernelKnows));
  SHOEBOX_ASSIGN(auto record, txn.inode(source->inode));
  record->parent = to.directory;
  record->view_value = renamed.front().to.back();
  record->ctime = rows_.now();
  txn.put_inode(source->inode, *record);
  SHOEBOX_TRY(rows_.touch(txn, from.directory, from.directory == to.directory ? 0 : -1));
  return from.directory == to.directory ? Status::ok() : rows_.touch(txn, to.directory, +1);
}

// What the photos in this one folder state moves with the folder.
Status ViewEngine::restate(Transaction& txn, const View& view, const Renaming& renaming) const {
  if (view.merges_folders())
    SHOEBOX_TRY(remember_person_renamed(txn, ViewRows::joined(renaming.from), ViewRows::joined(renaming.to)));
  SHOEBOX_ASSIGN(const auto entries, entries_of(txn, renaming.folder));
  std::set<PhotoId> photos;
  for (const DirEntry& entry : entries) {
    SHOEBOX_ASSIGN(const auto inode, txn.inode(entry.dentry.inode));
    if (!inode || !inode->photo || !photos.insert(inode->photo).second) continue;
    SHOEBOX_ASSIGN(auto photo, txn.photo(inode->photo));
    if (!photo) continue;
    view.state_renamed(*photo, renaming.from, renaming.to);
    txn.put_photo(inode->photo, *photo);
  }
  return Status::ok();
}

// Photos in Trash have no rows; they come back into the folder under its new name.
Status ViewEngine::restate_trash(Transaction& txn, const View& view, const std::vector<Renaming>& all) const {
  std::vector<std::pair<InodeNo, TrashRecord>> trashed;
  SHOEBOX_TRY(txn.for_each_trash([&](InodeNo inode, const TrashRecord& record) {
    trashed.emplace_back(inode, record);
    return true;
  }));
  for (auto& [inode, record] : trashed) {
    bool changed = false;
    SHOEBOX_ASSIGN(auto photo, txn.photo(record.photo));
    for (const Renaming& one : all) {
      if (photo && states(view, *photo, one.from)) {
        view.state_renamed(*photo, one.from, one.to);
        txn.put_photo(record.photo, *photo);
      }
      for (ViewValue& statement : record.statements) {
        if (statement.view != view.id() || statement.value != ViewRows::joined(one.from)) continue;
        statement.value = ViewRows::joined(one.to);
        changed = true;
      }
    }
    if (changed) txn.put_trash(inode, record);
  }
  return Status::ok();
}

// The folder at `from` takes over name, value and rows of `target`, which goes.
Status ViewEngine::merge_folders(Transaction& txn, const View& view, const NameOf& from, InodeNo target,
                                 Notice notice) const {
  SHOEBOX_ASSIGN(const auto source, txn.dentry(from.directory, from.name));
  SHOEBOX_ASSIGN(const auto names, txn.names_of(target));
  if (names.size() != 1) return {Code::kDataLoss, fmt::format("folder {} has no single name", target.value)};
  const NameOf& name = names.front();
  SHOEBOX_ASSIGN(Renaming renaming, ([&]() -> Result<Renaming> {
                   SHOEBOX_ASSIGN(ViewPath before, rows_.path_of(txn, source->inode));
                   SHOEBOX_ASSIGN(ViewPath after, rows_.path_of(txn, target));
                   return Renaming{source->inode, std::move(before), std::move(after)};
                 }()));
  SHOEBOX_TRY(restate(txn, view, renaming));
  SHOEBOX_TRY(restate_trash(txn, view, {renaming}));

  SHOEBOX_ASSIGN(const auto moving, entries_of(txn, target));
  SHOEBOX_ASSIGN(const auto staying, entries_of(txn, source->inode));
  std::set<InodeNo> files;
  for (const DirEntry& entry : staying) files.insert(entry.dentry.inode);
  for (const DirEntry& entry : moving) {
    SHOEBOX_TRY(txn.erase_dentry(target, entry.name, Notice::kTell));
    const bool stands = !files.insert(entry.dentry.inode).second;
    if (stands && entry.dentry.kind == NameKind::kGenerated) continue;
    SHOEBOX_ASSIGN(const std::string free_name, rows_.unique_name(txn, source->inode, entry.name));
    SHOEBOX_TRY(txn.put_dentry(source->inode, free_name, entry.dentry, Notice::kTell));
  }

  txn.erase_view_directory(view.id(), ViewRows::joined(renaming.from));
  SHOEBOX_TRY(txn.erase_dentry(from.directory, from.name, Notice::kKernelKnows));
  SHOEBOX_TRY(rows_.erase_folder(txn, target, notice));
  SHOEBOX_TRY(txn.put_dentry(name.directory, name.name,
                             {.inode = source->inode, .type = S_IFDIR, .kind = NameKind::kGiven}, notice));
  txn.put_view_directory(view.id(), ViewRows::joined(renaming.to), source->inode);
  SHOEBOX_ASSIGN(auto record, txn.inode(source->inode));
  record->parent = name.directory;
  record->view_value = renaming.to.back();
  record->mtime = record->ctime = rows_.now();
  txn.put_inode(source->inode, *record);

  std::set<PhotoId> photos;
  for (const InodeNo number : files) {
    SHOEBOX_TRY(rows_.recount(txn, number));
    SHOEBOX_ASSIGN(const auto inode, txn.inode(number));
    if (inode && inode->photo) photos.insert(inode->photo);
  }
  for (const PhotoId photo : photos) SHOEBOX_TRY(refresh(txn, photo));
  return Status::ok();
}

}  // namespace shoebox
