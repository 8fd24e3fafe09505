// What happens in the views: the second to fourth column of the design's operation table.
//
// Tree decides which directory an operation is in and calls here for directories whose ViewId is a
// view's. Everything runs inside the caller's transaction; nothing here commits. After a photo's
// record or names changed, refresh() makes its rows what the views say: the difference is written
// in the same batch, and is what the kernel is told.
//
// Links: nlink counts names in Library, the stating views and Trash. An inode that has other names
// only (born in Dates, or a twin put there) counts 1, so that it never looks unlinked. An inode that
// lost its last name is left with nlink 0 and its PhotoId; Tree erases it once nobody has it open.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/tree/view_rows.h"
#include "store/view.h"

namespace shoebox {

class Transaction;
class CatalogReader;
struct Caller;

class ViewEngine {
 public:
  ViewEngine(const std::vector<std::unique_ptr<View>>& views, const Clock& clock);

  // Null for Library, Trash and the root.
  [[nodiscard]] const View* view_of(ViewId id) const { return rows_.view_of(id); }
  // The display values from the view's root down to this directory.
  Result<ViewPath> path_of(const CatalogReader& reader, InodeNo directory) const;

  // --- names. (view_names.cpp)
  // A name was put at (directory, name) by a person for this inode, its dentry row is not written
  // yet: applies the statement, writes the row as given, adjusts nlink, files a home when the photo
  // is decoded and has none, refreshes. kNotPermitted where the folder holds no photos.
  Status name_added(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode) const;
  // rm of (directory, name) in a stating view: statement denied, row and nlink gone, a twin's only
  // name takes the twin with it. In Dates and derived views Tree trashes instead and does not call this.
  // The last name of a photo that was not filed yet is not lost: its home is filed now.
  Status name_removed(Transaction& txn, InodeNo directory, std::string_view name) const;
  // mv inside one view: the statement moves. A new name that makes a photo of a temporary file
  // gives it its PhotoId.
  Status name_moved(Transaction& txn, InodeNo from_directory, std::string_view from_name,
                    InodeNo to_directory, std::string_view to_name) const;
  // What a later seal and decode must know about a file being created in a view: gives the inode a
  // provisional PhotoId that carries the statement. Junk and sidecars get none. Writes the row too.
  Status created(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode) const;
  // Gives an inode without PhotoId one, if `name` in this folder may be a photo's: that of its bytes where
  // they are known, else a new one.
  Status ensure_photo(Transaction& txn, InodeNo inode, InodeNo directory, std::string_view name) const;
  // nlink as the inode's names say.
  Status recount_links(Transaction& txn, InodeNo inode) const { return rows_.recount(txn, inode); }

  // --- folders. (view_folders.cpp, view_rename.cpp)
  Result<InodeNo> mkdir(Transaction& txn, InodeNo directory, std::string_view name, uint32_t mode,
                        const Caller& caller) const;
  Status rmdir(Transaction& txn, InodeNo directory, std::string_view name) const;
  Status rename_folder(Transaction& txn, InodeNo from_directory, std::string_view from_name,
                       InodeNo to_directory, std::string_view to_name) const;
  // These folders, the top one first, and their rows leave the view for Trash: no place leads to them any
  // more.
  Status detach_folders(Transaction& txn, const std::vector<InodeNo>& folders) const;
  // They are back, the row of the top one stands under `name` already: it is that value now, and the others
  // are what they were below it. kNotPermitted, kExists.
  Status attach_folders(Transaction& txn, const View& view, const std::vector<InodeNo>& folders,
                        std::string_view name) const;
  // The folder that the one with this joined path stands in, made if need be.
  Result<InodeNo> make_parents(Transaction& txn, const View& view, std::string_view joined) const;
  // A folder that its view does not keep empty goes, with those above it.
  Status drop_if_empty(Transaction& txn, InodeNo directory) const { return rows_.prune(txn, directory); }

  // --- photos
  // As if it had never been put into this folder of the view: nothing is denied, either.
  static void unsay(PhotoRecord& photo, const View& view, const ViewPath& folder);
  // Merges a provisional photo into the one that these bytes already have.
  Status merge(Transaction& txn, PhotoId from, PhotoId into) const;
  // The file said this about itself: effective date, home (Library/{year}/{month}/name, once), rows.
  // Idempotent: decoding again changes what the file says, never what people said.
  Status decoded(Transaction& txn, PhotoId photo, const MediaInfo& info) const;
  // The mtime of this inode, or whether it was set, changed: a date guessed from it is made anew.
  Status mtime_changed(Transaction& txn, InodeNo inode) const;
  // Rows of this photo in all views, made to agree with its record. Creates and drops folders.
  Status refresh(Transaction& txn, PhotoId photo) const;
  // The photo's names, or its bytes with the photo `went_on`, left it to its twins: one of them gets a home
  // where none has; refresh().
  Status left_to_twins(Transaction& txn, PhotoId photo, PhotoId went_on = {}) const;
  // Removes every row of the photo in all views (it goes to Trash), without touching statements.
  Status withdraw(Transaction& txn, PhotoId photo) const;
  // The same for one inode of it; where a twin lives on, the rows that were this inode's move to it.
  // Its names in Library are the caller's, who removes them and then refreshes the photo.
  Status withdraw_inode(Transaction& txn, InodeNo inode) const;
  // A name of a photo or of a sidecar came or went at (directory, name), in Library or a view: the
  // sidecars' rows beside the photos are made anew. refresh() does this for the photo's present names.
  Status sidecars_changed(Transaction& txn, InodeNo directory, std::string_view name) const;

  // --- what XMP sidecars say (view_sidecar_facts.cpp)
  // The bytes of a file changed: if it is a sidecar, the photos beside it wait for it to be read.
  Status sidecar_written(Transaction& txn, InodeNo inode) const;
  // The sidecar name under which some photo waits for these bytes to be read; empty: none does.
  Result<std::string> sidecar_wanted(const CatalogReader& reader, ContentNo content) const;
  // The decoder read these bytes: what they state takes part in the photos beside them.
  Status sidecar_read(Transaction& txn, ContentNo content, const MediaInfo& facts) const;
  // Told after the commit by which sealed bytes of a sidecar came to be waited for. Set before threads start.
  void on_decode_wanted(std::function<void(ContentNo)> callback) { decode_wanted_ = std::move(callback); }

 private:
  // Sets the effective date from what is known; true when anything changed.
  Result<bool> set_date(const CatalogReader& reader, PhotoId photo, PhotoRecord& record) const;
  // What was stated and only repeats what the file and its sidecars say is dropped, once all are read.
  void settle_views(PhotoRecord& record) const;
  // The date that follows from the record's info, and what views make of it; does not write the record.
  Status settle(const CatalogReader& reader, PhotoId photo, PhotoRecord& record) const;
  // Makes the record's sidecars those that stand beside the photo now; true when they changed.
  Result<bool> note_sidecars(Transaction& txn, PhotoId photo, PhotoRecord& record) const;
  // refresh(), if the sidecars beside the photo are others than the record knows.
  Status heed_sidecars(Transaction& txn, PhotoId photo) const;
  Status sidecar_said(Transaction& txn, InodeNo directory, std::string_view name) const;
  // Names somebody gave in Dates move to where the photo is, if their folder says something else; all names
  // of the photo after it. (view_follow.cpp)
  Result<std::vector<Row>> follow(Transaction& txn, PhotoId photo, const PhotoRecord& record) const;
  Status refresh_view(Transaction& txn, const View& view, const PhotoRecord& record,
                      const std::vector<Row>& rows) const;
  // The value of a folder that somebody called `name`.
  std::string value_for_folder(const View& view, std::string_view name) const;
  struct Renaming;
  Status restate(Transaction& txn, const View& view, const Renaming& renaming) const;
  Status restate_trash(Transaction& txn, const View& view, const std::vector<Renaming>& all) const;
  Status move_folder(Transaction& txn, const View& view, const NameOf& from, const NameOf& to) const;
  Status merge_folders(Transaction& txn, const View& view, const NameOf& from, InodeNo target,
                       Notice notice) const;

  ViewRows rows_;
  std::function<void(ContentNo)> decode_wanted_ = [](ContentNo) {};
};

}  // namespace shoebox
