// People/: by person. The file says who is in it; people add to that and take away from it, and
// what they say stands over what the file says, also when it is decoded again. Stateless; any thread.
#pragma once

#include "store/view.h"

namespace shoebox {

class PeopleView final : public View {
 public:
  [[nodiscard]] ViewId id() const override { return ViewId::kPeople; }
  [[nodiscard]] std::string_view name() const override { return "People"; }
  [[nodiscard]] InodeNo root() const override { return kPeopleInode; }
  [[nodiscard]] std::vector<ViewPath> places(const PhotoRecord& photo) const override;
  [[nodiscard]] bool stating() const override { return true; }
  [[nodiscard]] bool keeps_empty_folders() const override { return true; }
  [[nodiscard]] bool holds_photos(const ViewPath& path) const override { return path.size() == 1; }
  [[nodiscard]] Status may_mkdir(const ViewPath& path) const override;
  // A path of two people: the first one is moved into the second one's folder, that is, merged.
  [[nodiscard]] Status may_rename_folder(const ViewPath& from, const ViewPath& to) const override;
  void state_added(PhotoRecord& photo, const ViewPath& path) const override;
  void state_removed(PhotoRecord& photo, const ViewPath& path) const override;
  void state_renamed(PhotoRecord& photo, const ViewPath& from, const ViewPath& to) const override;
  [[nodiscard]] bool merges_folders() const override { return true; }
};

}  // namespace shoebox
