// Whether a folder can be mounted on, told before anything is started. Runs in the command's own
// process, so that errors reach the person who typed it.
#pragma once

#include <string>

#include "store/base/result.h"

namespace shoebox {

// An existing, empty folder on which nothing of ours is mounted, apart from `library`. A mount that a
// crashed process left behind is taken away first.
Status check_mount_point(const std::string& mountpoint, const std::string& library);

// /dev/fuse is there and may be opened.
Status check_fuse_device();

}  // namespace shoebox
