// What kind of file system a file lies on.
#pragma once

#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

inline constexpr std::string_view kShoeboxMountType = "fuse.shoebox";

// The type that the mount table tells, such as "ext4" or "fuse.shoebox"; empty: it is not told. Asks nobody
// but the kernel. Any thread.
Result<std::string> mount_type(int fd);

}  // namespace shoebox
