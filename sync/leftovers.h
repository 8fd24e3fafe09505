// Removes what broken-off work of this library left on a remote and no row of the catalog leads to: temporary
// objects, uploads in parts, probes. Only what is certainly ours: it stands where Shoebox alone writes, or
// was being sent to a key that the catalog knows as one of ours.
//
// Called by Verifier; blocks on the network. Threads: any. Nothing of what this process is at is touched.
#pragma once

#include <cstdint>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class Remote;

// `remote` lets writes through only while this library owns the place: then nobody else is at work there.
// kReadOnly: another one owns it, and nothing was looked at. A listing that fails is an error, never
// "nothing".
Result<uint64_t> remove_leftovers(Remote& remote, const Catalog& catalog, const Clock& clock,
                                  const CancelToken& cancel);

}  // namespace shoebox
