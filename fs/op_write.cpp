// write, flush, fsync, fallocate.
//
// Bytes come in memory, not as a pipe to splice from: those of large files are hashed as they pass, so
// they have to be in memory anyway.
#include "fs/ops.h"
#include "fs/reply.h"
#include "store/files.h"

namespace shoebox {

void op_write(fuse_req_t request, fuse_ino_t, const char* bytes, size_t size, off_t offset,
              fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (!open) return;
  // The buffer is this worker's until it returns: what is to be hashed is hashed after the answer.
  filesystem_of(request).files.write(open->file, static_cast<uint64_t>(offset), std::string_view(bytes, size),
                                     [request](const Result<size_t>& written) {
                                       if (!written.is_ok()) return reply_failure(request, written.status());
                                       fuse_reply_write(request, *written);
                                     });
}

void op_flush(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (open) reply_status(request, filesystem_of(request).files.flush(open->file));
}

void op_fsync(fuse_req_t request, fuse_ino_t, int data_only, fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (open) reply_status(request, filesystem_of(request).files.fsync(open->file, data_only != 0));
}

void op_fallocate(fuse_req_t request, fuse_ino_t, int mode, off_t offset, off_t length,
                  fuse_file_info* info) {
  const auto open = open_file_of(request, info);
  if (!open) return;
  reply_status(request, filesystem_of(request).files.fallocate(
                            open->file, mode, static_cast<uint64_t>(offset), static_cast<uint64_t>(length)));
}

}  // namespace shoebox
