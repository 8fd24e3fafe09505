// What can be sent now, and under which key.

#include <algorithm>

#include "store/catalog/keys.h"
#include "store/outbox_state.h"

namespace shoebox {
namespace {

// Uploads wait for the decoder, which gives a photo its home; but not for ever.
constexpr int64_t kDecodeGraceS = 600;
// How soon to ask again for a key that is about to become free, should no commit tell.
constexpr int64_t kKeyBusyS = 2;

// Waits for the decoder only while that is still to come.
Result<bool> decoded(const CatalogReader& reader, ContentNo content) {
  SHOEBOX_ASSIGN(std::optional<PhotoId> id, reader.photo_of_content(content));
  if (!id) {
    SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_content(content));
    if (inodes.empty()) return true;
    SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, reader.inode(inodes.front()));
    if (!inode || !inode->photo) return true;
    id = inode->photo;
  }
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, reader.photo(*id));
  return !photo || photo->info.kind != MediaKind::kUnknown;
}

// Of twins, that of one of them.
Result<std::optional<Timestamp>> file_time_of(const Catalog& catalog, ContentNo content) {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, catalog.inodes_of_content(content));
  if (inodes.empty()) return std::optional<Timestamp>();
  SHOEBOX_ASSIGN(const auto inode, catalog.inode(inodes.front()));
  return inode ? std::optional(inode->mtime) : std::nullopt;
}

}  // namespace

std::string Outbox::State::claim_name(const std::string& remote, const std::string& key) const {
  MutexLock lock(mutex);
  const auto limits = key_limits.find(remote);
  return limits != key_limits.end() && limits->second.folds != KeyLimits::Folds::kNo ? keys::fold(key) : key;
}

KeyClaim Outbox::State::claim(const std::string& remote, KeyClaim wanted) {
  std::string name = claim_name(remote, wanted.key);
  MutexLock lock(mutex);
  return put_claim(remote, std::move(name), std::move(wanted)).first;
}

std::pair<KeyClaim, bool> Outbox::State::put_claim(const std::string& remote, std::string name,
                                                   KeyClaim wanted) {
  Queue& queue = queues[remote];
  const auto [claimed, is_new] = queue.claims.emplace(std::move(name), wanted);
  if (is_new) return {claimed->second, true};
  // Of an upload that was chosen while its job was erased, and was not begun then: nobody would release it.
  if (claimed->second.work == KeyClaim::Work::kUpload && !queue.sending.contains(claimed->second.content)) {
    const auto job = catalog.get(keys::job(claimed->second.content, remote));
    if (job && !*job) {
      claimed->second = std::move(wanted);
      return {claimed->second, true};
    }
  }
  return {claimed->second, false};
}

void Outbox::State::release_claims(const std::string& remote, ContentNo content) {
  MutexLock lock(mutex);
  std::erase_if(queues[remote].claims, [&](const auto& claim) {
    return claim.second.content == content && claim.second.work == KeyClaim::Work::kUpload;
  });
}

void Outbox::State::release_key(const std::string& remote, const std::string& key) {
  const std::string name = claim_name(remote, key);
  MutexLock lock(mutex);
  queues[remote].claims.erase(name);
}

KeyLimits Outbox::State::limits_of(const std::string& remote) const {
  MutexLock lock(mutex);
  const auto found = key_limits.find(remote);
  if (found == key_limits.end()) return {};
  KeyLimits limits = found->second;
  const auto queue = queues.find(remote);
  if (queue != queues.end() && queue->second.folding.known) {
    limits.folds = *queue->second.folding.known ? KeyLimits::Folds::kYes : KeyLimits::Folds::kNo;
  }
  return limits;
}

bool Outbox::State::folds(const std::string& remote) {
  {
    MutexLock lock(mutex);
    Folding& folding = queues[remote].folding;
    if (folding.known) return *folding.known;  // no: found out this moment
    if (folding.wanted) return false;
    folding.wanted = true;
  }
  for (const auto& wake : tidy_wakes) wake();
  return false;
}

Result<Outbox::State::Stays> Outbox::State::stays(const std::string& remote, const KeyHolder& holder) {
  KeyLimits limits = limits_of(remote);
  SHOEBOX_ASSIGN(const bool belongs, belongs_at(catalog, remote, holder.content, holder.key, limits));
  if (!belongs) return Stays::kNo;
  if (limits.folds != KeyLimits::Folds::kMaybe) return Stays::kYes;
  limits.folds = KeyLimits::Folds::kNo;
  SHOEBOX_ASSIGN(const bool anyway, belongs_at(catalog, remote, holder.content, holder.key, limits));
  if (anyway) return Stays::kYes;
  (void)folds(remote);
  return Stays::kInDoubt;
}

// A key that is about to become free is worth waiting for: the other way is to send beside it and
// move later. One that tidying failed to free is not.
Result<std::optional<std::string>> Outbox::State::choose_key(const std::string& remote, ContentNo content,
                                                             const ContentHash& sha256) {
  using Key = std::optional<std::string>;
  const KeyLimits limits = limits_of(remote);
  SHOEBOX_ASSIGN(const std::vector<std::string> wanted, wanted_keys(catalog, content, sha256, "", limits));
  {
    MutexLock lock(mutex);
    if (queues[remote].sending.contains(content)) return Key();
  }
  release_claims(remote, content);
  for (const std::string& key : wanted) {
    const KeyClaim ours{KeyClaim::Work::kUpload, content, key};
    const KeyClaim claimed = claim(remote, ours);
    if (claimed != ours) {
      // Another spelling, a removal, a sidecar and a move of these very bytes end soon, and then it shows who
      // may have it.
      const bool soon = claimed.key != key || claimed.work == KeyClaim::Work::kRemove ||
                        claimed.work == KeyClaim::Work::kSidecar || claimed.content == content;
      if (soon) return Key();
      continue;
    }
    SHOEBOX_ASSIGN(const auto holder, other_holder(catalog, remote, key, content, limits));
    if (holder) {
      release_key(remote, key);
      if (holder->key != key && !folds(remote)) return Key();
      SHOEBOX_ASSIGN(const Stays its_place, stays(remote, *holder));
      if (its_place == Stays::kInDoubt) return Key();
      if (its_place == Stays::kYes) continue;
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> leaving, catalog.tidy(holder->content, remote));
      if (!leaving || leaving->attempts == 0) return Key();
      continue;
    }
    SHOEBOX_ASSIGN(const SidecarThere sidecar, sidecar_at(remote, key));
    if (sidecar != SidecarThere::kNone) {
      release_key(remote, key);
      if (sidecar == SidecarThere::kLeaving) return Key();
      continue;
    }
    SHOEBOX_ASSIGN(const auto loose, loose_in_the_way(catalog, remote, key, content, limits));
    if (loose) {
      release_key(remote, key);
      if (loose->key != key && !folds(remote)) return Key();
      if (loose->object.keep) continue;
      if (loose->object.attempts == 0) return Key();
      continue;
    }
    return Key(key);
  }
  return Key();
}

Result<std::vector<ReadyUpload>> Outbox::ready(const std::string& remote, int64_t quiet_s, size_t limit,
                                               const std::function<bool(ContentNo)>& skip,
                                               int64_t* next_due_s) {
  std::vector<ReadyUpload> found;
  std::vector<ContentNo> dropped;  // junk and jobs of contents that are gone
  const int64_t now = state_->now_s();
  int64_t due = 0;
  const auto later = [&due](int64_t when) { due = due == 0 ? when : std::min(due, when); };
  Status failure;
  const Catalog& catalog = state_->catalog;

  const auto look = [&](const UploadJob& job) -> Result<bool> {
    if (skip && skip(job.content)) return true;
    if (job.damaged) {
      SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, catalog.inodes_of_content(job.content));
      if (inodes.empty())
        state_->count_no_more(remote, job.content);  // replaced: a version that none can get
      if (inodes.empty() || quiet_s > 0) return true;
    }
    if (quiet_s > 0 && job.not_before_s > now) {
      later(job.not_before_s);
      return true;
    }
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, catalog.content(job.content));
    if (!content) {
      dropped.push_back(job.content);
      return true;
    }
    if (!is_immutable(content->state)) return true;
    if (quiet_s > 0 && content->changed_s + quiet_s > now && content->changed_s <= now) {
      later(content->changed_s + quiet_s);
      return true;
    }
    SHOEBOX_ASSIGN(const bool is_decoded, decoded(catalog, job.content));
    if (!is_decoded && content->changed_s + kDecodeGraceS > now) {
      later(content->changed_s + kDecodeGraceS);
      return true;
    }
    SHOEBOX_ASSIGN(const Naming naming, naming_of(catalog, job.content));
    if (naming == Naming::kJunk) {
      dropped.push_back(job.content);
      return true;
    }
    if (content->state == ContentState::kAdopted) {
      found.push_back({job, *content, "", {}});
      return found.size() < limit;
    }
    SHOEBOX_ASSIGN(std::optional<std::string> key, state_->choose_key(remote, job.content, content->sha256));
    if (!key) {
      later(now + kKeyBusyS);
      return true;
    }
    SHOEBOX_ASSIGN(const auto file_time, file_time_of(catalog, job.content));
    found.push_back({job, *content, std::move(*key), file_time});
    return found.size() < limit;
  };
  if (limit > 0) {
    SHOEBOX_TRY(catalog.for_each_job(remote, ContentNo(0), [&](const UploadJob& job) {
      const Result<bool> go_on = look(job);
      if (!go_on) failure = go_on.status();
      return go_on && *go_on;
    }));
  }
  SHOEBOX_TRY(failure);

  for (size_t begin = 0; begin < dropped.size(); begin += kOutboxBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    for (size_t i = begin; i < std::min(dropped.size(), begin + kOutboxBatchRows); ++i) {
      // Looked at again under the writer lock: a rename may just have given it a real name.
      SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, txn->content(dropped[i]));
      SHOEBOX_ASSIGN(const Naming naming, naming_of(*txn, dropped[i]));
      if (!content || naming == Naming::kJunk) txn->erase_job(dropped[i], remote);
    }
    SHOEBOX_TRY(txn->commit());
  }
  if (next_due_s != nullptr) *next_due_s = due;
  return found;
}

}  // namespace shoebox
