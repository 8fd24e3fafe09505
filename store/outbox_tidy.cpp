// What is to be done on a remote so that its keys follow the catalog: which copy moves where, which
// object is nobody's, and in which order so that nothing is in the way.

#include <fmt/format.h>
#include <sys/random.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/catalog/keys.h"
#include "store/outbox_state.h"

namespace shoebox {
namespace {

using NextTidy = std::optional<TidyStep>;

// Copies that wait for each other's keys and are looked at in one go; beyond it, one steps aside.
constexpr size_t kLongestChain = 64;

// Whether an upload or a move is about to make, or has begun to make, the object at `key`.
Result<bool> being_made(const CatalogReader& reader, const std::string& remote, const std::string& key,
                        const LooseObject& object, const KeyLimits& limits) {
  if (!object.maker) return false;
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, reader.content(object.maker));
  if (!content) return false;
  // A sidecar: as long as there is one to be sent, the sender sees to what stands there.
  if (key.ends_with(kSidecarExtension)) {
    SHOEBOX_ASSIGN(const std::optional<PhotoId> photo, reader.photo_of_content(object.maker));
    if (photo) {
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> mark, reader.sidecar_mark(remote, *photo));
      if (mark) return true;
    }
  }
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

Result<NextTidy> Outbox::next_tidy(const std::string& remote, bool hurry,
                                   const std::function<bool(ContentNo)>& skip, int64_t* next_due_s) {
  if (state_->folders_moved.exchange(false)) {
    const Status walked = state_->walk_moved_folders();
    if (!walked) {
      state_->folders_moved = true;
      return walked;
    }
  }
  {
    MutexLock lock(state_->mutex);
    state_->queues[remote].awaits_backup = false;
  }
  State::Plan plan{remote, hurry, skip, 0, {}};
  SHOEBOX_ASSIGN(NextTidy step, state_->next_probe(plan));
  if (!step) {
    SHOEBOX_ASSIGN(step, state_->next_loose(plan));
  }
  if (!step) {
    SHOEBOX_ASSIGN(step, state_->next_move(plan));
  }
  if (next_due_s != nullptr) *next_due_s = plan.due_s;
  return step;
}

// Asked for only where something waits for the answer: files that differ in spelling only are rare.
Result<NextTidy> Outbox::State::next_probe(Plan& plan) {
  TidyStep step;
  {
    MutexLock lock(mutex);
    Folding& folding = queues[plan.remote].folding;
    if (folding.known || !folding.wanted || folding.probing || plan.waits(folding.not_before_s, now_s())) {
      return NextTidy();
    }
    folding.probing = true;
    step.attempts = folding.attempts;
  }
  step.kind = TidyStep::Kind::kProbe;
  const auto prepare = [&]() -> Status {
    uint64_t random = 0;
    if (::getentropy(&random, sizeof random) != 0) return Status::from_errno(errno, "get random bytes");
    step.key = fmt::format(".shoebox/probe-{:016x}-a\u00e9", random);
    step.size = step.key.size();
    step.sha256 = shoebox::sha256(step.key);  // it holds its own name
    (void)claim(plan.remote, {KeyClaim::Work::kMove, ContentNo(), step.key});
    const std::unique_ptr<Transaction> txn = catalog.begin();
    txn->put_loose(plan.remote, step.key, {ContentNo(), "", step.size, step.sha256, 0, 0, ""});
    return txn->commit();
  };
  if (const Status prepared = prepare(); !prepared) {
    end_probe(plan.remote, step.key, std::nullopt, 0);
    return prepared;
  }
  return NextTidy(std::move(step));
}

void Outbox::State::end_probe(const std::string& remote, const std::string& key, std::optional<bool> folds,
                              int64_t not_before_s) {
  if (!key.empty()) release_key(remote, key);
  MutexLock lock(mutex);
  Folding& folding = queues[remote].folding;
  folding.probing = false;
  folding.known = folds;
  folding.attempts += folds || not_before_s == 0 ? 0 : 1;
  folding.not_before_s = not_before_s;
}

// Whether the object must wait: a library made from the backup as it is now would look for it there.
Result<bool> Outbox::State::unbacked(const std::string& remote, const std::string& key) {
  std::function<uint64_t()> ask;
  {
    MutexLock lock(mutex);
    const auto found = backed_up.find(remote);
    if (found == backed_up.end()) return false;
    ask = found->second;
  }
  uint64_t last = 0;
  {
    const std::unique_ptr<Transaction> none = catalog.begin();  // what is visible is counted as well
    last = catalog.last_change();
  }
  const uint64_t backed_up_to = ask();
  MutexLock lock(mutex);
  State::Queue& queue = queues[remote];
  const bool waits = queue.unbacked.try_emplace(key, last).first->second > backed_up_to;
  queue.awaits_backup = queue.awaits_backup || waits;
  return waits;
}

bool Outbox::tidy_awaits_backup(const std::string& remote) const {
  MutexLock lock(state_->mutex);
  const auto queue = state_->queues.find(remote);
  return queue != state_->queues.end() && queue->second.awaits_backup;
}

Result<NextTidy> Outbox::State::next_loose(Plan& plan) {
  std::string after;
  {
    MutexLock lock(mutex);
    after = queues[plan.remote].loosened;
  }
  SHOEBOX_ASSIGN(NextTidy step, first_in_turn<TidyStep>(
                                    after,
                                    [&](const std::string& from, const auto& each) {
                                      return catalog.for_each_loose(plan.remote, from, each);
                                    },
                                    [&](std::string_view key, const LooseObject& object) {
                                      return take_loose(plan, std::string(key), object);
                                    }));
  if (step) {
    MutexLock lock(mutex);
    queues[plan.remote].loosened = step->key;
  }
  return step;
}

Result<NextTidy> Outbox::State::take_loose(Plan& plan, const std::string& key, const LooseObject& object) {
  if (object.keep || plan.waits(object.not_before_s, now_s())) return NextTidy();
  SHOEBOX_ASSIGN(const bool waits_for_backup, unbacked(plan.remote, key));
  if (waits_for_backup) return NextTidy();
  const KeyClaim ours{KeyClaim::Work::kRemove, ContentNo(), key};
  if (std::string name = claim_name(plan.remote, key); true) {
    MutexLock lock(mutex);
    if (!put_claim(plan.remote, std::move(name), ours).second) return NextTidy();  // somebody works there
  }
  // From here on nobody else begins at this key; what was begun before is in the catalog.
  const auto look = [&]() -> Result<NextTidy> {
    SHOEBOX_ASSIGN(const std::optional<LooseObject> now, catalog.loose(plan.remote, key));
    if (!now) return NextTidy();
    SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, catalog.content_of_remote_key(plan.remote, key));
    const KeyLimits limits = limits_of(plan.remote);
    bool is_known = holder.has_value();
    if (!is_known && limits.folds != KeyLimits::Folds::kNo) {
      SHOEBOX_ASSIGN(const auto spelled, other_holder(catalog, plan.remote, key, ContentNo(), limits));
      SHOEBOX_ASSIGN(const bool sidecar, sidecar_spelled(plan.remote, key));
      if ((spelled || sidecar) && !folds(plan.remote)) return NextTidy();
      is_known = spelled || sidecar;  // the very object, by another spelling of its key
    }
    if (is_known) {  // nothing is loose here
      const std::unique_ptr<Transaction> txn = catalog.begin();
      txn->erase_loose(plan.remote, key);
      SHOEBOX_TRY(txn->commit());
      return NextTidy();
    }
    SHOEBOX_ASSIGN(const bool made, being_made(catalog, plan.remote, key, *now, limits));
    if (made) return NextTidy();
    // What let go of the object must not be undone by a power cut once the object is removed.
    SHOEBOX_TRY(catalog.sync());
    TidyStep step;
    step.kind = TidyStep::Kind::kRemove;
    step.key = key;
    step.etag = now->etag;
    step.size = now->size;
    step.sha256 = now->sha256;
    step.attempts = now->attempts;
    step.keep_aside = now->maker && now->sha256.is_zero();  // as copy_lost() was told
    return NextTidy(std::move(step));
  };
  Result<NextTidy> step = look();
  if (!step || !*step) release_key(plan.remote, key);
  return step;
}

Result<NextTidy> Outbox::State::next_move(Plan& plan) {
  ContentNo after, at;
  {
    MutexLock lock(mutex);
    after = queues[plan.remote].tidied;
  }
  SHOEBOX_ASSIGN(NextTidy step, first_in_turn<TidyStep>(
                                    after,
                                    [&](ContentNo from, const auto& each) {
                                      return catalog.for_each_tidy(plan.remote, from, each);
                                    },
                                    [&](ContentNo content) {
                                      at = content;
                                      return plan_move(plan, content);
                                    }));
  if (step) {
    MutexLock lock(mutex);
    queues[plan.remote].tidied = at;
  }
  return step;
}

// The first step by which the copy of `content` gets where it belongs; another copy's or a loose
// object's when that is in the way. Nothing: it is there, or has to wait.
Result<NextTidy> Outbox::State::plan_move(Plan& plan, ContentNo content) {
  if (plan.skip && plan.skip(content)) return NextTidy();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, catalog.content(content));
  SHOEBOX_ASSIGN(const std::optional<RemoteCopy> copy, catalog.copy(content, plan.remote));
  SHOEBOX_ASSIGN(const std::optional<TidyRecord> known, catalog.tidy(content, plan.remote));
  if (!record || !copy) {
    SHOEBOX_TRY(settle(plan.remote, content));
    return NextTidy();
  }
  // Sent anew at this very moment: the upload chooses the key.
  SHOEBOX_ASSIGN(const std::optional<std::string> job, catalog.get(keys::job(content, plan.remote)));
  if (job) return NextTidy();
  SHOEBOX_ASSIGN(const bool found_there, lies_where_found(catalog, plan.remote, content, copy->key));
  if (found_there) {
    SHOEBOX_TRY(settle(plan.remote, content));
    return NextTidy();
  }
  const TidyRecord row = known.value_or(TidyRecord());
  if (plan.waits(row.not_before_s, now_s())) return NextTidy();
  const KeyLimits limits = limits_of(plan.remote);
  SHOEBOX_ASSIGN(const std::vector<std::string> wanted,
                 wanted_keys(catalog, content, record->sha256, copy->key, limits));
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
      return NextTidy();
    }
    SHOEBOX_ASSIGN(const auto holder, other_holder(catalog, plan.remote, key, content, limits));
    if (holder) {
      if (holder->key != key && !folds(plan.remote)) return NextTidy();
      const bool ring = std::find(plan.chain.begin(), plan.chain.end(), holder->content) != plan.chain.end();
      if (ring || plan.chain.size() >= kLongestChain) continue;  // this one steps aside
      if (plan.skip && plan.skip(holder->content)) return NextTidy();
      SHOEBOX_ASSIGN(const Stays its_place, stays(plan.remote, *holder));
      if (its_place == Stays::kInDoubt) return NextTidy();
      if (its_place == Stays::kYes) continue;
      SHOEBOX_ASSIGN(NextTidy step, plan_move(plan, holder->content));
      if (step) return step;
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> leaving, catalog.tidy(holder->content, plan.remote));
      if (!leaving || leaving->attempts == 0) return NextTidy();
      continue;
    }
    SHOEBOX_ASSIGN(const SidecarThere sidecar, sidecar_at(plan.remote, key));
    if (sidecar == SidecarThere::kLeaving) return NextTidy();
    if (sidecar == SidecarThere::kStays) continue;
    SHOEBOX_ASSIGN(const auto in_the_way, loose_in_the_way(catalog, plan.remote, key, content, limits));
    if (in_the_way) {
      if (in_the_way->key != key && !folds(plan.remote)) return NextTidy();
      if (in_the_way->object.keep) continue;
      SHOEBOX_ASSIGN(NextTidy step, take_loose(plan, in_the_way->key, in_the_way->object));
      // A copy that was reported lost goes when its content was sent again; that may wait for this very move.
      const bool lost = in_the_way->object.maker && !in_the_way->object.etag.empty();
      if (step || (in_the_way->object.attempts == 0 && !lost)) return step;
      continue;
    }
    SHOEBOX_ASSIGN(const std::optional<LooseObject> loose, catalog.loose(plan.remote, key));
    const KeyClaim ours{KeyClaim::Work::kMove, content, key};
    if (claim(plan.remote, ours) != ours) return NextTidy();  // an upload ends there first
    TidyStep step;
    step.content = content;
    step.key = copy->key;
    step.etag = copy->etag;
    step.size = copy->size;
    step.sha256 = record->sha256;
    step.to = key;
    step.attempts = row.attempts;
    if (loose) return NextTidy(std::move(step));
    const std::unique_ptr<Transaction> txn = catalog.begin();
    txn->put_loose(plan.remote, key, {content, "", record->size, record->sha256, 0, 0, ""});
    if (!known) txn->put_tidy(content, plan.remote, row);
    if (const Status noted = txn->commit(); !noted) {
      release_key(plan.remote, key);
      return noted;
    }
    kill_point("tidy-noted");
    return NextTidy(std::move(step));
  }
  return NextTidy();
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
