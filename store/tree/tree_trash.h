// Trash inside a transaction: how a file or folder gets there, leaves for good, or comes back.
// Private to store/tree; the functions are spread over tree_trash_*.cpp.
//
// A file that lies in Trash is an inode with no PhotoId and a TrashRecord that remembers photo, names
// and statements. Its rows: one in Trash/, one more in .Trash-$UID/files of who trashed it where
// that folder exists (not counted in nlink). A folder lies only where it was put, since the kernel allows a
// folder one name; its files keep their names in it and have a TrashRecord each. One that a file manager put
// into .Trash-$UID/files shows in Trash/ as a symbolic link to there; what is done to the link is done to
// the folder. A folder of a view remembers in its TrashRecord which one it was, as its statement; a name in
// it that has no record of its own is a further name of a file that lives elsewhere. What leaves Trash by
// another way than the file manager takes its .trashinfo along.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "store/tree/tree_state.h"

namespace shoebox {

// The name at which a rename puts something into Trash/ or .Trash-$UID/files.
struct TrashTarget {
  InodeNo directory;
  std::string name;
};

// --- going in
// Counts photos that are about to go, or refuses (kQuota).
Status admit_to_trash(Operation& op, uint64_t photos);
// All names of `inode` go and it lies in Trash: as a new inode that shares the content, or, with a
// target, itself. `asked` is the name that the operation was asked for. The photo is withdrawn from
// the views unless another inode carries it.
Status trash_file(Operation& op, InodeNo inode, const NameOf& asked,
                  const std::optional<TrashTarget>& target);
// The same for what nobody asked for: the kernel is told of all names, and the breaker counts nothing.
// Returns the inode that lies in Trash.
Result<InodeNo> trash_along(Operation& op, InodeNo inode);
// Every inode of the photo of `inode`, with the sidecars that no other photo stands beside; rm in Dates and
// the derived views.
Status trash_photo(Operation& op, InodeNo inode, const NameOf& asked,
                   const std::optional<TrashTarget>& target);
// A name in a stating view goes to Trash while the photo stays: a stand-in that undoes it.
Status trash_statement(Operation& op, InodeNo inode, const NameOf& asked, const TrashTarget& target);
// The stand-in of trash_statement(), without any row.
Result<InodeNo> statement_stand_in(Operation& op, InodeNo inode, const NameOf& asked, uint32_t owner);
// A Library folder and everything below it.
Status trash_folder(Operation& op, InodeNo folder, const NameOf& asked, const TrashTarget& target);
// A folder of a view: what `rm -r` of it does, with the way back.
Status trash_view_folder(Operation& op, InodeNo folder, const NameOf& asked, const TrashTarget& target);

// --- its parts
// Whom a thing in Trash belongs to: the owner of .Trash-$UID where it was put there, else who asked.
Result<uint32_t> trash_owner(Operation& op, const std::optional<TrashTarget>& target);
// The inodes that rm of this name in Dates or a derived view takes: those of the photo, or a twin alone.
Result<std::vector<InodeNo>> inodes_to_trash(Operation& op, InodeNo inode, const NameOf& asked);
// What shall undo it, while all names still stand.
Result<TrashRecord> remember(Operation& op, InodeNo inode, const NameOf& asked);
// All names go, and the photo with them unless another inode carries it; the inode is the caller's to put
// away.
Status strip(Operation& op, InodeNo inode, const NameOf& asked, const TrashRecord& trash, Notice notice);
// A file in a folder that goes: its photo leaves the views, unless it has a name in Library outside of
// `folders`.
Status let_go(Operation& op, InodeNo inode, const NameOf& name, const std::unordered_set<InodeNo>& folders);

// A folder with everything below it.
struct Subtree {
  std::vector<InodeNo> folders;  // the top one first
  std::vector<NameOf> files;
  std::vector<InodeNo> inodes;  // of `files`, in the same order
};
Result<Subtree> walk(const CatalogReader& reader, InodeNo top);
// The row of a folder moves, as the kernel asked; nothing else of it changes.
Status move_folder_row(Operation& op, InodeNo folder, const NameOf& from, InodeNo directory,
                       std::string_view name);

// rm of a name in a view; with a target, the rename of it into Trash.
Status unlink_in_view(Operation& op, const Directory& parent, std::string_view name, InodeNo inode,
                      const std::optional<TrashTarget>& target);
// One name of the inode was removed: link count, the views' own rows, and the end if it was the last.
Status after_name_removed(Operation& op, InodeNo inode);

// --- leaving for good
// The row (directory, name) of something in Trash goes, and with it the thing.
Status purge_row(Operation& op, const Directory& directory, std::string_view name);
Status purge(Operation& op, InodeNo inode);

// --- coming back
// The rows in Trash of a file go; the inode is left with nlink 0 and no TrashRecord, for the caller to name.
Status take_out(Operation& op, InodeNo inode, const NameOf* asked);
// What the record remembers: PhotoId, statements and names in the views. The inode has its Library name.
Status revive(Operation& op, InodeNo inode, const TrashRecord& record, bool with_names);
// A folder moves from Trash to (directory, name) in Library.
Status restore_folder(Operation& op, InodeNo folder, const NameOf& from, InodeNo directory,
                      std::string_view name);
// The view that a folder in Trash, or one that lies in it, came from; kLibrary for folders of Library.
Result<ViewId> view_of_trashed(const CatalogReader& reader, InodeNo folder);
// A folder of a view moves from Trash to (directory, name) in its view, and its photos are there again.
Status restore_view_folder(Operation& op, InodeNo folder, const NameOf& from, const Directory& to,
                           std::string_view name);
// Everything goes back to where it was.
Status restore_to_original(Operation& op, InodeNo inode, const TrashRecord& trash);
// What lies in the folders of a Subtree goes back, each file to its own place; folders of Dates left empty
// go.
Status restore_files_of(Operation& op, const Subtree& tree);
// The inode that stands for the photo of this stand-in, if one lives; else the stand-in.
Result<InodeNo> living_of(Operation& op, InodeNo inode, const TrashRecord& trash);
// A file moves from Trash to (directory, name) in Library or a view. The name is free.
Status restore_file(Operation& op, InodeNo inode, const NameOf& from, const Directory& to,
                    std::string_view name);

// --- the other name of what a file manager trashed (tree_trash_alias.cpp)
// `row` is a name in Trash/ or .Trash-$UID/files; nothing happens for those of Trash/.
// The file manager's note about the row goes.
Status drop_note(Operation& op, const NameOf& row);
// A trashed folder came to, or goes from, this row: its link in Trash/ comes, or goes.
Status add_link(Operation& op, const NameOf& row);
Status drop_link(Operation& op, const NameOf& row);
// The row of the folder that a link in Trash/ stands for; none for other inodes.
Result<std::optional<NameOf>> linked_folder(const CatalogReader& reader, InodeNo link);

// --- sidecars of photos that go from every folder (tree_trash_sidecars.cpp)
// Those beside the photo's names, while it has them.
Result<std::set<InodeNo>> sidecars_of(Operation& op, InodeNo photo);
// Whether it has a name, and no photo stands beside any.
Result<bool> is_left_alone(Operation& op, InodeNo sidecar);
Status trash_sidecars(Operation& op, InodeNo photo_in_trash, const std::set<InodeNo>& sidecars);
// The photo with this record is back at (directory, name): so are its sidecars, beside it.
Status restore_sidecars(Operation& op, const TrashRecord& trash, const Directory& to, std::string_view name);

// --- names
Result<std::string> unique_name(const CatalogReader& reader, InodeNo directory, std::string_view wanted);
// .Trash-$UID/files, where it exists.
Result<std::optional<InodeNo>> trash_files_of(const CatalogReader& reader, uint32_t uid);

}  // namespace shoebox
