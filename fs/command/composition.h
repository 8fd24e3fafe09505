// What the command line needs from the composition root: fs/main.cpp fills it, because only main
// knows fs, store and sync at once. Commands themselves see interfaces of the store.
//
// Threads: called from the main thread of a command.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "store/base/result.h"
#include "store/rebuild.h"
#include "store/settings.h"

namespace shoebox {

class Library;
class SyncControl;

// A library and all that works on it, opened in this process because nothing has it mounted.
// Destruction is the orderly stop: sync first, then the library.
class OpenedLibrary {
 public:
  virtual ~OpenedLibrary() = default;
  virtual Library& library() = 0;
  virtual SyncControl& sync() = 0;
};

struct OpenRequest {
  std::string library;  // absolute path of LIBRARY/
  bool create = false;
  bool read_only = false;
  bool salvage = false;                 // build a damaged catalog anew from what of it can be read
  bool background = true;               // start importer, evictor and uploads; false: the command only looks
  std::vector<RemoteSettings> remotes;  // added to the settings where they are not in them
  bool remotes_stay = true;             // and written into shoebox.toml; else they count for this command
  bool temporary = false;               // `library` was made for this command and goes with it
};

struct MountRequest {
  std::string library;               // absolute path; made when it is not there
  std::string mountpoint;            // absolute path
  std::vector<std::string> options;  // one per element, as after -o: "allow_other", "uid=1000"
  bool foreground = false;
  bool follow = false;                  // another machine writes the library: read only, and keep up with it
  std::vector<RemoteSettings> remotes;  // from --remote; names may be empty: the library gives them
};

struct Composition {
  // kBusy names the pid that has the library open.
  std::function<Result<std::unique_ptr<OpenedLibrary>>(const OpenRequest&)> open_library;
  // Mounts and serves; returns the exit code, in the foreground or in the starting process of a daemon.
  // The mount must show LIBRARY as its source and fuse.shoebox as its type (fsname=, subtype=shoebox),
  // because commands find the library of a path by that, and must call serve_commands (serve.h).
  std::function<int(const MountRequest&)> mount;
  // Whether this machine has what the settings of a remote name, without asking the remote. `left_open`: what
  // only the environment of the mount decides.
  std::function<Status(const RemoteSettings&, std::string& left_open)> check_remote = nullptr;
  // Whether the passphrase of an encrypted remote can be read and, where it is to be tried, is the right one,
  // without a library and without writing anything. kUnauthorized: no; any other failure: it could not be
  // told now.
  std::function<Status(const RemoteSettings&, bool try_it)> check_passphrase = nullptr;
  // Makes a library from the backup on a remote, but for the originals; finish_rebuild when all that was
  // asked for is done, so that the next run does not go on with this one.
  std::function<Result<RebuildResult>(const RebuildPlan&)> rebuild;
  std::function<Status(const std::string& library)> finish_rebuild;
};

// The whole command line. Also answers to the name mount.shoebox and mount.fuse.shoebox, and to
// "shoebox LIBRARY MOUNTPOINT -o …", as mount(8) and mount.fuse call it. Returns the exit code.
int run_command_line(int argc, char** argv, const Composition& composition);

}  // namespace shoebox
