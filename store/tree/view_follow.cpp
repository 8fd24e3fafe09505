// Names that somebody gave in a view whose folders follow from the photo (Dates), once the folder says
// something else than the photo: its date was changed, or the folders of Dates, which are a setting.

#include <algorithm>

#include "store/tree/view_engine.h"

namespace shoebox {
namespace {

// Putting the photo into the folder at `path` now would move it nowhere. Before it is decoded only what was
// said is known of it, and it stays.
bool agrees(const View& view, const PhotoRecord& record, const std::vector<ViewPath>& places,
            const ViewPath& path) {
  if (!view.holds_photos(path)) return false;
  if (record.info.kind == MediaKind::kUnknown) return true;
  PhotoRecord put = record;
  view.state_added(put, path);
  view.settle(put);
  return view.places(put) == places;
}

// Another name by which somebody finds the photo in this folder already, so that `row` may go with its file
// alive.
bool is_spare(const Row& row, InodeNo folder, const std::vector<Row>& rows) {
  const auto is_row = [&](const Row& other) {
    return other.directory == row.directory && other.name == row.name;
  };
  const bool shows = std::any_of(rows.begin(), rows.end(), [&](const Row& other) {
    return other.directory == folder && other.kind == NameKind::kGiven;
  });
  return shows && std::any_of(rows.begin(), rows.end(), [&](const Row& other) {
           return other.inode == row.inode && other.lives() && !is_row(other);
         });
}

}  // namespace

Result<std::vector<Row>> ViewEngine::follow(Transaction& txn, PhotoId photo,
                                            const PhotoRecord& record) const {
  SHOEBOX_ASSIGN(const std::vector<Row> all, rows_.of_photo(txn, photo));
  std::vector<Row> rows = all;
  for (const Row& row : all) {
    const View* view = view_of(row.view);
    if (!view || view->stating() || row.kind != NameKind::kGiven) continue;
    SHOEBOX_ASSIGN(const ViewPath path, rows_.path_of(txn, row.directory));
    const std::vector<ViewPath> places = view->places(record);
    if (places.empty() || agrees(*view, record, places, path)) continue;
    SHOEBOX_ASSIGN(const InodeNo folder, rows_.make_folder(txn, *view, places.front()));
    if (!is_spare(row, folder, rows)) {
      for (const Row& other : rows) {  // its place is taken by the one that was given
        if (other.directory == folder && other.kind == NameKind::kGenerated)
          SHOEBOX_TRY(txn.erase_dentry(folder, other.name, Notice::kTell));
      }
      SHOEBOX_ASSIGN(const std::string name, rows_.unique_name(txn, folder, row.name));
      SHOEBOX_TRY(rows_.put(txn, folder, name, row.inode, NameKind::kGiven, Notice::kTell));
    }
    SHOEBOX_TRY(rows_.erase(txn, row.directory, row.name, Notice::kTell));
    SHOEBOX_ASSIGN(rows, rows_.of_photo(txn, photo));
  }
  return rows;
}

}  // namespace shoebox
