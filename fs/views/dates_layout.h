// The folders of Dates/ as a setting says: "%Y/%m", "%Y/%Y-%m-%d". A date becomes a path of
// folders, as deep as the date is known, and a path becomes the date that it states.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/view.h"

namespace shoebox {

class DatesLayout {
 public:
  // %Y, %m and %d with any text between; one folder a '/'. The first folder must hold the year.
  static Result<DatesLayout> parse(std::string_view layout);
  static DatesLayout standard();  // %Y/%m

  // Empty when not even the first folder is known.
  [[nodiscard]] ViewPath path_of(const LocalDate& date) const;
  // The date that a folder states; nothing when the path is no date of this layout.
  [[nodiscard]] std::optional<LocalDate> date_of(const ViewPath& path) const;

 private:
  std::vector<std::string> folders_;
};

}  // namespace shoebox
