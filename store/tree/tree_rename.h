// rename(2), taken apart by where it starts and where it ends. Private to store/tree.
#pragma once

#include <optional>
#include <string>

#include "store/tree/tree_state.h"

namespace shoebox {

// A rename whose source exists and whose names are valid.
struct Renaming {
  Directory from;
  std::string from_name;
  DentryRecord source;
  InodeRecord source_record;
  Directory to;
  std::string to_name;
  std::optional<DentryRecord> target;
  std::optional<InodeRecord> target_record;

  [[nodiscard]] NameOf from_name_of() const { return {from.number, from_name}; }
};

Status rename_in_tree(Operation& op, const Renaming& r);  // Library, and the small files of .Trash-$UID
Status exchange_in_library(Operation& op, const Renaming& r);
Status rename_into_view(Operation& op, const Renaming& r);  // from Library or a view
Status rename_view_to_library(Operation& op, const Renaming& r);
Status rename_into_trash(Operation& op, const Renaming& r);
Status rename_out_of_trash(Operation& op, const Renaming& r);
Status rename_inside_trash(Operation& op, const Renaming& r);

// The row (to, to_name) -> source is written and the old row gone; what stood there is dealt with.
Status move_row(Operation& op, const Renaming& r);
// What stands at the target makes way as POSIX says, photos to Trash. Nothing at the target: nothing.
Status make_way(Operation& op, const Renaming& r);

// An editor's new file is at most this old when it takes the photo's name; what is older was
// somebody's own photo, and both go on as two.
inline constexpr int64_t kNewFileSeconds = 600;

// Whether the source is a temporary or new file: renamed over a photo it replaces the photo's bytes.
Result<bool> is_fresh(Operation& op, const Renaming& r);
// The source takes the name; PhotoId, statements and rows move to it; the old bytes become a version.
// In Library only this name moves (hard links keep the old file), from a view all names do.
Status replace_photo(Operation& op, const Renaming& r, bool all_names);
// The photo goes on with the bytes of this inode; what that was before joins it.
Status move_photo(Operation& op, PhotoId photo, InodeNo inode);

// --- Saving by setting aside (tree_set_aside.cpp)
// The renaming was done. If it set a photo aside as a backup copy, what its program does next is looked for.
void note_set_aside(const Operation& op, const Renaming& r);
// The source, renamed to a name that was free, stands there by now. If its program has just set the photo of
// this name aside, and the source is no photo, the photo goes on with it, as in replace_photo, and the backup
// copy is a plain file. Whether it was so.
Result<bool> take_over_set_aside(Operation& op, const Renaming& r);
// The same for a file that this program made anew under such a name, and that has bytes since now.
Status got_first_bytes(Operation& op, InodeNo inode);

// A name in a view is about to be removed: if it is a backup copy that its program does not keep longer than
// the save takes, the home that it got goes as well. The bytes stay as a version.
Status drop_own_backup_copy(Operation& op, const NameOf& name, InodeNo inode);

}  // namespace shoebox
