// user.shoebox.*: what Shoebox knows of a file, as text. They are not listed, so that `cp -a` and
// `rsync -X` do not try to copy them; asked for by name they answer on every name of a photo.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/tree/tree_state.h"

namespace shoebox {

inline constexpr std::string_view kComputedPrefix = "user.shoebox.";

// kNoAttribute where the file has no such thing.
Result<std::string> computed_xattr(const TreeCore& core, const CatalogReader& reader, InodeNo number,
                                   std::string_view name);
// What the file and its sidecars say of tags, caption and rating: the answer for user.xdg.tags,
// user.xdg.comment and user.baloo.rating where nobody set them.
Result<std::optional<std::string>> described_xattr(const CatalogReader& reader, InodeNo number,
                                                   std::string_view name);
// Names of people, or paths of albums, that the photo shows under.
std::set<std::string> values_in_view(const PhotoRecord& photo, ViewId view);
bool is_favorite(const PhotoRecord& photo);

// stated_xattr.cpp. What people may say by an attribute:
// .pin and .favorite: "1", "0"
// .date: "2023-07-14", with or without a time, "2023-07", "2023"; empty takes the statement back
// .people, .albums: all of them, one a line; who is not among them is denied. Empty: nobody, none
// .place: as place_text.h tells; empty: none, whatever the file says
Status set_computed_xattr(Operation& op, InodeNo number, std::string_view name, std::string_view value);
// Takes back what was said: of a date and a place, so that the file's own counts; the others as if none were
// set.
Status remove_computed_xattr(Operation& op, InodeNo number, std::string_view name);

// "2023", "2023-07", "2023-07-14" or "2023-07-14T10:11:12"; kInvalid for what is no date.
Result<LocalDate> parse_stated_date(std::string_view text);

}  // namespace shoebox
