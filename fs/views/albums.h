// Albums/: folders that people make and put photos into; they nest. A photo is in an album because
// somebody said so; no file says it of itself. Stateless; any thread.
#pragma once

#include "store/view.h"

namespace shoebox {

class AlbumsView final : public View {
 public:
  [[nodiscard]] ViewId id() const override { return ViewId::kAlbums; }
  [[nodiscard]] std::string_view name() const override { return "Albums"; }
  [[nodiscard]] InodeNo root() const override { return kAlbumsInode; }
  [[nodiscard]] std::vector<ViewPath> places(const PhotoRecord& photo) const override;
  [[nodiscard]] bool stating() const override { return true; }
  [[nodiscard]] bool keeps_empty_folders() const override { return true; }
  [[nodiscard]] bool holds_photos(const ViewPath& path) const override { return !path.empty(); }
  [[nodiscard]] Status may_mkdir(const ViewPath& path) const override;
  [[nodiscard]] Status may_rename_folder(const ViewPath& from, const ViewPath& to) const override;
  void state_added(PhotoRecord& photo, const ViewPath& path) const override;
  void state_removed(PhotoRecord& photo, const ViewPath& path) const override;
  void state_renamed(PhotoRecord& photo, const ViewPath& from, const ViewPath& to) const override;
};

}  // namespace shoebox
