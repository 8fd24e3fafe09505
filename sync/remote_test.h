// Whether a remote does all that a backup needs: tried with an object of a few bytes.
#pragma once

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"

namespace shoebox {

class Remote;

// Writes .shoebox/probe-RANDOM, reads it back, removes it. Blocks, for half a minute at most.
Status test_remote(Remote& remote, const Clock& clock, const CancelToken& cancel);

}  // namespace shoebox
