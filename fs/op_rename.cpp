// rename, with the flags of renameat2(2).
#include <linux/fs.h>

#include <cerrno>
#include <optional>

#include "fs/ops.h"
#include "fs/reply.h"
#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

std::optional<RenameMode> mode_of(unsigned flags) {
  switch (flags) {
    case 0: return RenameMode::kReplace;
    case RENAME_NOREPLACE: return RenameMode::kNoReplace;
    case RENAME_EXCHANGE: return RenameMode::kExchange;
    default: return std::nullopt;  // RENAME_WHITEOUT: for overlayfs, which falls back
  }
}

}  // namespace

void op_rename(fuse_req_t request, fuse_ino_t from, const char* from_name, fuse_ino_t to, const char* to_name,
               unsigned flags) {
  const std::optional<RenameMode> mode = mode_of(flags);
  if (!mode) {
    fuse_reply_err(request, EINVAL);
    return;
  }
  const Filesystem& filesystem = filesystem_of(request);
  Status status =
      filesystem.tree.rename(inode_no(from), from_name, inode_no(to), to_name, *mode, caller_of(request));
  // Programs that write a temporary file, close it and rename it (rsync, editors) fsync nothing: the
  // name must be as durable as the bytes, else a power cut leaves them under a name that is junk.
  if (status) status = filesystem.catalog.sync();
  reply_status(request, status);
}

}  // namespace shoebox
