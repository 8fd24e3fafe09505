// libfuse's table of operations, each wrapped so that no exception crosses the C frames.
#pragma once

#include "fs/fuse_api.h"

namespace shoebox {

fuse_lowlevel_ops session_ops();

}  // namespace shoebox
