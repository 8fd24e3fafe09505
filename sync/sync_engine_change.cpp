// SyncEngine: remotes that come, go and change while it runs.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "store/base/log.h"
#include "store/library_remotes.h"
#include "store/outbox.h"
#include "sync/sync_engine_state.h"

namespace shoebox {
namespace {

const RemoteSettings* remote_called(const Settings& settings, const std::string& name) {
  const auto found = std::find_if(settings.remotes.begin(), settings.remotes.end(),
                                  [&](const RemoteSettings& remote) { return remote.name == name; });
  return found != settings.remotes.end() ? &*found : nullptr;
}

// Its copies are those of the remote of this name in `next`.
bool stays_there(const RemoteSettings& before, const Settings& next) {
  const RemoteSettings* const after = remote_called(next, before.name);
  return after != nullptr && same_place(before, *after);
}

}  // namespace

Status SyncEngine::State::begin_change() NO_THREAD_SAFETY_ANALYSIS {
  MutexLock lock(mutex);
  // The search for missing jobs goes by the remotes it began with.
  changed.wait(mutex, [this]() REQUIRES(mutex) { return stopping || (!changing && enqueued); });
  if (stopping) return {Code::kUnavailable, "settings: the drive is being unmounted"};
  changing = true;
  return Status::ok();
}

void SyncEngine::State::end_change() {
  {
    MutexLock lock(mutex);
    changing = false;
  }
  changed.notify_all();
}

Status SyncEngine::change_settings(const SettingsChange& change) {
  SHOEBOX_TRY(state_->begin_change());
  bool works = false;
  {
    const std::shared_ptr<void> end(nullptr, [this](void*) { state_->end_change(); });
    SHOEBOX_TRY(state_->change(change));
    MutexLock lock(state_->mutex);
    works = state_->works;
  }
  // Copies on a remote that begins anew count for an eviction once it was compared, as after a mount.
  if (works) wait_for_owners(kOwnerPatience);
  return Status::ok();
}

Status SyncEngine::State::change(const SettingsChange& change) {
  SHOEBOX_ASSIGN(const Settings next, change.read());
  Members kept = all();
  // One whose keys are new begins anew, also where its settings are the same.
  std::map<std::string, std::function<void()>> renewals;
  if (admit) {
    for (const RemoteSettings& remote : next.remotes) {
      const bool edited = std::any_of(kept.begin(), kept.end(), [&](const std::shared_ptr<Member>& member) {
        return member->settings.name == remote.name && member->settings != remote;
      });
      if (!change.look_at_secrets && !edited) continue;
      SHOEBOX_ASSIGN(auto renew, admit(remote));
      if (renew) renewals[remote.name] = std::move(renew);
    }
  }
  Members leaving;
  for (const auto& member : kept) {
    const RemoteSettings* const after = remote_called(next, member->settings.name);
    // One that could not be made may be better off now: its credentials stand elsewhere.
    if (after == nullptr || *after != member->settings || !member->remote ||
        renewals.contains(member->settings.name))
      leaving.push_back(member);
  }
  std::erase_if(kept, [&](const std::shared_ptr<Member>& member) {
    return std::find(leaving.begin(), leaving.end(), member) != leaving.end();
  });
  {
    MutexLock lock(mutex);
    members = kept;
  }
  leave(leaving, next);
  const Status applied = change.apply(next);
  for (const auto& [name, renew] : renewals) renew();
  take_in(kept, leaving, next);
  verify_period_s = next.verify_period_s;
  return applied;
}

// Ends what works there. Reads go on where the copies stay, until take_in() has the remote anew.
void SyncEngine::State::leave(const Members& leaving, const Settings& next) {
  for (const auto& member : leaving) {
    if (!member->remote) continue;
    const bool stays = stays_there(member->settings, next);
    if (!stays) fetcher.remove_remote(member->settings.name);
    member->stop();
    if (stays) continue;
    member->remote->close();
    if (all_sent(*member)) member->lease->release(CancelToken());
    log::info("remote {} is no longer in use", member->settings.name);
  }
}

void SyncEngine::State::take_in(const Members& kept, const Members& leaving, const Settings& next) {
  Members now;
  Members fresh;
  std::vector<std::string> names;
  for (const RemoteSettings& settings : next.remotes) {
    names.push_back(settings.name);
    const auto same = std::find_if(kept.begin(), kept.end(), [&](const std::shared_ptr<Member>& member) {
      return member->settings.name == settings.name;
    });
    if (same == kept.end()) fresh.push_back(make_member(settings));
    now.push_back(same == kept.end() ? fresh.back() : *same);
  }
  for (const auto& member : leaving) {
    if (!member->remote || !stays_there(member->settings, next)) continue;
    fetcher.remove_remote(member->settings.name);  // the former one: it was added first
    member->remote->close();
  }
  fetcher.order_remotes(names);
  bool work = false;
  {
    MutexLock lock(mutex);
    members = now;
    work = works;
  }
  if (!work) return;
  watch_surroundings();
  for (const auto& member : fresh) start_member(*member);
}

}  // namespace shoebox
