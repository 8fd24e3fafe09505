// The FUSE session: mounts, runs the workers, unmounts, and carries notifications to the kernel.
//
// Owned by the mounting process. run() blocks the calling thread until the mount is gone;
// request_unmount() and the notifications come from other threads meanwhile.
#pragma once

#include <memory>
#include <string>

#include "fs/invalidator.h"
#include "store/base/result.h"

struct fuse_session;

namespace shoebox {

struct Filesystem;

class Session final : public Notifier {
 public:
  // `source` shows in the list of mounts. `filesystem` outlives the session.
  static Result<std::unique_ptr<Session>> create(Filesystem& filesystem, const std::string& source);
  ~Session() override;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  Status mount(const std::string& mountpoint);
  // Once the mount answers: larger read-ahead than the kernel's 128 KiB, where privileges allow.
  void raise_read_ahead();
  // Serves until unmounted. Nothing answers before this runs.
  Status run();
  // The orderly end of a running session, as "umount" does it: mapped pages are written back, then
  // it is unmounted; if files are still open it is detached. From any thread but a worker.
  void request_unmount();
  // After run(): takes the mount away if it is still there.
  void unmount();

  int invalidate_name(InodeNo directory, const std::string& name) override;
  int invalidate_attributes(InodeNo inode) override;
  int invalidate_data(InodeNo inode) override;

 private:
  explicit Session(fuse_session* session) : session_(session) {}
  void detach();

  fuse_session* session_;
  std::string mountpoint_;
  bool mounted_ = false;
};

}  // namespace shoebox
