#include "fs/command/content_name.h"

#include <fmt/format.h>

#include "store/catalog/catalog.h"
#include "store/library.h"
#include "store/tree/tree.h"

namespace shoebox {

std::string name_of_content(Library& library, ContentNo content) {
  const Result<std::vector<InodeNo>> inodes = library.catalog().inodes_of_content(content);
  if (inodes && !inodes->empty()) {
    if (const Result<std::string> path = library.tree().path_of(inodes->front()); path) return *path;
  }
  return fmt::format("content {}", content.value);
}

}  // namespace shoebox
