// Under which key a content is stored on a remote: readable, and one that every kind of remote
// can hold. Pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/ids.h"

namespace shoebox {

struct RemoteSettings;

// Of the sidecar that stands beside an original.
inline constexpr std::string_view kSidecarExtension = ".xmp";

// What the keys of one remote may be.
struct KeyLimits {
  size_t name_bytes = 255;  // of each name between slashes
  size_t key_bytes = 800;   // S3 takes 1024; a prefix of the owner's comes before ours
  bool encrypted = false;   // key_bytes is that of the encrypted key
  // Whether keys that differ only in case or Unicode form name one object there.
  enum class Folds : uint8_t { kNo, kYes, kMaybe };
  Folds folds = Folds::kNo;
};
KeyLimits key_limits_of(const RemoteSettings& remote);

// `path` as a key when the remote can hold it, else a short one made from the hash.
// `path` is below the mount point.
std::string upload_key(std::string_view path, const ContentHash& sha256, const KeyLimits& limits = {});

// Where the bytes go that only Trash or a version holds: ".shoebox/versions/", the path that they had
// ("" when not known), and the beginning of their hash: ".shoebox/versions/Library/IMG_1~0a1b2c3d.jpg".
std::string version_key(std::string_view path, const ContentHash& sha256, const KeyLimits& limits = {});

// The key for another content at the same place: "IMG_1.jpg" -> "IMG_1~0a1b2c3d.jpg".
std::string upload_key_beside(std::string_view key, const ContentHash& sha256, const KeyLimits& limits = {});

// Where the XMP sidecar of what the owner said about the original at `key` stands: beside it,
// "IMG_1.jpg.xmp". Empty when that cannot be: for originals below .shoebox/, and where the remote cannot hold
// the key.
std::string sidecar_key(std::string_view key, const KeyLimits& limits = {});
// Where it stands then, and where the owner has a sidecar of their own beside the original:
// ".shoebox/sidecars/Library/IMG_1.jpg.xmp".
std::string sidecar_key_apart(std::string_view key, const ContentHash& sha256, const KeyLimits& limits = {});

}  // namespace shoebox
