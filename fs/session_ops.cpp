#include "fs/session_ops.h"

#include <cerrno>
#include <new>

#include "fs/filesystem.h"
#include "fs/ops.h"
#include "fs/parked_reads.h"
#include "fs/passthrough.h"
#include "store/base/log.h"

namespace shoebox {
namespace {

constexpr unsigned kReadAheadBytes = 1 << 20;

// Answers with an error what an operation threw before it answered.
template <auto Operation>
struct Guarded;
template <typename... Arguments, void (*Operation)(fuse_req_t, Arguments...)>
struct Guarded<Operation> {
  static void call(fuse_req_t request, Arguments... arguments) noexcept {
    try {
      Operation(request, arguments...);
    } catch (const std::bad_alloc&) {
      fuse_reply_err(request, ENOMEM);
    } catch (const std::exception& error) {
      log::error("an operation failed unexpectedly: {}", error.what());
      fuse_reply_err(request, EIO);
    }
  }
};

void on_init(void* userdata, fuse_conn_info* connection) {
  auto& filesystem = *static_cast<Filesystem*>(userdata);
  unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC | FUSE_CAP_EXPORT_SUPPORT |
                    FUSE_CAP_READDIRPLUS | FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_CACHE_SYMLINKS |
                    FUSE_CAP_EXPLICIT_INVAL_DATA | FUSE_CAP_DONT_MASK;
  if (!filesystem.options.overrides_attributes()) wanted |= FUSE_CAP_POSIX_ACL;
  // Writeback caching would acknowledge what is nowhere yet. Automatic invalidation would drop pages
  // whenever a commit sets the time of what was just written; we say ourselves when bytes changed.
  // With asynchronous direct I/O a process that waits for an evicted file cannot be killed, because
  // the kernel sends no interrupt then.
  // READDIRPLUS_AUTO would give attributes with the first names of a folder only: who lists all names and
  // then looks at each (ls -l, file managers) asks for the others one by one, which takes ten times longer.
  // Splicing does not pay: see op_write.cpp and op_read.cpp. The umask is ours to apply, because it does not
  // count in a folder with a default ACL.
  const unsigned unwanted = FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_ASYNC_DIO |
                            FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                            FUSE_CAP_SPLICE_MOVE | FUSE_CAP_HANDLE_KILLPRIV;
  connection->want = (connection->want & ~unwanted) | (wanted & connection->capable);
  // The kernel's 12 would let a few parked reads starve everybody (parked_reads.h).
  connection->max_background = kMaxBackground;
  connection->congestion_threshold = kMaxBackground * 3 / 4;
  connection->max_readahead = kReadAheadBytes;
  connection->time_gran = 1;
  want_passthrough(filesystem, connection);
}

}  // namespace

fuse_lowlevel_ops session_ops() {
  fuse_lowlevel_ops ops = {};
  ops.init = on_init;
  ops.lookup = Guarded<op_lookup>::call;
  ops.forget = Guarded<op_forget>::call;
  ops.forget_multi = Guarded<op_forget_multi>::call;
  ops.getattr = Guarded<op_getattr>::call;
  ops.setattr = Guarded<op_setattr>::call;
  ops.statfs = Guarded<op_statfs>::call;
  ops.opendir = Guarded<op_opendir>::call;
  ops.readdir = Guarded<op_readdir>::call;
  ops.readdirplus = Guarded<op_readdirplus>::call;
  ops.releasedir = Guarded<op_releasedir>::call;
  ops.fsyncdir = Guarded<op_fsyncdir>::call;
  ops.mkdir = Guarded<op_mkdir>::call;
  ops.mknod = Guarded<op_mknod>::call;
  ops.symlink = Guarded<op_symlink>::call;
  ops.readlink = Guarded<op_readlink>::call;
  ops.link = Guarded<op_link>::call;
  ops.unlink = Guarded<op_unlink>::call;
  ops.rmdir = Guarded<op_rmdir>::call;
  ops.rename = Guarded<op_rename>::call;
  ops.create = Guarded<op_create>::call;
  ops.open = Guarded<op_open>::call;
  ops.release = Guarded<op_release>::call;
  ops.read = Guarded<op_read>::call;
  ops.lseek = Guarded<op_lseek>::call;
  ops.write = Guarded<op_write>::call;
  ops.flush = Guarded<op_flush>::call;
  ops.fsync = Guarded<op_fsync>::call;
  ops.fallocate = Guarded<op_fallocate>::call;
  ops.getxattr = Guarded<op_getxattr>::call;
  ops.setxattr = Guarded<op_setxattr>::call;
  ops.listxattr = Guarded<op_listxattr>::call;
  ops.removexattr = Guarded<op_removexattr>::call;
  // access: default_permissions. Locks: the kernel keeps them, there is one machine.
  return ops;
}

}  // namespace shoebox
