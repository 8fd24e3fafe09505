// The rows of the views: finding, writing and dropping names and the folders they stand in, and the
// link counts that follow from them. Knows nothing of statements; ViewEngine decides what shall stand.
//
// Part of ViewEngine, private to store/tree. Everything runs inside the caller's transaction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "store/catalog/catalog.h"
#include "store/catalog/records.h"
#include "store/view.h"

namespace shoebox {

// One name of a file, with where it stands.
struct Row {
  InodeNo directory;
  std::string name;
  InodeNo inode;
  NameKind kind = NameKind::kGiven;
  ViewId view = ViewId::kLibrary;

  [[nodiscard]] bool in_library() const { return view == ViewId::kLibrary; }
  [[nodiscard]] bool in_trash() const { return view == ViewId::kTrash || view == ViewId::kTrashAlias; }
  [[nodiscard]] bool in_view() const { return !in_library() && !in_trash(); }
  // A name that keeps its file alive: somebody gave it, and it is not in Trash.
  [[nodiscard]] bool lives() const { return kind == NameKind::kGiven && !in_trash(); }
};

class ViewRows {
 public:
  ViewRows(const std::vector<std::unique_ptr<View>>& views, const Clock& clock)
      : views_(views), clock_(clock) {}

  [[nodiscard]] const std::vector<std::unique_ptr<View>>& views() const { return views_; }
  [[nodiscard]] const View* view_of(ViewId id) const;
  [[nodiscard]] Timestamp now() const { return clock_.now(); }

  // --- reading
  Result<std::vector<Row>> of_inode(const CatalogReader& reader, InodeNo inode) const;
  // Of all inodes that carry the photo, in the order of their numbers.
  Result<std::vector<Row>> of_photo(const CatalogReader& reader, PhotoId photo) const;
  // The row of the inode that stands for the photo: one with a home in Library, else one with any
  // name somebody gave outside Trash; null when the photo lives nowhere.
  static const Row* representative(const std::vector<Row>& rows);
  // `wanted`, or "wanted (2)" and so on where a name that folds to the same is taken.
  Result<std::string> unique_name(const CatalogReader& reader, InodeNo directory,
                                  std::string_view wanted) const;

  // --- writing
  Status put(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode, NameKind kind,
             Notice notice) const;
  // Drops the name, and with it a folder that its view does not keep empty.
  Status erase(Transaction& txn, InodeNo directory, std::string_view name, Notice notice) const;
  // nlink counts names in Library, the stating views and Trash/ (not .Trash-$UID). An inode that has names in
  // other views only (born in Dates, not yet filed) counts 1, so that it is not taken for unlinked.
  Status recount(Transaction& txn, InodeNo inode) const;

  // --- folders
  static std::string joined(const ViewPath& path);
  Result<ViewPath> path_of(const CatalogReader& reader, InodeNo directory) const;
  Result<std::optional<InodeNo>> folder(const CatalogReader& reader, const View& view,
                                        const ViewPath& path) const;
  // Makes what is missing of it.
  Result<InodeNo> make_folder(Transaction& txn, const View& view, const ViewPath& path) const;
  // A folder below `parent` with the parent's owner and mode; `name` must be free.
  Result<InodeNo> add_folder(Transaction& txn, InodeNo parent, std::string_view name, ViewId view,
                             std::string_view value, NameKind kind = NameKind::kGenerated,
                             Notice notice = Notice::kTell) const;
  Status erase_folder(Transaction& txn, InodeNo folder, Notice notice) const;
  Status touch(Transaction& txn, InodeNo directory, int subfolders = 0) const;
  // Drops a folder that its view does not keep empty, and those above it.
  Status prune(Transaction& txn, InodeNo directory) const;

 private:
  const std::vector<std::unique_ptr<View>>& views_;
  const Clock& clock_;
};

}  // namespace shoebox
