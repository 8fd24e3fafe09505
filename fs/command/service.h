// A command line verb as it runs, be it in the mounted process (asked over the control socket) or
// in the command's own process when nothing is mounted. One file per verb in fs/command/.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

class Library;
class SyncControl;

struct ServiceContext {
  Library& library;
  SyncControl& sync;
  std::string mountpoint;  // empty when not mounted
  CancelToken cancel;      // raised when the asking process went away
  // Zero or more interim answers before the last one; the front end draws progress from them.
  std::function<void(const nlohmann::json&)> progress;
};

// `arguments` comes from the verb's own front end but is checked like any input.
using Service = std::function<Result<nlohmann::json>(ServiceContext&, const nlohmann::json& arguments)>;

}  // namespace shoebox
