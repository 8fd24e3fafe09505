// Dates/: by capture date, Dates/Unknown where none is known. Putting a photo into a folder that
// differs from its own date states the date. Names here do not count as links: removing one
// trashes the photo. Stateless; any thread.
#pragma once

#include <string_view>

#include "fs/views/dates_layout.h"
#include "store/view.h"

namespace shoebox {

class DatesView final : public View {
 public:
  // A layout that cannot be read counts as %Y/%m (settings are checked where they are loaded).
  explicit DatesView(std::string_view layout);

  [[nodiscard]] ViewId id() const override { return ViewId::kDates; }
  [[nodiscard]] std::string_view name() const override { return "Dates"; }
  [[nodiscard]] InodeNo root() const override { return kDatesInode; }
  [[nodiscard]] std::vector<ViewPath> places(const PhotoRecord& photo) const override;
  [[nodiscard]] bool stating() const override { return false; }
  [[nodiscard]] bool keeps_empty_folders() const override { return false; }
  [[nodiscard]] bool holds_photos(const ViewPath& path) const override;
  [[nodiscard]] Status may_mkdir(const ViewPath& path) const override;
  [[nodiscard]] Status may_rename_folder(const ViewPath& from, const ViewPath& to) const override;
  void state_added(PhotoRecord& photo, const ViewPath& path) const override;
  // Nothing: Tree trashes what is removed here.
  void state_removed(PhotoRecord& photo, const ViewPath& path) const override;
  // Drops a stated date whose folder the photo's own date is in anyway.
  void settle(PhotoRecord& photo) const override;

 private:
  [[nodiscard]] ViewPath folder_of(const std::optional<LocalDate>& date) const;

  DatesLayout layout_;
};

}  // namespace shoebox
