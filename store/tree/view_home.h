// Filing: a photo born in a view gets its home Library/{year}/{month}/name, once.
//
// A photo may lose its home while a twin stands in an album: by `rm -r Library/2023`, by an `rsync --delete`
// into it, or because the file there got other bytes. Its new home then is not made below the folder of
// Library that the old one was in: rm would find that folder not empty, and rsync would remove the name once
// more. It is Library/Kept/{year}/{month}/name, in the same batch, so that the photo has a home at any
// moment.
//
// Part of ViewEngine, private to store/tree. Runs inside the caller's transaction.
#pragma once

#include "store/tree/view_rows.h"

namespace shoebox {

// Files a home for the photo if it never had one and lives under some name, and marks it as homed.
// Files that are not photos go beside the homes of the photos in the same folder of the view.
Status file_home(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoRecord& record);

// Where the photo lives on under other names only since its home went, it gets one anew; one that nobody
// decoded yet, then. `went_on` is the photo that it was one with until that got other bytes; none: the home
// went to Trash.
Status file_again(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoId went_on);

// A plain file that stands in a view as the backup copy of a photo there gets a home beside the photo's, if
// it has none. `photo` is the name of the photo in the same folder.
Status file_backup_copy(Transaction& txn, const ViewRows& rows, const NameOf& backup_copy,
                        std::string_view photo);
// The same for all that stand beside these names of a photo.
Status file_backup_copies(Transaction& txn, const ViewRows& rows, const std::vector<Row>& photo_rows);

// Puts the inode into a folder of Library under this name or, where it is taken, a numbered one.
Status put_home(Transaction& txn, const ViewRows& rows, InodeNo directory, std::string_view name,
                InodeNo inode);

}  // namespace shoebox
