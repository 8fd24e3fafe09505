// The FUSE operations, each in the op_*.cpp that its comment names. All run on FUSE workers, wait
// for nothing but the local disk, and answer exactly once. session.cpp puts them into libfuse's
// table, wrapped so that no exception crosses.
#pragma once

#include "fs/fuse_api.h"

namespace shoebox {

// op_lookup.cpp
void op_lookup(fuse_req_t request, fuse_ino_t parent, const char* name);
void op_forget(fuse_req_t request, fuse_ino_t inode, uint64_t count);
void op_forget_multi(fuse_req_t request, size_t count, fuse_forget_data* forgets);
// op_attr.cpp
void op_getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info);
void op_setattr(fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int changes, fuse_file_info* info);
void op_statfs(fuse_req_t request, fuse_ino_t inode);
// op_readdir.cpp
void op_opendir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info);
void op_readdir(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info* info);
void op_readdirplus(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info* info);
void op_releasedir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info);
void op_fsyncdir(fuse_req_t request, fuse_ino_t inode, int data_only, fuse_file_info* info);
// op_make.cpp
void op_mkdir(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode);
void op_mknod(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, dev_t device);
void op_symlink(fuse_req_t request, const char* target, fuse_ino_t parent, const char* name);
void op_readlink(fuse_req_t request, fuse_ino_t inode);
void op_link(fuse_req_t request, fuse_ino_t inode, fuse_ino_t parent, const char* name);
// op_remove.cpp
void op_unlink(fuse_req_t request, fuse_ino_t parent, const char* name);
void op_rmdir(fuse_req_t request, fuse_ino_t parent, const char* name);
// op_rename.cpp
void op_rename(fuse_req_t request, fuse_ino_t from, const char* from_name, fuse_ino_t to, const char* to_name,
               unsigned flags);
// op_open.cpp
void op_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info);
void op_open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info);
void op_release(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info);
// op_read.cpp
void op_read(fuse_req_t request, fuse_ino_t inode, size_t size, off_t offset, fuse_file_info* info);
void op_lseek(fuse_req_t request, fuse_ino_t inode, off_t offset, int whence, fuse_file_info* info);
// op_write.cpp
void op_write(fuse_req_t request, fuse_ino_t inode, const char* bytes, size_t size, off_t offset,
              fuse_file_info* info);
void op_flush(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info);
void op_fsync(fuse_req_t request, fuse_ino_t inode, int data_only, fuse_file_info* info);
void op_fallocate(fuse_req_t request, fuse_ino_t inode, int mode, off_t offset, off_t length,
                  fuse_file_info* info);
// op_xattr.cpp
void op_getxattr(fuse_req_t request, fuse_ino_t inode, const char* name, size_t size);
void op_setxattr(fuse_req_t request, fuse_ino_t inode, const char* name, const char* value, size_t size,
                 int flags);
void op_listxattr(fuse_req_t request, fuse_ino_t inode, size_t size);
void op_removexattr(fuse_req_t request, fuse_ino_t inode, const char* name);

}  // namespace shoebox
