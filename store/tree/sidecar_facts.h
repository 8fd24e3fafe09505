// What a photo's XMP sidecars state, joined with what its file says.
//
// A sidecar's people and tags are added to the file's. Its rating, caption, position and place stand
// before the file's: they were written later, by somebody. So does its date, unless its tag means
// less (xmp:CreateDate) than the file's, which means capture (EXIF DateTimeOriginal). Of several sidecars
// the one written last decides.
// Pure functions; any thread.
#pragma once

#include <string>
#include <vector>

#include "store/catalog/records.h"

namespace shoebox {

// Untrusted names of people and tags: one spelling each, nothing empty, in the file's order.
void tidy(std::vector<std::string>& values);

// What the file alone says.
[[nodiscard]] const MediaInfo& own_info(const PhotoRecord& record);
// Makes record.info what the file and its sidecars say, once the file is decoded.
void apply_sidecars(PhotoRecord& record);

}  // namespace shoebox
