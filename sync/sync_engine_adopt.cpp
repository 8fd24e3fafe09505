// Adopting, as SyncEngine does it: when somebody asks.
#include "store/tree/tree.h"
#include "sync/adopt.h"
#include "sync/sync_engine_state.h"

namespace shoebox {

Result<AdoptReport> SyncEngine::adopt(const AdoptRequest& request, CancelToken cancel,
                                      const std::function<void(const AdoptReport&)>& progress) {
  State& state = *state_;
  if (request.remote.empty() || state.tree == nullptr)
    return Status(Code::kInvalid, "adopt: name one remote");
  SHOEBOX_ASSIGN(const State::Members members, state.members_called(request.remote));
  const Adopter adopter({state.catalog, state.contents, *state.tree, state.clock}, {});
  return adopter.run(*members.front()->leased, request, cancel, progress);
}

}  // namespace shoebox
