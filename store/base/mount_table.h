// What the kernel tells of the file systems that are mounted. Asks nobody but the kernel. Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

inline constexpr std::string_view kShoeboxMountType = "fuse.shoebox";

struct MountedFs {
  std::string device;  // "0:53"
  std::string mountpoint;
  std::string type;  // "ext4"
  std::string source;
};

// The lines of /proc/self/mountinfo (proc(5)), later mounts last; what is no such line is left out.
std::vector<MountedFs> parse_mountinfo(std::string_view mountinfo);
Result<std::vector<MountedFs>> mounted_file_systems();

// The type of the file system on which a file lies; empty: it is not told.
Result<std::string> mount_type(int fd);

}  // namespace shoebox
