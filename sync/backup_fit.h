// Whether a library may write to a remote, judged by the backup of the catalog that stands there: one
// that is newer than what this library knows was made by another machine, and this one would undo it.
//
// Stateless; blocks on the network.
#pragma once

#include <string>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/remote/remote.h"

namespace shoebox {

class Catalog;

// kReadOnly: it may not; the message says what stands there and what to do. Any other error: not known.
Status backup_fits(const Catalog& catalog, Remote& remote, const Clock& clock, const std::string& library,
                   const CancelToken& cancel);
// Takes the newest backup there for one that this library goes on from: what only that one knows is lost.
Status accept_backup(Catalog& catalog, Remote& remote, const Clock& clock, const std::string& library,
                     const CancelToken& cancel);

}  // namespace shoebox
