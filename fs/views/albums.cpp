#include "fs/views/albums.h"

#include "store/tree/name_class.h"

namespace shoebox {
namespace {

// An album is the path of its display names; none of them holds a '/'.
ViewValue album_of(const ViewPath& path) {
  ViewValue value{ViewId::kAlbums, {}};
  for (const std::string& part : path) {
    if (!value.value.empty()) value.value.push_back('/');
    value.value.append(part);
  }
  return value;
}

ViewPath path_of(std::string_view value) {
  ViewPath path;
  while (!value.empty()) {
    const size_t slash = value.find('/');
    const std::string_view part = value.substr(0, slash);
    if (!part.empty()) path.emplace_back(part);
    value.remove_prefix(slash == std::string_view::npos ? value.size() : slash + 1);
  }
  return path;
}

}  // namespace

std::vector<ViewPath> AlbumsView::places(const PhotoRecord& photo) const {
  std::vector<ViewPath> places;
  if (!shows_in_views(photo) && photo.info.kind != MediaKind::kUnknown) return places;
  for (const auto& [value, statement] : photo.statements) {
    if (value.view != ViewId::kAlbums || statement != Statement::kAsserted) continue;
    ViewPath path = path_of(value.value);
    if (!path.empty()) places.push_back(std::move(path));
  }
  return places;
}

Status AlbumsView::may_mkdir(const ViewPath& path) const {
  if (!path.empty() && !path.back().empty()) return Status::ok();
  return {Code::kNotPermitted, "an album needs a name"};
}

Status AlbumsView::may_rename_folder(const ViewPath& from, const ViewPath& to) const {
  if (from.empty()) return {Code::kNotPermitted, "Albums itself keeps its name"};
  return may_mkdir(to);
}

void AlbumsView::state_added(PhotoRecord& photo, const ViewPath& path) const {
  photo.statements[album_of(path)] = Statement::kAsserted;
}

void AlbumsView::state_removed(PhotoRecord& photo, const ViewPath& path) const {
  photo.statements[album_of(path)] = Statement::kDenied;
}

void AlbumsView::state_renamed(PhotoRecord& photo, const ViewPath& from, const ViewPath& to) const {
  const auto statement = photo.statements.find(album_of(from));
  if (statement == photo.statements.end()) return;
  const Statement said = statement->second;
  photo.statements.erase(statement);
  photo.statements[album_of(to)] = said;
}

}  // namespace shoebox
