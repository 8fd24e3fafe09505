// Who holds a content: inodes (also those in Trash) and versions. The last one to let go erases it,
// and with it the photo that nobody carries any more.
//
// ContentRecord::references is that count. Whoever points an inode at a content retains it, whoever
// takes an inode away from it releases it AFTER the inode's record was put or erased.
// Everything runs inside the caller's transaction; any thread.
#pragma once

#include <string_view>

#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class CatalogReader;
class Transaction;

Status retain_content(Transaction& txn, ContentNo content);
Status release_content(Transaction& txn, ContentNo content);

// Whether a version of a photo holds it, besides the inodes that may.
Result<bool> held_by_version(const CatalogReader& reader, ContentNo content);

// The inode's bytes become `content` (which the caller has put with references = 1): writes the
// inode's record, keeps the old bytes as a version where they were a photo's, releases them
// otherwise, and moves the photo to the new bytes. `record` is what the inode shall be, still with
// its old content and photo. Returns the photo that other inodes with the old bytes became, whose
// rows the caller refreshes; outside store/tree call Tree::replace_content, which does.
Result<PhotoId> replace_content(Transaction& txn, InodeNo inode, InodeRecord& record, ContentNo content,
                                const Timestamp& now);

// The photo's old bytes stay for keep_days. The reference that an inode had passes to the version.
Status keep_version(Transaction& txn, PhotoId photo, ContentNo content, std::string_view name,
                    const Timestamp& now);

// The photo moves to new bytes; other inodes of it keep the old ones and become the photo that is
// returned, if there are any.
Result<PhotoId> move_photo_to(Transaction& txn, PhotoId photo, InodeNo inode, ContentNo content);

// Erases the photo if no inode carries it and nothing holds its bytes.
Status forget_photo(Transaction& txn, PhotoId photo);

}  // namespace shoebox
