// Trash inside a transaction: how a file or folder gets there, leaves for good, or comes back.
// Private to store/tree; the functions are spread over tree_trash_*.cpp.
//
// A file that lies in Trash is an inode with no PhotoId and a TrashRecord that remembers photo, names
// and statements. Its rows: one in Trash/, one more in .Trash-$UID/files of who trashed it where
// that folder exists (not counted in nlink). A folder lies only where it was put, since the kernel allows a
// folder one name; its files keep their names in it and have a TrashRecord each. One that a file manager put
// into .Trash-$UID/files shows in Trash/ as a symbolic link to there; what is done to the link is done to
// the folder. What leaves Trash by another way than the file manager takes its .trashinfo along.
#pragma once

#include <optional>
#include <string>
#include <string_view>

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
// Every inode of the photo of `inode`; rm in Dates and the derived views.
Status trash_photo(Operation& op, InodeNo inode, const NameOf& asked,
                   const std::optional<TrashTarget>& target);
// A name in a stating view goes to Trash while the photo stays: a stand-in that undoes it.
Status trash_statement(Operation& op, InodeNo inode, const NameOf& asked, const TrashTarget& target);
// A Library folder and everything below it.
Status trash_folder(Operation& op, InodeNo folder, const NameOf& asked, const TrashTarget& target);

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

// --- names
Result<std::string> unique_name(const CatalogReader& reader, InodeNo directory, std::string_view wanted);
// .Trash-$UID/files, where it exists.
Result<std::optional<InodeNo>> trash_files_of(const CatalogReader& reader, uint32_t uid);

}  // namespace shoebox
