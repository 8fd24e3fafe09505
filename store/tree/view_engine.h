// What happens in the views: the second to fourth column of the design's operation table.
//
// Tree decides which directory an operation is in and calls here for directories whose ViewId is a
// view's. Everything runs inside the caller's transaction; nothing here commits. After a photo's
// record or names changed, refresh() makes its rows what the views say: the difference is written
// in the same batch, and is what the kernel is told.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/view.h"

namespace shoebox {

class Transaction;
class CatalogReader;
struct Caller;
struct Settings;

class ViewEngine {
 public:
  ViewEngine(const std::vector<std::unique_ptr<View>>& views, const Clock& clock, const Settings& settings);

  // Null for Library, Trash and the root.
  [[nodiscard]] const View* view_of(ViewId id) const;
  // The display values from the view's root down to this directory.
  Result<ViewPath> path_of(const CatalogReader& reader, InodeNo directory) const;

  // A name was put at (directory, name) by a person for this inode, its dentry row is not written
  // yet: applies the statement, writes the row as given, adjusts nlink, files a home when the photo
  // is decoded and has none, refreshes.
  Status name_added(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode) const;
  // rm of (directory, name) in a stating view: statement denied, row and nlink gone, a twin's only
  // name takes the twin with it. In Dates and derived views Tree trashes instead and does not call this.
  Status name_removed(Transaction& txn, InodeNo directory, std::string_view name) const;
  // mv inside one view: the statement moves.
  Status name_moved(Transaction& txn, InodeNo from_directory, std::string_view from_name,
                    InodeNo to_directory, std::string_view to_name) const;
  // What a later seal and decode must know about a file being created in a view: gives the inode a
  // provisional PhotoId that carries the statement. Junk and other non-photos get none.
  Status created(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode) const;

  Result<InodeNo> mkdir(Transaction& txn, InodeNo directory, std::string_view name, uint32_t mode,
                        const Caller& caller) const;
  Status rmdir(Transaction& txn, InodeNo directory, std::string_view name) const;
  Status rename_folder(Transaction& txn, InodeNo from_directory, std::string_view from_name,
                       InodeNo to_directory, std::string_view to_name) const;

  // Merges a provisional photo into the one that these bytes already have.
  Status merge(Transaction& txn, PhotoId from, PhotoId into) const;
  // The file said this about itself: effective date, home (Library/{year}/{month}/name, once), rows.
  Status decoded(Transaction& txn, PhotoId photo, const MediaInfo& info) const;
  // Rows of this photo in all views, made to agree with its record. Creates and drops folders.
  Status refresh(Transaction& txn, PhotoId photo) const;
  // Removes every row of the photo in all views (it goes to Trash), without touching statements.
  Status withdraw(Transaction& txn, PhotoId photo) const;

 private:
  const std::vector<std::unique_ptr<View>>& views_;
  const Clock& clock_;
  const Settings& settings_;
};

}  // namespace shoebox
