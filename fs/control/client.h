// Asks the process that has a library mounted. One connection, one request.
//
// Threads: blocks the caller until the answer is there.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>

#include "store/base/cancel.h"
#include "store/base/result.h"

namespace shoebox {

// True when somebody listens on the control socket of this library.
bool is_mounted(const std::string& library);

// Nothing: nobody has this library mounted. Otherwise the result, or the error of the mount.
// Raising `cancel` (looked at ten times a second) closes the connection and with it the request.
Result<std::optional<nlohmann::json>> ask_mount(const std::string& library, const std::string& verb,
                                                const nlohmann::json& arguments, const CancelToken& cancel,
                                                const std::function<void(const nlohmann::json&)>& progress);

}  // namespace shoebox
