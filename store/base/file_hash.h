// The SHA-256 of a file, for who may lose interest in it meanwhile.
#pragma once

#include "store/base/cancel.h"
#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

// Reads the whole file behind `fd` once; kCancelled as soon as `cancel` is raised.
Result<ContentHash> sha256_of_file(int fd, const CancelToken& cancel);

}  // namespace shoebox
