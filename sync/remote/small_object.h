// Objects that fit into memory: written from bytes, and read whole.
//
// Threads: any, as Remote; both block.
#pragma once

#include <string>
#include <string_view>

#include "store/base/file_io.h"
#include "store/base/result.h"
#include "sync/remote/remote.h"

namespace shoebox {

// A file without a name, in memory, that holds these bytes: for put(). `what` names it in messages.
Result<UniqueFd> file_in_memory(std::string_view bytes, std::string_view what);

// As Remote::put(), without progress to resume from. `if_absent` as in PutOptions.
Result<RemoteObject> put_small_object(Remote& remote, const std::string& key, std::string_view bytes,
                                      bool if_absent, const RequestContext& context);

// The first `most_bytes` of what stands at `key`, or all where that is less. kDataLoss: more came than that.
Result<std::string> read_small_object(Remote& remote, const std::string& key, uint64_t most_bytes,
                                      const RequestContext& context);

// The bytes of `object` as stat() or list() told it; kConflict when another one stands there by now. The
// caller bounds its size.
Result<std::string> read_small_object(Remote& remote, const RemoteObject& object,
                                      const RequestContext& context);

}  // namespace shoebox
