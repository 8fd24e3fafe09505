// Under which key a content is stored on a remote: readable, and one that every kind of remote
// can hold. Pure functions; any thread.
#pragma once

#include <string>
#include <string_view>

#include "store/base/ids.h"

namespace shoebox {

// `path` as a key when every remote can hold it, else a short one made from the hash.
// `path` is below the mount point.
std::string upload_key(std::string_view path, const ContentHash& sha256);

// Where the bytes go that only Trash or a version holds: ".shoebox/versions/", the path that they had
// ("" when not known), and the beginning of their hash: ".shoebox/versions/Library/IMG_1~0a1b2c3d.jpg".
std::string version_key(std::string_view path, const ContentHash& sha256);

// The key for another content at the same place: "IMG_1.jpg" -> "IMG_1~0a1b2c3d.jpg".
std::string upload_key_beside(std::string_view key, const ContentHash& sha256);

}  // namespace shoebox
