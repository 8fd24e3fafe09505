// Keeps the XMP sidecars on one remote true to what the owner said (Outbox::next_sidecar tells which, and
// sync/remote/LAYOUT.md where they stand).
//
// Never overwrites what is not ours: a sidecar that somebody else put beside an original stays, ours goes
// below .shoebox/sidecars/; what stands there and is not ours is moved aside first.
#pragma once

#include "sync/step_worker.h"

namespace shoebox {

class Outbox;

class SidecarSender final : public StepWorker {
 public:
  SidecarSender(Outbox& outbox, Remote& remote, const Clock& clock, Options options);
};

}  // namespace shoebox
