// mkdir, mknod, symlink, readlink, link: names that are made without being opened.
#include <sys/stat.h>

#include "fs/ops.h"
#include "fs/reply.h"

namespace shoebox {

void op_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode) {
  reply_entry(request, filesystem_of(request).tree.mkdir(inode_no(parent), name, (mode & 07777) | S_IFDIR,
                                                         caller_of(request)));
}

void op_mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device) {
  Tree& tree = filesystem_of(request).tree;
  if (S_ISREG(mode)) {
    return reply_entry(request, tree.create(inode_no(parent), name, mode, caller_of(request)));
  }
  reply_entry(request, tree.mknod(inode_no(parent), name, mode, device, caller_of(request)));
}

void op_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name) {
  reply_entry(request,
              filesystem_of(request).tree.symlink(inode_no(parent), name, target, caller_of(request)));
}

void op_readlink(fuse_req_t request, fuse_ino_t inode) {
  const Result<InodeRecord> record = filesystem_of(request).tree.getattr(inode_no(inode));
  if (!record.is_ok()) return reply_failure(request, record.status());
  fuse_reply_readlink(request, record->symlink_target.c_str());
}

void op_link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent, const char* name) {
  reply_entry(request,
              filesystem_of(request).tree.link(inode_no(inode), inode_no(parent), name, caller_of(request)));
}

}  // namespace shoebox
