#include "fs/passthrough.h"

#include "store/files.h"

namespace shoebox {

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)

void want_passthrough(Filesystem& filesystem, fuse_conn_info* connection) {
  if (!filesystem.bytes_never_change) return;
  if (!fuse_set_feature_flag(connection, FUSE_CAP_PASSTHROUGH)) return;
  connection->max_backing_stack_depth = 1;  // the library's disk may itself be an overlay
  filesystem.passes_through = true;
}

void pass_through(fuse_req_t request, Filesystem& filesystem, OpenFile& open, fuse_file_info* info) {
  if (!filesystem.passes_through) return;
  for (const int idle : filesystem.passthrough.take_idle()) fuse_passthrough_close(request, idle);
  const auto give = [&] {
    const int file = filesystem.files.local_fd(*open.file);
    // Else not privileged, or a disk that cannot: copied instead.
    return file >= 0 ? fuse_passthrough_open(request, file) : 0;
  };
  open.in_passthrough_table = true;
  const int backing = filesystem.passthrough.enter(open.inode, give);
  if (backing <= 0) return;
  info->backing_id = backing;
  info->keep_cache = 0;  // the kernel wants one or the other
  filesystem.files.note_passed_through();
}

void end_passing_through(Filesystem& filesystem, const OpenFile& open) {
  if (open.in_passthrough_table) filesystem.passthrough.leave(open.inode);
}

#else

void want_passthrough(Filesystem&, fuse_conn_info*) {}
void pass_through(fuse_req_t, Filesystem&, OpenFile&, fuse_file_info*) {}
void end_passing_through(Filesystem&, const OpenFile&) {}

#endif

}  // namespace shoebox
