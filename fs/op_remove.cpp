// unlink and rmdir. What they mean in each folder (to Trash, a statement taken back) is Tree's.
#include "fs/ops.h"
#include "fs/reply.h"

namespace shoebox {

void op_unlink(fuse_req_t request, fuse_ino_t parent, const char* name) {
  reply_status(request, filesystem_of(request).tree.unlink(inode_no(parent), name, caller_of(request)));
}

void op_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name) {
  reply_status(request, filesystem_of(request).tree.rmdir(inode_no(parent), name, caller_of(request)));
}

}  // namespace shoebox
