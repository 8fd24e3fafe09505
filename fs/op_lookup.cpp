// lookup: a name in a directory becomes an inode number. forget: nothing is kept per looked-up
// inode (a number is a database key), so there is nothing to give back.
#include <cstring>

#include "fs/ops.h"
#include "fs/reply.h"

namespace shoebox {
namespace {

constexpr size_t kMaxNameBytes = 255;

// "." and "..": asked for by the NFS server, which knows files by number only.
Result<Entry> look_up_by_number(const Filesystem& filesystem, InodeNo number) {
  SHOEBOX_ASSIGN(InodeRecord record, filesystem.tree.getattr(number));
  return Entry{number, std::move(record)};
}

Result<Entry> look_up(const Filesystem& filesystem, InodeNo parent, const char* name, uint32_t pid) {
  if (std::strcmp(name, ".") == 0) return look_up_by_number(filesystem, parent);
  if (std::strcmp(name, "..") == 0) {
    SHOEBOX_ASSIGN(const InodeNo above, filesystem.tree.parent_of(parent));
    return look_up_by_number(filesystem, above);
  }
  if (std::strlen(name) > kMaxNameBytes) return Status(Code::kNameTooLong, "name is longer than 255 bytes");
  return filesystem.tree.lookup(parent, name, pid);
}

}  // namespace

void op_lookup(fuse_req_t request, fuse_ino_t parent, const char* name) {
  const Filesystem& filesystem = filesystem_of(request);
  const Result<Entry> entry = look_up(filesystem, inode_no(parent), name, caller_of(request).pid);
  if (entry.is_ok() || entry.code() != Code::kNotFound) return reply_entry(request, entry);
  // Inode 0: the kernel may remember that the name is not there.
  fuse_entry_param absent = {};
  absent.entry_timeout = kCacheSeconds;
  fuse_reply_entry(request, &absent);
}

void op_forget(fuse_req_t request, fuse_ino_t, uint64_t) { fuse_reply_none(request); }

void op_forget_multi(fuse_req_t request, size_t, fuse_forget_data*) { fuse_reply_none(request); }

}  // namespace shoebox
