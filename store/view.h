// A view is a pure function from a photo to places, and the rules by which a name given in its
// folders states something about the photo. One file per view stands in fs/views/; main hands
// them to the Library. Views hold no state and touch neither disk nor catalog.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

// A folder of a view in which a photo shows: display values, outermost first ({"2023", "07"}).
// The engine spells each component safely as a file name (store/tree/safe_name.h).
using ViewPath = std::vector<std::string>;

class View {
 public:
  virtual ~View() = default;
  [[nodiscard]] virtual ViewId id() const = 0;
  // Name of the top-level folder: "Dates".
  [[nodiscard]] virtual std::string_view name() const = 0;
  [[nodiscard]] virtual InodeNo root() const = 0;

  // Where the photo shows by itself. Names somebody gave in other folders stay shown as well.
  [[nodiscard]] virtual std::vector<ViewPath> places(const PhotoRecord& photo) const = 0;

  // Names count in nlink and removing one is a statement (Albums, People); in Dates they do not,
  // and removing one trashes the photo.
  [[nodiscard]] virtual bool stating() const = 0;
  // Empty folders stay (albums, people) or go with their last name (dates).
  [[nodiscard]] virtual bool keeps_empty_folders() const = 0;
  // Whether photos may be put directly into the folder at `path` ({} is the view's root).
  [[nodiscard]] virtual bool holds_photos(const ViewPath& path) const = 0;
  // Whether a person may make / rename a folder at `path`; the Status says why not (kNotPermitted).
  [[nodiscard]] virtual Status may_mkdir(const ViewPath& path) const = 0;
  [[nodiscard]] virtual Status may_rename_folder(const ViewPath& from, const ViewPath& to) const = 0;

  // Applies to `photo` what putting it into, or taking it out of, the folder at `path` states.
  virtual void state_added(PhotoRecord& photo, const ViewPath& path) const = 0;
  virtual void state_removed(PhotoRecord& photo, const ViewPath& path) const = 0;
  // The folder itself got another name: what it stated is now stated by `to`.
  virtual void state_renamed(PhotoRecord& photo, const ViewPath& from, const ViewPath& to) const {
    state_removed(photo, from);
    state_added(photo, to);
  }
  // The file's own data is known or changed: drops what was stated and only repeats it.
  virtual void settle(PhotoRecord& /*photo*/) const {}
  // A folder renamed onto or into another one is merged with it (a person is one person).
  [[nodiscard]] virtual bool merges_folders() const { return false; }
};

}  // namespace shoebox
