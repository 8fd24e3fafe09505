// read and lseek. A read waits for nobody: bytes on this disk are spliced at once, for others the
// request is parked (parked_request.h) and the worker goes on.
#include <fcntl.h>

#include "fs/ops.h"
#include "fs/parked_request.h"
#include "fs/reply.h"
#include "store/files.h"

namespace shoebox {
namespace {

void send(fuse_req_t request, const ReadReply& reply) {
  if (reply.fd < 0) {
    fuse_reply_buf(request, reply.memory.data(), reply.bytes);
    return;
  }
  fuse_bufvec buffer = {};
  buffer.count = 1;
  buffer.buf[0].size = reply.bytes;
  buffer.buf[0].flags = static_cast<fuse_buf_flags>(FUSE_BUF_IS_FD | FUSE_BUF_FD_SEEK);
  buffer.buf[0].fd = reply.fd;
  buffer.buf[0].pos = static_cast<off_t>(reply.fd_offset);
  fuse_reply_data(request, &buffer, static_cast<fuse_buf_copy_flags>(0));
}

}  // namespace

void op_read(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (!open) return;
  Filesystem& filesystem = filesystem_of(request);
  const ByteRange range{static_cast<uint64_t>(offset), static_cast<uint64_t>(offset) + size};
  // O_DIRECT is not read-ahead: nobody asks again.
  const bool may_refuse = (info->flags & O_DIRECT) == 0 && !open->refused.touches(range);
  const auto parked = ParkedRequest::create(filesystem, request);
  filesystem.files.read(open->file, range.begin, size, parked->cancel_token(),
                        [parked](const Result<ReadReply>& reply) {
                          if (!parked->take()) return;
                          if (!reply.is_ok()) return reply_failure(parked->request(), reply.status());
                          send(parked->request(), *reply);
                        });
  if (!parked->park(may_refuse)) open->refused.add(range);
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
