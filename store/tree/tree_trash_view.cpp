// A folder of a view into Trash and back. What goes is what `rm -r` takes there: an album, or a person, loses
// its photos, which stay; the photos of a folder of Dates go to Trash. The folder keeps its inode and lies in
// Trash as one entry with its files in it: of an album stand-ins that share the photos' bytes, of Dates the
// photos.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <unordered_set>

#include "store/tree/tree_trash.h"

namespace shoebox {
namespace {

// Where a folder in Trash came from: the folder's own record, or that of the one it lies in.
struct Origin {
  ViewId view = ViewId::kLibrary;
  std::string value;  // joined path of the folder in its view
};

Result<Origin> origin_of(const CatalogReader& reader, InodeNo folder) {
  std::string below;
  for (InodeNo at = folder; at && at != kTrashInode;) {
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(reader, at));
    SHOEBOX_ASSIGN(const auto trash, reader.trash(at));
    if (trash && trash->statements.empty()) return Origin{};
    if (trash) return Origin{trash->statements.front().view, trash->statements.front().value + below};
    if (record.view != ViewId::kTrash) return Origin{};
    below = "/" + record.view_value + below;
    at = record.parent;
  }
  return Origin{};
}

// Takes the statement that this name made back, and leaves a stand-in under the name.
Status leave_stand_in(Operation& op, const NameOf& name, InodeNo inode) {
  SHOEBOX_ASSIGN(const InodeNo in_trash, statement_stand_in(op, inode, name, op.caller.uid));
  SHOEBOX_TRY(op.core.engine.name_removed(op.txn, name.directory, name.name));
  SHOEBOX_TRY(op.txn.put_dentry(name.directory, name.name, {in_trash, S_IFREG, NameKind::kGiven}));
  return settle_unlinked(op, inode);
}

// A file that states nothing: it lies in Trash if it has no other name. A name that a view made goes.
Status leave_file(Operation& op, const NameOf& name, InodeNo inode) {
  SHOEBOX_ASSIGN(const auto dentry, op.txn.dentry(name.directory, name.name));
  if (!dentry || dentry->inode != inode) return Status::ok();
  if (dentry->kind == NameKind::kGenerated) {
    SHOEBOX_TRY(op.txn.erase_dentry(name.directory, name.name));
    return relink(op, inode);
  }
  return let_go(op, inode, name, {});
}

Status leave_view(Operation& op, const Subtree& tree) {
  std::vector<size_t> others;
  for (size_t i = 0; i < tree.files.size(); ++i) {
    SHOEBOX_ASSIGN(const auto record, op.txn.inode(tree.inodes[i]));
    if (record && record->photo && record->content && record->size > 0) {
      SHOEBOX_TRY(leave_stand_in(op, tree.files[i], tree.inodes[i]));
    } else {
      others.push_back(i);
    }
  }
  SHOEBOX_TRY(op.core.engine.detach_folders(op.txn, tree.folders));
  for (const size_t i : others) SHOEBOX_TRY(leave_file(op, tree.files[i], tree.inodes[i]));
  return Status::ok();
}

// What goes to Trash with a folder of Dates, and the name that it gets, or keeps, there.
struct Leaving {
  InodeNo inode;
  NameOf place;
  TrashRecord record;
};

// What goes to Trash with a folder of Dates: photos, then sidecars with the photo that they belong to.
struct Departure {
  std::vector<Leaving> photos;
  std::vector<std::pair<Leaving, InodeNo>> sidecars;
};

// The photos of the folder with all their twins. Asked while the names still stand.
Result<std::vector<Leaving>> photos_leaving(Operation& op, const Subtree& tree) {
  std::vector<Leaving> leaving;
  std::unordered_set<InodeNo> known(tree.inodes.begin(), tree.inodes.end());
  std::unordered_set<InodeNo> done;
  for (size_t i = 0; i < tree.files.size(); ++i) {
    SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, tree.inodes[i]));
    if (!record.photo || !record.content || record.size == 0) continue;
    SHOEBOX_ASSIGN(const auto inodes, inodes_to_trash(op, tree.inodes[i], tree.files[i]));
    for (const InodeNo inode : inodes) {
      if (inode != tree.inodes[i] && known.contains(inode)) continue;  // has a name of its own in here
      if (!done.insert(inode).second) continue;
      SHOEBOX_ASSIGN(TrashRecord trash, remember(op, inode, tree.files[i]));
      leaving.push_back({inode, tree.files[i], std::move(trash)});
      if (inode != tree.inodes[i]) leaving.back().place.name = base_name(leaving.back().record.path);
    }
  }
  return leaving;
}

Result<Departure> departure_of(Operation& op, const Subtree& tree) {
  Departure departure;
  SHOEBOX_ASSIGN(departure.photos, photos_leaving(op, tree));
  std::unordered_set<InodeNo> done;
  for (const Leaving& photo : departure.photos) {
    SHOEBOX_ASSIGN(const auto sidecars, sidecars_of(op, photo.inode));
    for (const InodeNo sidecar : sidecars) {
      if (!done.insert(sidecar).second) continue;
      SHOEBOX_ASSIGN(TrashRecord record, remember(op, sidecar, photo.place));
      NameOf place{photo.place.directory, base_name(record.path)};
      const auto shown = std::find(tree.inodes.begin(), tree.inodes.end(), sidecar);
      if (shown != tree.inodes.end()) place = tree.files[static_cast<size_t>(shown - tree.inodes.begin())];
      departure.sidecars.emplace_back(Leaving{sidecar, std::move(place), std::move(record)}, photo.inode);
    }
  }
  return departure;
}

Status lay_into_folder(Operation& op, const Leaving& leaving, bool named_here) {
  SHOEBOX_TRY(strip(op, leaving.inode, leaving.place, leaving.record, Notice::kTell));
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, leaving.inode));
  record.nlink = 1;
  record.ctime = op.now;
  op.txn.put_inode(leaving.inode, record);
  op.txn.put_trash(leaving.inode, leaving.record);
  NameOf place = leaving.place;
  if (!named_here) {
    SHOEBOX_ASSIGN(place.name, unique_name(op.txn, place.directory, place.name));
  }
  SHOEBOX_TRY(op.txn.put_dentry(place.directory, place.name,
                                {leaving.inode, record.mode & S_IFMT, NameKind::kGiven}));
  return touch_directory(op, place.directory);
}

Status leave_dates(Operation& op, const Subtree& tree) {
  SHOEBOX_ASSIGN(const Departure leaving, departure_of(op, tree));
  SHOEBOX_TRY(admit_to_trash(op, leaving.photos.size()));
  // From here on the names in the folder are names in Trash, and no view takes them away.
  SHOEBOX_TRY(op.core.engine.detach_folders(op.txn, tree.folders));
  const std::unordered_set<InodeNo> named_here(tree.inodes.begin(), tree.inodes.end());
  for (const bool here : {false, true}) {  // twins first, so that no row moves on to what goes in its turn
    for (const Leaving& one : leaving.photos)
      if (named_here.contains(one.inode) == here) SHOEBOX_TRY(lay_into_folder(op, one, here));
  }
  for (const auto& [sidecar, photo] : leaving.sidecars) {
    SHOEBOX_ASSIGN(const bool alone, is_left_alone(op, sidecar.inode));
    if (!alone) continue;
    SHOEBOX_TRY(lay_into_folder(op, sidecar, named_here.contains(sidecar.inode)));
    SHOEBOX_ASSIGN(auto trash, op.txn.trash(photo));
    if (!trash) continue;
    trash->sidecars.push_back(sidecar.inode);
    op.txn.put_trash(photo, *trash);
  }
  for (size_t i = 0; i < tree.files.size(); ++i) {
    SHOEBOX_ASSIGN(const auto trashed, op.txn.trash(tree.inodes[i]));
    if (!trashed) SHOEBOX_TRY(leave_file(op, tree.files[i], tree.inodes[i]));
  }
  return Status::ok();
}

// A file in a folder that came back to a stating view takes its name there again: the photo, if it still
// lives.
Status state_again(Operation& op, const NameOf& name, InodeNo inode) {
  SHOEBOX_ASSIGN(const auto found, op.txn.trash(inode));
  if (!found) return op.core.engine.name_added(op.txn, name.directory, name.name, inode);
  TrashRecord trash = *found;
  op.txn.erase_trash(inode);
  SHOEBOX_ASSIGN(const InodeNo living, living_of(op, inode, trash));
  if (living == inode) {
    trash.statements.clear();  // the folder tells
    SHOEBOX_TRY(revive(op, inode, trash, false));
    return op.core.engine.name_added(op.txn, name.directory, name.name, inode);
  }
  SHOEBOX_TRY(op.core.engine.name_added(op.txn, name.directory, name.name, living));
  SHOEBOX_TRY(tell_again(op, name.directory, name.name));
  SHOEBOX_TRY(relink(op, inode));
  return settle_unlinked(op, inode);
}

}  // namespace

Status trash_view_folder(Operation& op, InodeNo folder, const NameOf& asked, const TrashTarget& target) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, folder));
  const View* view = op.core.engine.view_of(record.view);
  if (view == nullptr) return not_permitted("mv", asked.name, "this view is not there in this build");
  SHOEBOX_ASSIGN(const Subtree tree, walk(op.txn, folder));
  TrashRecord trash;
  trash.directory = asked.directory;
  trash.trashed_s = op.now.seconds;
  SHOEBOX_ASSIGN(trash.uid, trash_owner(op, target));
  trash.names = {asked};
  SHOEBOX_ASSIGN(trash.path, path_of_name(op.txn, asked));
  SHOEBOX_ASSIGN(const ViewPath path, op.core.engine.path_of(op.txn, folder));
  trash.statements = {{view->id(), ViewRows::joined(path)}};

  SHOEBOX_TRY(view->stating() ? leave_view(op, tree) : leave_dates(op, tree));
  op.txn.put_trash(folder, trash);
  SHOEBOX_TRY(move_folder_row(op, folder, asked, target.directory, target.name));
  SHOEBOX_TRY(op.core.engine.drop_if_empty(op.txn, asked.directory));
  return add_link(op, {target.directory, target.name});
}

Result<ViewId> view_of_trashed(const CatalogReader& reader, InodeNo folder) {
  SHOEBOX_ASSIGN(const Origin origin, origin_of(reader, folder));
  return origin.view;
}

Status restore_view_folder(Operation& op, InodeNo folder, const NameOf& from, const Directory& to,
                           std::string_view name) {
  SHOEBOX_ASSIGN(const Origin origin, origin_of(op.txn, folder));
  const View* view = op.core.engine.view_of(origin.view);
  if (view == nullptr) return not_permitted("mv", name, "its view is not there in this build");
  if (to.record.view != view->id())
    return not_permitted("mv", name,
                         fmt::format("a folder of {} goes back to {}", view->name(), view->name()));
  SHOEBOX_ASSIGN(const Subtree tree, walk(op.txn, folder));
  SHOEBOX_TRY(drop_link(op, from));
  if (!op.caller.from_kernel) SHOEBOX_TRY(drop_note(op, from));
  op.txn.erase_trash(folder);
  SHOEBOX_TRY(move_folder_row(op, folder, from, to.number, name));
  SHOEBOX_TRY(op.core.engine.attach_folders(op.txn, *view, tree.folders, name));
  if (view->stating()) {
    for (size_t i = 0; i < tree.files.size(); ++i)
      SHOEBOX_TRY(state_again(op, tree.files[i], tree.inodes[i]));
    return Status::ok();
  }
  SHOEBOX_ASSIGN(const ViewPath path, op.core.engine.path_of(op.txn, folder));
  if (ViewRows::joined(path) != origin.value)
    return not_permitted("mv", name,
                         fmt::format("the photos go back to Dates/{}, where they were", origin.value));
  return restore_files_of(op, tree);
}

Status restore_files_of(Operation& op, const Subtree& tree) {
  op.txn.tell_all_names();  // the kernel asked for the folder alone
  for (size_t i = 0; i < tree.files.size(); ++i) {
    SHOEBOX_ASSIGN(const auto trash, op.txn.trash(tree.inodes[i]));
    // What has no record lives on elsewhere; a name of it that somebody gave stays.
    if (trash) SHOEBOX_TRY(restore_to_original(op, tree.inodes[i], *trash));
  }
  for (auto folder = tree.folders.rbegin(); folder != tree.folders.rend(); ++folder)
    SHOEBOX_TRY(op.core.engine.drop_if_empty(op.txn, *folder));
  return Status::ok();
}

}  // namespace shoebox
