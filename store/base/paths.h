// Paths as text; no disk is looked at.
#pragma once

#include <string_view>

namespace shoebox {

// Whether an absolute path without ".", ".." and double slashes is `folder`, or below it.
inline bool lies_in(std::string_view path, std::string_view folder) {
  return path == folder || folder == "/" || (path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace shoebox
