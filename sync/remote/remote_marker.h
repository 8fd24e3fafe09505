// The marker `.shoebox/remote` of remotes that are folder trees (directory, WebDAV, SFTP): it tells the
// owner's folder from the empty one that stands there while its storage is not mounted. Format and
// upgrade rule: LAYOUT.md. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

inline constexpr const char* kRemoteMetaFolder = ".shoebox";
inline constexpr const char* kRemoteMarker = ".shoebox/remote";
inline constexpr const char* kRemoteTemporaries = ".shoebox/tmp";
inline constexpr uint64_t kMaxMarkerBytes = 4096;

std::string_view remote_marker_text();
// kIncompatible when the marker, which stands at `path`, is of a newer version. One made by hand may be
// empty; it then counts as of this version.
Status check_remote_marker(std::string_view text, std::string_view path);
// What a folder without a marker is to somebody who only looks: kNotFound.
Status no_remote_yet(std::string_view folder);
// A key that is kept for the remote itself: the marker, and what is below the temporary folder.
bool is_reserved_key(std::string_view key);

}  // namespace shoebox
