// Names that people give, move and take away in the folders of a view, and what they state by it.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/tree/name_class.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_home.h"

namespace shoebox {
namespace {

bool shows_in(const std::vector<Row>& rows, InodeNo directory) {
  return std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.directory == directory; });
}

Status check_holds(const View& view, const ViewPath& path, std::string_view name) {
  if (view.holds_photos(path) || classify_name(name) != NameClass::kMedia) return Status::ok();
  return {Code::kNotPermitted, fmt::format("{}: {} holds no photos, put it into a folder of it", name,
                                           path.empty() ? std::string(view.name()) : ViewRows::joined(path))};
}

}  // namespace

void ViewEngine::unsay(PhotoRecord& photo, const View& view, const ViewPath& folder) {
  PhotoRecord said;
  view.state_added(said, folder);
  for (const auto& [value, statement] : said.statements) photo.statements.erase(value);
  if (said.stated_date && photo.stated_date == said.stated_date) photo.stated_date.reset();
}

Status ViewEngine::ensure_photo(Transaction& txn, InodeNo inode, InodeNo directory,
                                std::string_view name) const {
  SHOEBOX_ASSIGN(auto record, txn.inode(inode));
  if (!record || record->photo || !S_ISREG(record->mode) || !may_be_photo(name)) return Status::ok();
  SHOEBOX_ASSIGN(const bool backup_copy, is_backup_copy(txn, directory, name));
  if (backup_copy) return Status::ok();
  if (record->content) {
    SHOEBOX_ASSIGN(const auto known, txn.photo_of_content(record->content));
    if (known) record->photo = *known;
  }
  if (!record->photo) {
    record->photo = txn.new_photo_id();
    PhotoRecord photo;
    photo.content = record->content;
    photo.original_name = name;
    txn.put_photo(record->photo, photo);
  }
  txn.put_inode(inode, *record);
  return Status::ok();
}

Status ViewEngine::created(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode) const {
  SHOEBOX_TRY(ensure_photo(txn, inode, directory, name));
  return name_added(txn, directory, name, inode);
}

Status ViewEngine::name_added(Transaction& txn, InodeNo directory, std::string_view name,
                              InodeNo inode) const {
  SHOEBOX_ASSIGN(const auto parent, txn.inode(directory));
  SHOEBOX_ASSIGN(const auto record, txn.inode(inode));
  if (!parent || !record) return {Code::kStale, fmt::format("{}: its folder or file is gone", name)};
  const View* view = view_of(parent->view);
  ViewPath path;
  if (view) {
    SHOEBOX_ASSIGN(path, rows_.path_of(txn, directory));
    SHOEBOX_TRY(check_holds(*view, path, name));
  }
  SHOEBOX_TRY(rows_.put(txn, directory, name, inode, NameKind::kGiven, Notice::kKernelKnows));
  SHOEBOX_TRY(rows_.recount(txn, inode));
  if (!record->photo) {
    const std::string_view backed_up = photo_of_backup_copy(name);
    if (view && !backed_up.empty())
      SHOEBOX_TRY(file_backup_copy(txn, rows_, {directory, std::string(name)}, backed_up));
    return sidecars_changed(txn, directory, name);
  }

  SHOEBOX_ASSIGN(auto photo, txn.photo(record->photo));
  if (!photo) return {Code::kDataLoss, fmt::format("{}: photo {} has no record", name, record->photo.value)};
  if (view && view->holds_photos(path)) {
    view->state_added(*photo, path);
    if (photo->info.kind != MediaKind::kUnknown) settle_views(*photo);
    txn.put_photo(record->photo, *photo);
  }
  if (photo->info.kind != MediaKind::kUnknown) SHOEBOX_TRY(file_home(txn, rows_, record->photo, *photo));
  return refresh(txn, record->photo);
}

Status ViewEngine::name_removed(Transaction& txn, InodeNo directory, std::string_view name) const {
  SHOEBOX_ASSIGN(const auto dentry, txn.dentry(directory, name));
  if (!dentry) return {Code::kNotFound, fmt::format("{}: no such file", name)};
  SHOEBOX_ASSIGN(const auto parent, txn.inode(directory));
  const View* view = parent ? view_of(parent->view) : nullptr;
  if (!view) return {Code::kInvalid, fmt::format("{}: not in a view", name)};
  SHOEBOX_ASSIGN(const ViewPath path, rows_.path_of(txn, directory));
  SHOEBOX_ASSIGN(const auto record, txn.inode(dentry->inode));
  const PhotoId id = record ? record->photo : PhotoId();
  SHOEBOX_ASSIGN(auto photo, txn.photo(id));
  if (photo) {
    SHOEBOX_ASSIGN(const std::vector<Row> rows, rows_.of_photo(txn, id));
    const auto is_other = [&](const Row& row) { return row.directory != directory || row.name != name; };
    const bool lives_on =
        std::any_of(rows.begin(), rows.end(), [&](const Row& row) { return row.lives() && is_other(row); });
    const bool is_photo = shows_in_views(*photo) || (photo->info.kind == MediaKind::kUnknown &&
                                                     classify_name(name) == NameClass::kMedia);
    if (!lives_on && is_photo && record->size > 0) {  // the photo stays: this was its only name
      photo->homed = false;
      SHOEBOX_TRY(file_home(txn, rows_, id, *photo));
    }
    const bool still_shows = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
      return row.directory == directory && is_other(row);
    });
    if (!still_shows && view->holds_photos(path)) {
      view->state_removed(*photo, path);
      txn.put_photo(id, *photo);
    }
  }
  SHOEBOX_TRY(rows_.erase(txn, directory, name, Notice::kKernelKnows));
  SHOEBOX_TRY(rows_.recount(txn, dentry->inode));
  SHOEBOX_TRY(sidecars_changed(txn, directory, name));
  return photo ? refresh(txn, id) : Status::ok();
}

Status ViewEngine::name_moved(Transaction& txn, InodeNo from_directory, std::string_view from_name,
                              InodeNo to_directory, std::string_view to_name) const {
  SHOEBOX_ASSIGN(const auto dentry, txn.dentry(from_directory, from_name));
  if (!dentry) return {Code::kNotFound, fmt::format("{}: no such file", from_name)};
  SHOEBOX_ASSIGN(const auto parent, txn.inode(to_directory));
  const View* view = parent ? view_of(parent->view) : nullptr;
  if (!view) return {Code::kInvalid, fmt::format("{}: not in a view", to_name)};
  SHOEBOX_ASSIGN(const auto source, txn.inode(from_directory));
  if (!source || source->view != parent->view) {
    return {Code::kInvalid, fmt::format("{}: moved from another view", to_name)};
  }
  SHOEBOX_ASSIGN(const ViewPath from, rows_.path_of(txn, from_directory));
  SHOEBOX_ASSIGN(const ViewPath to, rows_.path_of(txn, to_directory));
  SHOEBOX_TRY(check_holds(*view, to, to_name));
  SHOEBOX_TRY(ensure_photo(txn, dentry->inode, to_directory, to_name));
  // The new name first, so that the folder of the old one is dropped only when it is really empty.
  SHOEBOX_TRY(rows_.put(txn, to_directory, to_name, dentry->inode, NameKind::kGiven, Notice::kKernelKnows));
  SHOEBOX_TRY(rows_.erase(txn, from_directory, from_name, Notice::kKernelKnows));
  SHOEBOX_TRY(sidecars_changed(txn, from_directory, from_name));

  SHOEBOX_ASSIGN(const auto record, txn.inode(dentry->inode));
  if (record && record->photo) {
    SHOEBOX_ASSIGN(auto photo, txn.photo(record->photo));
    SHOEBOX_ASSIGN(const std::vector<Row> rows, rows_.of_photo(txn, record->photo));
    if (photo && !shows_in(rows, from_directory) && view->holds_photos(from)) {
      // What waits in a hidden folder, as for `rsync --delay-updates`, is in none that anybody would look
      // for.
      if (is_junk(from.back()))
        unsay(*photo, *view, from);
      else
        view->state_removed(*photo, from);
      txn.put_photo(record->photo, *photo);
    }
  }
  return name_added(txn, to_directory, to_name, dentry->inode);
}

}  // namespace shoebox
