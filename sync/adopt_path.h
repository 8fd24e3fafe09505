// Under which path of the drive an object that was found on a remote becomes a file. Keys are untrusted:
// whatever they hold, the path stays below the folder that was asked for. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shoebox {

// Why a key becomes no file.
enum class NotAdopted {
  kOurs,  // .shoebox/
  kJunk,  // hidden, temporary, or a desktop's own
};

struct AdoptedPath {
  std::string path;  // "Library/2019/IMG_1.jpg"
  std::optional<NotAdopted> not_adopted;
  bool respelled = false;  // a name that cannot stand in a folder, or not be read, was spelled otherwise
};

// `into`: "Library", or a folder below it. A key that begins with Library/ is filed by what follows.
AdoptedPath adopted_path(std::string_view key, std::string_view into);

}  // namespace shoebox
