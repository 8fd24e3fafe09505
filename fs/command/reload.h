// A mount that runs takes over what shoebox.toml says by now.
#pragma once

#include <string>

#include "fs/command/service.h"
#include "store/base/result.h"

namespace shoebox {

// Nothing to do where the library is not mounted. kBusy: a remote that left the file holds the only copy of
// something; then all stays as it was. So it does where `look_at_secrets` and the passphrase of an encrypted
// remote cannot be read or is wrong. Blocks until what worked on remotes that left has ended.
Status reload_settings(ServiceContext& context, bool look_at_secrets = false);

// Why the remote of this name is not worked on from here; empty: it is, or it has not answered yet.
Result<std::string> trouble_of_remote(ServiceContext& context, const std::string& name);

}  // namespace shoebox
