// What can be sent now, and under which key.

#include <algorithm>

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

}  // namespace

ContentNo Outbox::State::claim(const std::string& remote, const std::string& key, ContentNo content) {
  MutexLock lock(mutex);
  return queues[remote].claims.emplace(key, content).first->second;
}

void Outbox::State::release_claims(const std::string& remote, ContentNo content) {
  MutexLock lock(mutex);
  std::erase_if(queues[remote].claims, [&](const auto& claim) { return claim.second == content; });
}

KeyLimits Outbox::State::limits_of(const std::string& remote) const {
  const auto found = key_limits.find(remote);
  return found != key_limits.end() ? found->second : KeyLimits();
}

void Outbox::State::release_key(const std::string& remote, const std::string& key) {
  MutexLock lock(mutex);
  queues[remote].claims.erase(key);
}

// A key that is about to become free is worth waiting for: the other way is to send beside it and
// move later. One that tidying failed to free is not.
Result<std::optional<std::string>> Outbox::State::choose_key(const std::string& remote, ContentNo content,
                                                             const ContentHash& sha256) {
  SHOEBOX_ASSIGN(const std::vector<std::string> wanted,
                 wanted_keys(catalog, content, sha256, "", limits_of(remote)));
  {
    MutexLock lock(mutex);
    if (queues[remote].sending.contains(content)) return std::optional<std::string>();
  }
  release_claims(remote, content);
  for (const std::string& key : wanted) {
    const ContentNo claimed_by = claim(remote, key, content);
    if (claimed_by == kRemover) return std::optional<std::string>();
    if (claimed_by != content) continue;
    SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, catalog.content_of_remote_key(remote, key));
    if (holder && *holder != content) {
      release_key(remote, key);
      SHOEBOX_ASSIGN(const bool stays, belongs_at(catalog, remote, *holder, key, limits_of(remote)));
      if (stays) continue;
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> leaving, catalog.tidy(*holder, remote));
      if (!leaving || leaving->attempts == 0) return std::optional<std::string>();
      continue;
    }
    SHOEBOX_ASSIGN(const SidecarThere sidecar, sidecar_at(remote, key));
    if (sidecar != SidecarThere::kNone) {
      release_key(remote, key);
      if (sidecar == SidecarThere::kLeaving) return std::optional<std::string>();
      continue;
    }
    SHOEBOX_ASSIGN(const std::optional<LooseObject> loose, catalog.loose(remote, key));
    if (loose && loose->maker != content) {
      release_key(remote, key);
      if (loose->attempts == 0) return std::optional<std::string>();
      continue;
    }
    return std::optional<std::string>(key);
  }
  return std::optional<std::string>();
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
    if (quiet_s > 0 && job.not_before_s > now) {
      later(job.not_before_s);
      return true;
    }
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, catalog.content(job.content));
    if (!content) {
      dropped.push_back(job.content);
      return true;
    }
    if (content->state != ContentState::kSealed) return true;
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
    SHOEBOX_ASSIGN(std::optional<std::string> key, state_->choose_key(remote, job.content, content->sha256));
    if (!key) {
      later(now + kKeyBusyS);
      return true;
    }
    found.push_back({job, *content, std::move(*key)});
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
