// Lets the kernel read the file of a complete local original itself (libfuse 3.17, a kernel that
// can, CAP_SYS_ADMIN). Does nothing where that is not to be had.
//
// Only on mounts where no byte of a file can change while it is open: read-only ones that follow nobody. The
// kernel demands that all handles of an inode are passed through to one file until the last is closed. A
// sealed original is never written: who begins to write gets a new file, and readers that were there before
// must see his bytes. Neither can be had with a file that is passed through: an open that is not is refused
// (EIO); one that is, but with FOPEN_DIRECT_IO so that writes come to us, still maps the old file, and a
// shared mapping would write into the sealed original. On a follower the bytes of an inode change as well,
// under readers that hold it open. Runs on FUSE workers.
#pragma once

#include "fs/filesystem.h"
#include "fs/fuse_api.h"

namespace shoebox {

// At INIT: asks for it when the mount is one where it works.
void want_passthrough(Filesystem& filesystem, fuse_conn_info* connection);
// At open, before the reply.
void pass_through(fuse_req_t request, Filesystem& filesystem, OpenFile& open, fuse_file_info* info);
// At release, before the reply; where an open was not taken by the kernel, without a request.
void end_passing_through(Filesystem& filesystem, const OpenFile& open);

}  // namespace shoebox
