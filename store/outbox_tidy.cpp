// What is to be done on a remote so that its keys follow the catalog: which copy moves where, which
// object is nobody's, and in which order so that nothing is in the way.

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/catalog/keys.h"
#include "store/outbox_state.h"

namespace shoebox {
namespace {

using Step = std::optional<TidyStep>;

// Copies that wait for each other's keys and are looked at in one go; beyond it, one steps aside.
constexpr size_t kLongestChain = 64;

// Whether an upload or a move is about to make, or has begun to make, the object at `key`.
Result<bool> being_made(const CatalogReader& reader, const std::string& remote, const std::string& key,
                        const LooseObject& object, const KeyLimits& limits) {
  if (!object.maker) return false;
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, reader.content(object.maker));
  if (!content) return false;
  SHOEBOX_ASSIGN(const std::optional<std::string> job, reader.get(keys::job(object.maker, remote)));
  SHOEBOX_ASSIGN(const std::optional<TidyRecord> tidy, reader.tidy(object.maker, remote));
  if (!job && !tidy) return false;
  // A copy that was reported lost may be the only one yet: it stays until it was sent again.
  if (job && !object.etag.empty()) return true;
  SHOEBOX_ASSIGN(const std::optional<RemoteCopy> copy, reader.copy(object.maker, remote));
  SHOEBOX_ASSIGN(const std::vector<std::string> wanted,
                 wanted_keys(reader, object.maker, content->sha256, copy ? copy->key : "", limits));
  return std::find(wanted.begin(), wanted.end(), key) != wanted.end();
}

}  // namespace

bool Outbox::State::Plan::waits(int64_t not_before_s, int64_t now_s) {
  if (hurry || not_before_s <= now_s) return false;
  due_s = due_s == 0 ? not_before_s : std::min(due_s, not_before_s);
  return true;
}

Result<Step> Outbox::next_tidy(const std::string& remote, bool hurry,
                               const std::function<bool(ContentNo)>& skip, int64_t* next_due_s) {
  if (state_->folders_moved.exchange(false)) {
    const Status walked = state_->walk_moved_folders();
    if (!walked) {
      state_->folders_moved = true;
      return walked;
    }
  }
  State::Plan plan{remote, hurry, skip, 0, {}};
  SHOEBOX_ASSIGN(Step step, state_->next_loose(plan));
  if (!step) {
    SHOEBOX_ASSIGN(step, state_->next_move(plan));
  }
  if (next_due_s != nullptr) *next_due_s = plan.due_s;
  return step;
}

// Goes on behind the one given last, so that some that fail do not keep the others from their turn.
Result<Step> Outbox::State::next_loose(Plan& plan) {
  std::string after;
  {
    MutexLock lock(mutex);
    after = queues[plan.remote].loosened;
  }
  for (int round = 0; round < 2; ++round) {
    Step step;
    Status failure;
    SHOEBOX_TRY(catalog.for_each_loose(plan.remote, round == 0 ? after : "",
                                       [&](std::string_view key, const LooseObject& object) {
                                         if (round == 1 && key > after) return false;
                                         auto taken = take_loose(plan, std::string(key), object);
                                         if (!taken) {
                                           failure = taken.status();
                                         } else {
                                           step = std::move(*taken);
                                         }
                                         return failure.is_ok() && !step;
                                       }));
    SHOEBOX_TRY(failure);
    if (step) {
      MutexLock lock(mutex);
      queues[plan.remote].loosened = step->key;
      return step;
    }
    if (after.empty()) break;
  }
  return Step();
}

Result<Step> Outbox::State::take_loose(Plan& plan, const std::string& key, const LooseObject& object) {
  if (plan.waits(object.not_before_s, now_s())) return Step();
  {
    MutexLock lock(mutex);
    if (!queues[plan.remote].claims.emplace(key, kRemover).second) return Step();  // somebody works there
  }
  // From here on nobody else begins at this key; what was begun before is in the catalog.
  const auto look = [&]() -> Result<Step> {
    SHOEBOX_ASSIGN(const std::optional<LooseObject> now, catalog.loose(plan.remote, key));
    if (!now) return Step();
    SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, catalog.content_of_remote_key(plan.remote, key));
    if (holder) {  // it is a copy: nothing is loose here
      const std::unique_ptr<Transaction> txn = catalog.begin();
      txn->erase_loose(plan.remote, key);
      SHOEBOX_TRY(txn->commit());
      return Step();
    }
    SHOEBOX_ASSIGN(const bool made, being_made(catalog, plan.remote, key, *now, limits_of(plan.remote)));
    if (made) return Step();
    // What let go of the object must not be undone by a power cut once the object is removed.
    SHOEBOX_TRY(catalog.sync());
    TidyStep step;
    step.kind = TidyStep::Kind::kRemove;
    step.key = key;
    step.etag = now->etag;
    step.size = now->size;
    step.sha256 = now->sha256;
    step.attempts = now->attempts;
    return Step(std::move(step));
  };
  Result<Step> step = look();
  if (!step || !*step) release_key(plan.remote, key);
  return step;
}

Result<Step> Outbox::State::next_move(Plan& plan) {
  ContentNo after;
  {
    MutexLock lock(mutex);
    after = queues[plan.remote].tidied;
  }
  for (int round = 0; round < 2; ++round) {
    Step step;
    Status failure;
    ContentNo at;
    SHOEBOX_TRY(catalog.for_each_tidy(plan.remote, round == 0 ? after : ContentNo(), [&](ContentNo content) {
      if (round == 1 && content > after) return false;
      at = content;
      auto planned = plan_move(plan, content);
      if (!planned) {
        failure = planned.status();
      } else {
        step = std::move(*planned);
      }
      return failure.is_ok() && !step;
    }));
    SHOEBOX_TRY(failure);
    if (step) {
      MutexLock lock(mutex);
      queues[plan.remote].tidied = at;
      return step;
    }
    if (!after) break;
  }
  return Step();
}

// The first step by which the copy of `content` gets where it belongs; another copy's or a loose
// object's when that is in the way. Nothing: it is there, or has to wait.
Result<Step> Outbox::State::plan_move(Plan& plan, ContentNo content) {
  if (plan.skip && plan.skip(content)) return Step();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, catalog.content(content));
  SHOEBOX_ASSIGN(const std::optional<RemoteCopy> copy, catalog.copy(content, plan.remote));
  SHOEBOX_ASSIGN(const std::optional<TidyRecord> known, catalog.tidy(content, plan.remote));
  if (!record || !copy) {
    SHOEBOX_TRY(settle(plan.remote, content));
    return Step();
  }
  // Sent anew at this very moment: the upload chooses the key.
  SHOEBOX_ASSIGN(const std::optional<std::string> job, catalog.get(keys::job(content, plan.remote)));
  if (job) return Step();
  const TidyRecord row = known.value_or(TidyRecord());
  if (plan.waits(row.not_before_s, now_s())) return Step();
  SHOEBOX_ASSIGN(const std::vector<std::string> wanted,
                 wanted_keys(catalog, content, record->sha256, copy->key, limits_of(plan.remote)));
  const bool aside = row.beside && wanted.size() > 1 && copy->key != wanted[1];
  plan.chain.push_back(content);
  struct Pop {
    std::vector<ContentNo>& chain;
    ~Pop() { chain.pop_back(); }
  } const pop{plan.chain};
  for (size_t i = aside ? 1 : 0; i < wanted.size(); ++i) {
    const std::string& key = wanted[i];
    if (key == copy->key) {
      SHOEBOX_TRY(settle(plan.remote, content));
      return Step();
    }
    SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, catalog.content_of_remote_key(plan.remote, key));
    if (holder && *holder != content) {
      const bool ring = std::find(plan.chain.begin(), plan.chain.end(), *holder) != plan.chain.end();
      if (ring || plan.chain.size() >= kLongestChain) continue;  // this one steps aside
      if (plan.skip && plan.skip(*holder)) return Step();
      SHOEBOX_ASSIGN(const bool stays,
                     belongs_at(catalog, plan.remote, *holder, key, limits_of(plan.remote)));
      if (stays) continue;
      SHOEBOX_ASSIGN(Step step, plan_move(plan, *holder));
      if (step) return step;
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> leaving, catalog.tidy(*holder, plan.remote));
      if (!leaving || leaving->attempts == 0) return Step();
      continue;
    }
    SHOEBOX_ASSIGN(const SidecarThere sidecar, sidecar_at(plan.remote, key));
    if (sidecar == SidecarThere::kLeaving) return Step();
    if (sidecar == SidecarThere::kStays) continue;
    SHOEBOX_ASSIGN(const std::optional<LooseObject> loose, catalog.loose(plan.remote, key));
    if (loose && loose->maker != content) {
      SHOEBOX_ASSIGN(Step step, take_loose(plan, key, *loose));
      if (step || loose->attempts == 0) return step;
      continue;
    }
    if (claim(plan.remote, key, content) != content) return Step();  // an upload ends there first
    TidyStep step;
    step.content = content;
    step.key = copy->key;
    step.etag = copy->etag;
    step.size = copy->size;
    step.sha256 = record->sha256;
    step.to = key;
    step.attempts = row.attempts;
    if (loose) return Step(std::move(step));
    const std::unique_ptr<Transaction> txn = catalog.begin();
    txn->put_loose(plan.remote, key, {content, "", record->size, record->sha256, 0, 0, ""});
    if (!known) txn->put_tidy(content, plan.remote, row);
    if (const Status noted = txn->commit(); !noted) {
      release_key(plan.remote, key);
      return noted;
    }
    return Step(std::move(step));
  }
  return Step();
}

// The row goes when there is nothing to be done for it, as the catalog is now.
Status Outbox::State::settle(const std::string& remote, ContentNo content) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<TidyRecord> row, txn->tidy(content, remote));
  SHOEBOX_ASSIGN(const std::optional<RemoteCopy> copy, txn->copy(content, remote));
  if (!row) return Status::ok();
  if (copy) {
    SHOEBOX_ASSIGN(const bool settled, belongs_at(*txn, remote, content, copy->key, limits_of(remote)));
    if (!settled) return Status::ok();
  }
  txn->erase_tidy(content, remote);
  return txn->commit();
}

}  // namespace shoebox
