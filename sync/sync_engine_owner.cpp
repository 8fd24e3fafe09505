// SyncEngine: who writes to its remotes.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "store/base/log.h"
#include "store/content/content_store.h"
#include "store/doubtful_copies.h"
#include "store/outbox.h"
#include "sync/backup_fit.h"
#include "sync/library_id.h"
#include "sync/missing_copies.h"
#include "sync/remote_test.h"
#include "sync/sync_engine_state.h"

namespace shoebox {
namespace {

constexpr std::chrono::milliseconds kLookForComparison{20};

}  // namespace

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
  options.on_granted = [&member] {  // whose lease it is
    for (RemoteWorker* const worker : member.workers()) worker->try_again();
  };
  member.lease = std::make_unique<OwnerLease>(remote, clock, std::move(library), std::move(options));
  member.leased = std::make_unique<LeasedRemote>(*member.paced, *member.lease);
}

void SyncEngine::State::start_follower(Thumbnails* thumbs) {
  Follower::Options options;
  options.thumbnails = thumbs;
  options.rows.folder = contents.root() + "/following";
  options.replacing = [this](const std::vector<ContentNo>& numbers) {
    return contents.replace_bytes(numbers);
  };
  const auto usable = [this] {
    std::vector<std::shared_ptr<Remote>> remotes;
    for (const auto& member : all()) {
      if (member->remote) remotes.emplace_back(member, &member->remote->uncounted());
    }
    return remotes;
  };
  follower = std::make_unique<Follower>(catalog, usable, clock, options);
  follower->start();
}

bool SyncEngine::State::writes_to(const std::string& remote) const {
  const Members now = all();
  return std::any_of(now.begin(), now.end(), [&](const std::shared_ptr<Member>& member) {
    return member->settings.name == remote && member->lease && member->lease->report().this_library;
  });
}

Status SyncEngine::State::doubt(LeasedRemote& remote, const CancelToken& cancel) const {
  // Where another one writes, it was that one, and copies are for its catalog to know.
  RequestContext context;
  context.cancel = cancel;
  SHOEBOX_TRY(remote.may_write(context));
  SHOEBOX_ASSIGN(const DoubtfulCopies doubtful, doubt_copies(catalog, outbox, remote.name()));
  SHOEBOX_ASSIGN(const uint64_t missing, note_missing_copies(catalog, outbox, remote, clock, cancel));
  log::warning(
      "remote {}: it was put back to an older state, or somebody else wrote there: {} originals are checked "
      "there again; of {} that are not on this disk {} are missing there, and shoebox verify --remote {} "
      "--all "
      "tells whether the others are whole",
      remote.name(), doubtful.checked_again, doubtful.only_there, missing, remote.name());
  return Status::ok();
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
  if (request.remote.empty()) return {Code::kInvalid, "takeover: name one remote"};
  SHOEBOX_ASSIGN(const State::Members members, state_->members_called(request.remote));
  return members.front()->lease->take_over(request, cancel, progress);
}

void SyncEngine::wait_for_owners(std::chrono::milliseconds most) {
  const auto until = std::chrono::steady_clock::now() + most;
  for (const auto& member : state_->all()) {
    if (!member->lease) continue;
    const auto left = until - std::chrono::steady_clock::now();
    const bool known = member->lease->wait_known(std::chrono::ceil<std::chrono::milliseconds>(left));
    // And until its copies count for eviction, which is a moment more where it answers.
    while (known && member->backup && member->backup->in_doubt() && member->lease->report().this_library &&
           member->lease->reached() && std::chrono::steady_clock::now() < until) {
      std::this_thread::sleep_for(kLookForComparison);
    }
  }
}

}  // namespace shoebox
