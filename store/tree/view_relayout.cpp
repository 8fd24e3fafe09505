// The folders of Dates are a setting. When it changed, names that stand in folders of the old
// layout move to where the new one has them.

#include <set>

#include "store/tree/view_engine.h"

namespace shoebox {

Status ViewEngine::relayout(Transaction& txn, PhotoId photo) const {
  SHOEBOX_ASSIGN(const auto record, txn.photo(photo));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> rows, rows_.of_photo(txn, photo));
  for (const Row& row : rows) {
    const View* view = view_of(row.view);
    if (!view || view->stating() || row.kind != NameKind::kGiven) continue;
    SHOEBOX_ASSIGN(const ViewPath path, rows_.path_of(txn, row.directory));
    if (view->holds_photos(path)) continue;
    const std::vector<ViewPath> places = view->places(*record);
    if (places.empty()) continue;
    SHOEBOX_ASSIGN(const InodeNo folder, rows_.make_folder(txn, *view, places.front()));
    SHOEBOX_ASSIGN(const std::string name, rows_.unique_name(txn, folder, row.name));
    SHOEBOX_TRY(rows_.put(txn, folder, name, row.inode, NameKind::kGiven, Notice::kTell));
    SHOEBOX_TRY(rows_.erase(txn, row.directory, row.name, Notice::kTell));
  }
  return refresh(txn, photo);
}

}  // namespace shoebox
