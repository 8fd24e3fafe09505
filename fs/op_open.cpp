// create, open, release. Opening an evicted file for writing fetches all of it first; the request
// is parked meanwhile.
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <optional>

#include "fs/ops.h"
#include "fs/parked_request.h"
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

void close_file(Filesystem& filesystem, uint64_t number) {
  const std::shared_ptr<OpenFile> open = filesystem.open_files.remove(number);
  if (!open) return;
  end_passing_through(filesystem, *open);
  filesystem.files.release(open->file);
}

// Gives the handle its number, and says what the kernel may do with it.
void fill_info(fuse_req_t request, Filesystem& filesystem, const std::shared_ptr<OpenFile>& open,
               fuse_file_info* info) {
  // Bytes change only by writes that pass the kernel; for the rest there is the invalidator.
  info->keep_cache = 1;
  // Nothing to commit, and mmap cannot write through it either.
  info->noflush = open->writable ? 0 : 1;
  if (!open->writable) pass_through(request, filesystem, *open, info);
  info->fh = filesystem.open_files.add(open);
}

// Opens `inode` and answers: as an answer to create when there is an entry, else to open.
void open_and_reply(fuse_req_t request, InodeNo inode, const std::optional<Entry>& created,
                    const fuse_file_info& asked) {
  Filesystem& filesystem = filesystem_of(request);
  const OpenFlags flags = flags_of(asked.flags);
  const auto parked = ParkedRequest::create(filesystem, request);
  auto opened = [parked, inode, created, asked,
                 writable = flags.write](Result<std::shared_ptr<FileHandle>> file) {
    Filesystem& shared = parked->filesystem();
    const fuse_req_t waiting = parked->request();
    if (!parked->take()) {
      if (file.is_ok()) shared.files.release(std::move(file).value());
      return;
    }
    if (!file.is_ok()) return reply_failure(waiting, file.status());
    const auto open = std::make_shared<OpenFile>();
    open->inode = inode;
    open->file = std::move(file).value();
    open->writable = writable;
    fuse_file_info info = asked;
    fill_info(waiting, shared, open, &info);
    int sent = 0;
    if (created) {
      const fuse_entry_param entry = entry_of(shared, *created);
      sent = fuse_reply_create(waiting, &entry, &info);
    } else {
      sent = fuse_reply_open(waiting, &info);
    }
    // The caller was interrupted: the kernel will not release what it never got.
    if (sent == -ENOENT) {
      close_file(shared, info.fh);
    }
  };
  filesystem.files.open_async(inode, flags, parked->cancel_token(), std::move(opened));
  parked->park(/*may_refuse=*/false);
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
  open_and_reply(request, entry->number, *entry, *info);
}

void op_open(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info) {
  open_and_reply(request, inode_no(inode), std::nullopt, *info);
}

void op_release(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  close_file(filesystem_of(request), info->fh);
  fuse_reply_err(request, 0);
}

}  // namespace shoebox
