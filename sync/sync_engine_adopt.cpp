// Adopting, as SyncEngine does it: when somebody asks.
#include "store/tree/tree.h"
#include "sync/adopt.h"
#include "sync/backup_fit.h"
#include "sync/library_id.h"
#include "sync/sync_engine_state.h"

namespace shoebox {

Result<AdoptReport> SyncEngine::adopt(const AdoptRequest& request, CancelToken cancel,
                                      const std::function<void(const AdoptReport&)>& progress) {
  State& state = *state_;
  if (request.remote.empty() || state.tree == nullptr)
    return Status(Code::kInvalid, "adopt: name one remote");
  SHOEBOX_ASSIGN(const State::Members members, state.members_called(request.remote));
  const Adopter adopter({state.catalog, state.contents, *state.tree, state.clock}, {});
  const State::Member& member = *members.front();
  SHOEBOX_ASSIGN(AdoptReport report, adopter.run(*member.leased, request, cancel, progress));
  if (request.rebuild && !request.mend) {
    // What stands there of a backup could not be used: this library, which has the rest, may go on over it.
    SHOEBOX_ASSIGN(const std::string library, library_id(state.catalog));
    SHOEBOX_TRY(accept_backup(state.catalog, member.remote->uncounted(), state.clock, library, cancel));
  }
  return report;
}

}  // namespace shoebox
