// Paths below the mount point, read from any state of the catalog. kNotFound: it has no name any more.
#pragma once

#include <string>
#include <string_view>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class CatalogReader;
struct NameOf;

Result<std::string> path_of_directory(const CatalogReader& reader, InodeNo directory);
Result<std::string> path_of_name(const CatalogReader& reader, const NameOf& name);
// What follows the last '/'.
[[nodiscard]] inline std::string base_name(std::string_view path) {
  return std::string(path.substr(path.rfind('/') + 1));
}

}  // namespace shoebox
