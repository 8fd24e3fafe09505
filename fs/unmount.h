// Takes a mount away from outside of its session. Blocks for as long as the system call or fusermount3
// does; not from a FUSE worker.
#pragma once

#include <string>

#include "store/base/result.h"

namespace shoebox {

// umount2 with privileges, else fusermount3. `lazy` detaches what is in use.
Status unmount_path(const std::string& mountpoint, bool lazy);

}  // namespace shoebox
