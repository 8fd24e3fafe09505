// read and lseek. A read waits for nobody: bytes on this disk are spliced at once, for others the
// request is parked (pending_read.h) and the worker goes on.
#include <fcntl.h>

#include "fs/ops.h"
#include "fs/pending_read.h"
#include "fs/reply.h"
#include "store/files.h"

namespace shoebox {

void op_read(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (!open) return;
  Filesystem& filesystem = filesystem_of(request);
  const ByteRange range{static_cast<uint64_t>(offset), static_cast<uint64_t>(offset) + size};
  const auto pending = std::make_shared<PendingRead>(filesystem, request);
  pending->listen();
  filesystem.files.read(open->file, range.begin, size, pending->cancel_token(),
                        [pending](const Result<ReadReply>& reply) { pending->finish(reply); });
  // O_DIRECT is not read-ahead: nobody asks again.
  const bool may_refuse = (info->flags & O_DIRECT) == 0 && !open->refused.touches(range);
  if (!pending->park(may_refuse)) open->refused.add(range);
}

void op_lseek(fuse_req_t request, fuse_ino_t, off_t offset, int whence, fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (!open) return;
  const Result<uint64_t> position =
      filesystem_of(request).files.seek(open->file, static_cast<uint64_t>(offset), whence);
  if (!position.is_ok()) return reply_failure(request, position.status());
  fuse_reply_lseek(request, static_cast<off_t>(*position));
}

}  // namespace shoebox
