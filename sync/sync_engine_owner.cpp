// SyncEngine: who writes to its remotes.
#include <fmt/format.h>

#include <algorithm>

#include "store/base/log.h"
#include "store/outbox.h"
#include "sync/backup_fit.h"
#include "sync/library_id.h"
#include "sync/remote_test.h"
#include "sync/sync_engine_state.h"

namespace shoebox {

void SyncEngine::State::make_lease(Member& member) {
  // Not counted: what a lease costs is no matter of what the owner does.
  Remote& remote = member.remote->uncounted();
  OwnerLease::Library library;
  library.id = [this] { return library_id(catalog); };
  library.fits = [this, &remote](const std::string& id, const CancelToken& cancel) {
    return backup_fits(catalog, remote, clock, id, cancel);
  };
  library.accept = [this, &remote](const std::string& id, const CancelToken& cancel) {
    return accept_backup(catalog, remote, clock, id, cancel);
  };
  OwnerLease::Options options;
  options.writer = writer.id;
  options.host = writer.host;
  options.user = writer.user;
  options.lease = std::chrono::seconds(member.settings.lease_s);
  options.now = writer.now;
  options.on_granted = [this, name = member.settings.name] {
    for (const Member& one : members) {
      if (one.settings.name != name) continue;
      for (RemoteWorker* const worker : one.workers()) worker->try_again();
    }
  };
  member.lease = std::make_unique<OwnerLease>(remote, clock, std::move(library), std::move(options));
  member.leased = std::make_unique<LeasedRemote>(*member.paced, *member.lease);
}

// The first that can be used: all have the same backup.
const SyncEngine::State::Member& SyncEngine::State::followed() const {
  const auto usable = std::find_if(members.begin(), members.end(),
                                   [](const Member& member) { return member.remote != nullptr; });
  return usable == members.end() ? members.front() : *usable;
}

void SyncEngine::State::start_follower(Thumbnails* thumbs) {
  if (members.empty() || !followed().remote) return;
  Follower::Options options;
  options.thumbnails = thumbs;
  follower = std::make_unique<Follower>(catalog, followed().remote->uncounted(), clock, options);
  follower->start();
}

bool SyncEngine::State::writes_to(const std::string& remote) const {
  return std::any_of(members.begin(), members.end(), [&](const Member& member) {
    return member.settings.name == remote && member.lease && member.lease->report().this_library;
  });
}

Result<RemoteOwner> SyncEngine::test(const RemoteSettings& settings, CancelToken cancel) {
  const auto totals = state_->outbox.totals(settings.name);
  SHOEBOX_ASSIGN(const std::unique_ptr<Remote> remote,
                 state_->make_remote(settings, totals && totals->confirmed_files > 0));
  SHOEBOX_TRY(test_remote(*remote, state_->clock, cancel));
  return owner_of_remote(*remote, state_->clock, state_->writer.id, cancel);
}

Status SyncEngine::take_over(
    const TakeoverRequest& request, CancelToken cancel,
    const std::function<void(const std::string& text, uint64_t done, uint64_t total)>& progress) {
  SHOEBOX_TRY(state_->remotes_called(request.remote).status());
  for (const State::Member& member : state_->members) {
    if (member.settings.name != request.remote || !member.lease) continue;
    return member.lease->take_over(request, cancel, progress);
  }
  return {Code::kNotFound, fmt::format("no remote is called \"{}\"; see shoebox status", request.remote)};
}

void SyncEngine::wait_for_owners(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  for (const State::Member& member : state_->members) {
    if (!member.lease) continue;
    const auto left = until - std::chrono::steady_clock::now();
    (void)member.lease->wait_known(std::chrono::ceil<std::chrono::milliseconds>(left));
  }
}

}  // namespace shoebox
