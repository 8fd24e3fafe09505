// Lets commands reach the process that has the library mounted.
#pragma once

#include <memory>
#include <string>

#include "store/base/result.h"

namespace shoebox {

class ControlServer;
class Library;
class SyncControl;

// Serves every verb that is a Service on LIBRARY/control.sock, on threads of its own, until the
// server is destroyed; library and sync must outlive it. Include fs/control/server.h to destroy it.
Result<std::unique_ptr<ControlServer>> serve_commands(Library& library, SyncControl& sync,
                                                      const std::string& mountpoint);

}  // namespace shoebox
