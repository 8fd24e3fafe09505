// create, open, release.
#include <fcntl.h>
#include <sys/stat.h>

#include "fs/ops.h"
#include "fs/passthrough.h"
#include "fs/reply.h"
#include "store/files.h"

namespace shoebox {
namespace {

OpenFlags flags_of(int flags) {
  const int access = flags & O_ACCMODE;
  return {.read = access != O_WRONLY,
          .write = access != O_RDONLY,
          .append = (flags & O_APPEND) != 0,
          .truncate = (flags & O_TRUNC) != 0};
}

// The handle, and what the kernel may do with it.
Result<std::shared_ptr<OpenFile>> open_inode(fuse_req_t request, InodeNo inode, fuse_file_info* info) {
  Filesystem& filesystem = filesystem_of(request);
  const OpenFlags flags = flags_of(info->flags);
  SHOEBOX_ASSIGN(auto file, filesystem.files.open(inode, flags));
  auto open = std::make_shared<OpenFile>();
  open->inode = inode;
  open->file = std::move(file);
  open->writable = flags.write;
  // Bytes change only by writes that pass the kernel; for the rest there is the invalidator.
  info->keep_cache = 1;
  // Nothing to commit, and mmap cannot write through it either.
  info->noflush = flags.write ? 0 : 1;
  if (!flags.write) pass_through(request, filesystem, *open, info);
  info->fh = filesystem.open_files.add(open);
  return open;
}

void close_handle(fuse_req_t request, uint64_t number) {
  Filesystem& filesystem = filesystem_of(request);
  const std::shared_ptr<OpenFile> open = filesystem.open_files.remove(number);
  if (!open) return;
  end_passing_through(request, *open);
  filesystem.files.release(open->file);
}

// O_CREAT of a name that somebody else made between the kernel's look-up and now opens that file.
Result<Entry> create_or_find(fuse_req_t request, InodeNo parent, const char* name, mode_t mode, int flags) {
  Tree& tree = filesystem_of(request).tree;
  Result<Entry> created = tree.create(parent, name, (mode & 07777) | S_IFREG, caller_of(request));
  if (created.is_ok() || created.code() != Code::kExists || (flags & O_EXCL) != 0) return created;
  return tree.lookup(parent, name);
}

}  // namespace

void op_create(fuse_req_t request, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  const Result<Entry> entry = create_or_find(request, inode_no(parent), name, mode, info->flags);
  if (!entry.is_ok()) return reply_failure(request, entry.status());
  const auto open = open_inode(request, entry->number, info);
  if (!open.is_ok()) return reply_failure(request, open.status());
  const fuse_entry_param answer = entry_of(filesystem_of(request), *entry);
  const uint64_t number = info->fh;
  // ENOENT: the caller was interrupted and will not release what it never got. The request is gone
  // after the reply, so what is needed from it is taken before.
  Filesystem& filesystem = filesystem_of(request);
  if (fuse_reply_create(request, &answer, info) == 0) return;
  filesystem.open_files.remove(number);
  filesystem.files.release((*open)->file);
}

void op_open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info) {
  const auto open = open_inode(request, inode_no(inode), info);
  if (!open.is_ok()) return reply_failure(request, open.status());
  const uint64_t number = info->fh;
  Filesystem& filesystem = filesystem_of(request);
  if (fuse_reply_open(request, info) == 0) return;
  filesystem.open_files.remove(number);
  filesystem.files.release((*open)->file);
}

void op_release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  close_handle(request, info->fh);
  fuse_reply_err(request, 0);
}

}  // namespace shoebox
