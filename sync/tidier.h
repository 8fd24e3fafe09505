// Keeps the keys on one remote true to the catalog: moves copies whose files were renamed, trashed or
// brought back, removes what nobody holds any more (Outbox::next_tidy tells what, Tidy does it).
#pragma once

#include "sync/step_worker.h"

namespace shoebox {

class Outbox;

class Tidier final : public StepWorker {
 public:
  Tidier(Outbox& outbox, Remote& remote, const Clock& clock, Options options);
};

}  // namespace shoebox
