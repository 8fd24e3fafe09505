// A mount from its command to its end: checks, fork, library, session, orderly unmount.
//
// What lies below fs (library, decoder, sync, control socket) is made by the composition root and
// handed in as a function, because it must be made after the fork: neither threads nor RocksDB
// survive one.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "fs/options.h"
#include "store/base/result.h"

namespace shoebox {

class Library;
class SyncControl;

struct MountPlan {
  std::string library;     // absolute path
  std::string mountpoint;  // absolute path
  MountOptions options;
  bool foreground = false;
};

// An opened library with everything that works on it.
class MountedLibrary {
 public:
  virtual ~MountedLibrary() = default;
  virtual Library& library() = 0;
  virtual SyncControl& sync() = 0;
  // Background work and commands; once the mount is up.
  virtual Status start(const std::string& mountpoint) = 0;
  // Ends it: commands, then uploads and fetches (parked reads are answered), then the library.
  virtual void stop() = 0;
  // After stop(), once nothing is mounted any more: sends what changed last, for some seconds at most.
  virtual void finish() = 0;
};

using OpenMountedLibrary = std::function<Result<std::unique_ptr<MountedLibrary>>()>;

// Returns when the mount answers (in the background: the starting process), or when it is over
// (in the foreground, and in the daemon itself).
Status run_mount(const MountPlan& plan, const OpenMountedLibrary& open);

}  // namespace shoebox
