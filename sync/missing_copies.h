// Looks for the copies of originals that this disk does not have, on a remote that may have lost some: by a
// listing, which costs little, and by asking for each that it does not tell. Whether the bytes are right only
// reading them tells.
//
// Blocks as the remote does; any thread.
#pragma once

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class Outbox;
class Remote;

// What is missing counts no more and is sent again where another remote has it; else it is noted as lost,
// which `shoebox status` tells. Gives how many are missing. An error: the remote did not answer for all of
// them.
Result<uint64_t> note_missing_copies(Catalog& catalog, Outbox& outbox, Remote& remote, const Clock& clock,
                                     const CancelToken& cancel);

}  // namespace shoebox
