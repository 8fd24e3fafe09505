// What stands under a key that is needed and is not ours goes to .shoebox/versions/KEY~SECONDS first:
// nothing is overwritten before its copy is known to stand in full. Blocks on the network; any thread.
#pragma once

#include <string>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/remote/remote.h"

namespace shoebox {

// `key` itself is left as it is, for the caller to overwrite.
Status move_aside(Remote& remote, const std::string& key, const Clock& clock, const RequestContext& context);

}  // namespace shoebox
