// Lets the kernel read the file of a complete local original itself (libfuse 3.17, a kernel that
// can, CAP_SYS_ADMIN). Does nothing where that is not to be had.
//
// Only on mounts that are read-only: the kernel demands that all handles of an inode are passed
// through to one file until the last is closed, and a sealed original that somebody begins to write
// gets a new file. Runs on FUSE workers.
#pragma once

#include "fs/filesystem.h"
#include "fs/fuse_api.h"

namespace shoebox {

// At INIT: asks for it when the mount is one where it works.
void want_passthrough(const Filesystem& filesystem, fuse_conn_info* connection);
// At open, before the reply.
void pass_through(fuse_req_t request, Filesystem& filesystem, OpenFile& open, fuse_file_info* info);
// At release, before the reply.
void end_passing_through(fuse_req_t request, OpenFile& open);

}  // namespace shoebox
