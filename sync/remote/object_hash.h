// What an object on a remote holds, by reading it.
//
// Threads: any, as Remote; blocks.
#pragma once

#include <cstdint>
#include <string>

#include "store/base/ids.h"
#include "store/base/result.h"
#include "sync/remote/remote.h"

namespace shoebox {

// The SHA-256 of the `size` bytes at `key`; nothing is asked where that is 0. kConflict: what stands there
// has another ETag by now.
Result<ContentHash> hash_object(Remote& remote, const std::string& key, uint64_t size,
                                const std::string& etag, const RequestContext& context);

}  // namespace shoebox
