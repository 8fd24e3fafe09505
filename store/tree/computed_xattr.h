// user.shoebox.*: what Shoebox knows of a file, as text. They are not listed, so that `cp -a` and
// `rsync -X` do not try to copy them; asked for by name they answer on every name of a photo.
#pragma once

#include <optional>
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
// .pin ("1", "0") and .date ("2023-07-14", "2023-07", "2023"; empty takes the statement back).
Status set_computed_xattr(Operation& op, InodeNo number, std::string_view name, std::string_view value);

// "2023", "2023-07" or "2023-07-14"; kInvalid for what is no date.
Result<LocalDate> parse_stated_date(std::string_view text);

}  // namespace shoebox
