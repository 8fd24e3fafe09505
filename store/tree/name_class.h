// What a file name alone tells: photo or video, sidecar, junk and temporary names, anything else.
//
// Any thread; pure functions but for those that take a reader. The decoder has the last word on what a
// file is; this decides what gets a PhotoId before it ran, and what never gets one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/file_names.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class CatalogReader;

enum class NameClass : uint8_t {
  kMedia,    // by its extension a photo or video
  kSidecar,  // x.jpg.xmp, x.xmp, x.AAE, x.THM: follows the photo beside it
  kJunk,     // hidden, temporary, or a desktop's own: stays local, states nothing
  kOther,    // anything else; may turn out to be a photo when decoded
};

NameClass classify_name(std::string_view name);

// Junk and sidecars never become photos; everything else gets a PhotoId when created.
inline bool may_be_photo(std::string_view name) {
  const NameClass kind = classify_name(name);
  return kind == NameClass::kMedia || kind == NameClass::kOther;
}

// Whether the file `name` in this folder is a backup copy of a photo beside it: a plain file, never a photo.
Result<bool> is_backup_copy(const CatalogReader& reader, InodeNo directory, std::string_view name);

// Whether it is a video: found so, or, where decoding gave nothing, so by the ending of one of its names.
Result<bool> counts_as_video(const CatalogReader& reader, PhotoId id, const PhotoRecord& photo);

// Whether the decoder's verdict lets the photo show in views by itself. A file that could not be
// decoded shows when its name says that it is a photo or video.
bool shows_in_views(const PhotoRecord& photo);

// How a sidecar's name is made from its photo's name.
enum class SidecarForm : uint8_t {
  kNone,   // not a sidecar of that photo
  kWhole,  // x.jpg -> x.jpg.xmp
  kStem,   // x.jpg -> x.xmp
};
SidecarForm sidecar_form(std::string_view sidecar, std::string_view photo);
// The name of the same sidecar beside a photo that is called `photo`.
std::string sidecar_name(std::string_view sidecar, SidecarForm form, std::string_view photo);

}  // namespace shoebox
