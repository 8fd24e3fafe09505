// getxattr, setxattr, listxattr, removexattr. POSIX ACLs come as system.posix_acl_*.
#include <sys/xattr.h>

#include <cerrno>
#include <string>

#include "fs/ops.h"
#include "fs/reply.h"

namespace shoebox {
namespace {

// size 0 asks for the length only.
void reply_value(fuse_req_t request, const std::string& value, size_t size) {
  if (size == 0) {
    fuse_reply_xattr(request, value.size());
  } else if (value.size() > size) {
    fuse_reply_err(request, ERANGE);
  } else {
    fuse_reply_buf(request, value.data(), value.size());
  }
}

}  // namespace

void op_getxattr(fuse_req_t request, fuse_ino_t inode, const char* name, size_t size) {
  const Result<std::string> value = filesystem_of(request).tree.getxattr(inode_no(inode), name);
  if (!value.is_ok()) return reply_failure(request, value.status());
  reply_value(request, *value, size);
}

void op_setxattr(fuse_req_t request, fuse_ino_t inode, const char* name, const char* value, size_t size,
                 int flags) {
  Tree::XattrMode mode = Tree::XattrMode::kAny;
  if (flags & XATTR_CREATE) mode = Tree::XattrMode::kCreate;
  if (flags & XATTR_REPLACE) mode = Tree::XattrMode::kReplace;
  reply_status(request, filesystem_of(request).tree.setxattr(inode_no(inode), name,
                                                             std::string_view(value, size), mode));
}

void op_listxattr(fuse_req_t request, fuse_ino_t inode, size_t size) {
  const auto names = filesystem_of(request).tree.listxattr(inode_no(inode));
  if (!names.is_ok()) return reply_failure(request, names.status());
  std::string list;
  for (const std::string& name : *names) list.append(name).push_back('\0');
  reply_value(request, list, size);
}

void op_removexattr(fuse_req_t request, fuse_ino_t inode, const char* name) {
  reply_status(request, filesystem_of(request).tree.removexattr(inode_no(inode), name));
}

}  // namespace shoebox
