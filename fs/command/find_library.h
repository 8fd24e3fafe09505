// Which library a command is about, and what a path means in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/base/mount_table.h"
#include "store/base/result.h"

namespace shoebox {

// A library mounted on this machine, as /proc/self/mountinfo shows it.
struct LibraryMount {
  std::string library;  // the mount's source
  std::string mountpoint;
};

// The mounts of type fuse.shoebox, later ones last.
std::vector<LibraryMount> library_mounts(const std::vector<MountedFs>& mounts);
std::vector<LibraryMount> mounted_libraries();

struct LibraryQuery {
  std::string option;              // --library
  std::string environment;         // SHOEBOX_LIBRARY
  std::vector<std::string> paths;  // paths named on the command line, as typed
  std::string working_directory;
  std::vector<LibraryMount> mounts;
};

struct FoundLibrary {
  std::string library;     // absolute
  std::string mountpoint;  // empty: not mounted
};

// In this order: --library, SHOEBOX_LIBRARY (each a library or the place where one is mounted), the
// library in whose mount the first named path or the working directory lies, the library whose own
// folder the working directory is in, the only one mounted.
Result<FoundLibrary> find_library(const LibraryQuery& query);

// A path as typed -> its path below the mount point, without leading or trailing '/'. Symlinks on
// the way are followed, the last component is not. A relative path typed outside the mount is taken
// to be below the mount point already ("Albums/Trip").
Result<std::string> path_in_library(const FoundLibrary& found, const std::string& path,
                                    const std::string& working_directory);

// Absolute, without "." and ".." and double slashes; no symlink is looked at.
std::string absolute_path(const std::string& path, const std::string& working_directory);

}  // namespace shoebox
