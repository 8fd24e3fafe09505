#include "fs/views/people.h"

#include <algorithm>
#include <set>

#include "store/tree/name_class.h"

namespace shoebox {
namespace {

ViewValue person_of(const ViewPath& path) { return {ViewId::kPeople, path.front()}; }

}  // namespace

std::vector<ViewPath> PeopleView::places(const PhotoRecord& photo) const {
  std::set<std::string> people;
  const bool shows = shows_in_views(photo);
  if (!shows && photo.info.kind != MediaKind::kUnknown) return {};
  if (shows) people.insert(photo.info.people.begin(), photo.info.people.end());
  for (const auto& [value, statement] : photo.statements) {
    if (value.view != ViewId::kPeople) continue;
    if (statement == Statement::kAsserted) {
      people.insert(value.value);
    } else {
      people.erase(value.value);
    }
  }
  std::vector<ViewPath> places;
  places.reserve(people.size());
  for (const std::string& person : people) places.push_back({person});
  return places;
}

Status PeopleView::may_mkdir(const ViewPath& path) const {
  if (path.size() == 1 && !path.front().empty()) return Status::ok();
  return {Code::kNotPermitted, "a person's folder holds photos only, make folders in People"};
}

Status PeopleView::may_rename_folder(const ViewPath& from, const ViewPath& to) const {
  if (from.size() != 1) return {Code::kNotPermitted, "People itself keeps its name"};
  if (to.size() == 1 || to.size() == 2) return Status::ok();
  return {Code::kNotPermitted, "people do not nest"};
}

void PeopleView::state_added(PhotoRecord& photo, const ViewPath& path) const {
  photo.statements[person_of(path)] = Statement::kAsserted;
}

void PeopleView::state_removed(PhotoRecord& photo, const ViewPath& path) const {
  // Denied even if the file does not say so now: it may when it is decoded or edited.
  photo.statements[person_of(path)] = Statement::kDenied;
}

void PeopleView::state_renamed(PhotoRecord& photo, const ViewPath& from, const ViewPath& to) const {
  const auto& people = photo.info.people;
  if (std::find(people.begin(), people.end(), from.front()) != people.end()) {
    photo.statements[person_of(from)] = Statement::kDenied;  // the file goes on saying the old name
  } else {
    photo.statements.erase(person_of(from));
  }
  photo.statements[person_of(to)] = Statement::kAsserted;
}

}  // namespace shoebox
