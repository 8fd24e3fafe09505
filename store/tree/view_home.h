// Filing: a photo born in a view gets its home Library/{year}/{month}/name, once.
//
// Part of ViewEngine, private to store/tree. Runs inside the caller's transaction.
#pragma once

#include "store/tree/view_rows.h"

namespace shoebox {

// Files a home for the photo if it never had one and lives under some name, and marks it as homed.
// Files that are not photos go beside the homes of the photos in the same folder of the view.
Status file_home(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoRecord& record);

// Where the photo lives on under other names only since its home went, it gets one anew; one that nobody
// decoded yet, then.
Status file_again(Transaction& txn, const ViewRows& rows, PhotoId photo);

// Puts the inode into a folder of Library under this name or, where it is taken, a numbered one.
Status put_home(Transaction& txn, const ViewRows& rows, InodeNo directory, std::string_view name,
                InodeNo inode);

}  // namespace shoebox
