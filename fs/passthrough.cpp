#include "fs/passthrough.h"

#include "store/files.h"

namespace shoebox {

#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 17)

void want_passthrough(const Filesystem& filesystem, fuse_conn_info* connection) {
  if (!filesystem.options.read_only) return;
  if (!fuse_set_feature_flag(connection, FUSE_CAP_PASSTHROUGH)) return;
  connection->max_backing_stack_depth = 1;  // the library's disk may itself be an overlay
}

void pass_through(fuse_req_t request, Filesystem& filesystem, OpenFile& open, fuse_file_info* info) {
  if (!filesystem.options.read_only || !filesystem.files.complete_local(*open.file)) return;
  const int backing = fuse_passthrough_open(request, filesystem.files.local_fd(*open.file));
  if (backing <= 0) return;  // not privileged, or a disk that cannot: copied instead
  open.backing_id = backing;
  info->backing_id = backing;
  info->keep_cache = 0;  // the kernel wants one or the other
}

void end_passing_through(fuse_req_t request, OpenFile& open) {
  if (open.backing_id > 0) fuse_passthrough_close(request, open.backing_id);
}

#else

void want_passthrough(const Filesystem&, fuse_conn_info*) {}
void pass_through(fuse_req_t, Filesystem&, OpenFile&, fuse_file_info*) {}
void end_passing_through(fuse_req_t, OpenFile&) {}

#endif

}  // namespace shoebox
