// Whether a remote does all that a backup needs: tried with an object of a few bytes.
#pragma once

#include <string>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"

namespace shoebox {

// What it writes, for moments.
inline constexpr const char* kProbes = ".shoebox/probe-";

class Remote;
struct RemoteOwner;

// Writes .shoebox/probe-RANDOM, reads it back, removes it. Blocks, for half a minute at most.
Status test_remote(Remote& remote, const Clock& clock, const CancelToken& cancel);
// What the owner's record there says; `writer`: of this library directory.
Result<RemoteOwner> owner_of_remote(Remote& remote, const Clock& clock, const std::string& writer,
                                    const CancelToken& cancel);

}  // namespace shoebox
