// Whether this machine has what the settings of a remote name: for a command that checks them.
#pragma once

#include <string>

#include "store/base/result.h"

namespace shoebox {

struct RemoteSettings;

// Reads what a remote would read before its first request (credentials, key, CA), with the same refusals, and
// sends nothing. Runs a credentials_command, for 15 s at most. Not ok: the remote cannot be used.
// `left_open`: what only the environment of the mount decides, else empty.
Status check_remote_settings(const RemoteSettings& settings, std::string& left_open);

}  // namespace shoebox
