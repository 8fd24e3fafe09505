// read and lseek. A read waits for nobody: bytes on this disk are answered at once, for others the
// request is parked (parked_request.h) and the worker goes on.
//
// Local bytes are copied through a buffer of the thread's own, not spliced: the kernel asks for 1 MiB at
// a time, for which a pipe is too small where nobody may make it larger, and libfuse then reads into memory
// that it maps anew for each request (measured: 180 MB/s; copied 700 MB/s; spliced by 128 KiB 660 MB/s).
#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "fs/ops.h"
#include "fs/parked_request.h"
#include "fs/reply.h"
#include "store/base/file_io.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"

namespace shoebox {
namespace {

constexpr uint64_t kPageBytes = 4096;  // the least the kernel asks for when it reads for somebody

void send(fuse_req_t request, const ReadReply& reply) {
  if (reply.fd < 0) {
    fuse_reply_buf(request, reply.memory.data(), reply.bytes);
    return;
  }
  thread_local std::vector<char> buffer;  // as large as the largest request of this thread
  if (buffer.size() < reply.bytes) buffer.resize(reply.bytes);
  const Result<size_t> got = pread_full(reply.fd, buffer.data(), reply.bytes, reply.fd_offset);
  if (!got.is_ok()) return reply_failure(request, got.status());
  fuse_reply_buf(request, buffer.data(), *got);
}

bool must_fetch(const Filesystem& filesystem, const OpenFile& open, ByteRange range) {
  if (filesystem.files.complete_local(*open.file)) return false;
  const auto record = filesystem.catalog.inode(open.inode);
  if (!record.is_ok() || !*record || !(*record)->content) return false;
  range.end = std::min(range.end, (*record)->size);
  if (range.empty()) return false;
  const auto gaps = filesystem.contents.missing((*record)->content, range);
  return gaps.is_ok() && !gaps->empty();
}

// The kernel reads ahead of a program that reads the head of an evicted photo for its EXIF, past
// what is kept of it, and nobody will look at those bytes. So the first read-ahead into what is not
// here is refused: if somebody does want it the kernel asks again, page by page, and from then on
// this handle waits for all it is asked.
bool is_idle_read_ahead(const Filesystem& filesystem, OpenFile& open, ByteRange range, bool may_refuse) {
  if (open.reads_remote.load(std::memory_order_relaxed)) return false;
  if (may_refuse && range.size() > kPageBytes && must_fetch(filesystem, open, range)) return true;
  if (!may_refuse) open.reads_remote.store(true, std::memory_order_relaxed);
  return false;
}

}  // namespace

void op_read(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (!open) return;
  Filesystem& filesystem = filesystem_of(request);
  const ByteRange range{static_cast<uint64_t>(offset), static_cast<uint64_t>(offset) + size};
  // O_DIRECT is not read-ahead: nobody asks again.
  const bool may_refuse = (info->flags & O_DIRECT) == 0 && !open->refused.touches(range);
  if (is_idle_read_ahead(filesystem, *open, range, may_refuse)) {
    open->refused.add(range);
    fuse_reply_err(request, EIO);
    return;
  }
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
