#include "fs/filesystem.h"

#include "store/library.h"

namespace shoebox {

Filesystem::Filesystem(Library& library, MountOptions mount_options)
    : catalog(library.catalog()),
      contents(library.contents()),
      tree(library.tree()),
      files(library.files()),
      evictor(library.evictor()),
      library_path(library.path()),
      options(std::move(mount_options)),
      bytes_never_change(library.read_only() && !library.follows()) {}

}  // namespace shoebox
