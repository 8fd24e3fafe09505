// What can be sent now, and under which key.

#include <fmt/format.h>

#include <algorithm>

#include "store/outbox_state.h"
#include "store/tree/tree.h"
#include "store/upload_key.h"

namespace shoebox {
namespace {

// Uploads wait for the decoder, which gives a photo its home; but not for ever.
constexpr int64_t kDecodeGraceS = 600;

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

// The path by which people know the content; a Library one when there is one. Empty: it has none.
std::string path_of(const CatalogReader& reader, const Tree& tree, ContentNo content) {
  std::string best;
  const auto inodes = reader.inodes_of_content(content);
  if (!inodes) return best;
  for (const InodeNo inode : *inodes) {
    const auto path = tree.path_of(inode);
    if (!path) continue;  // unlinked while open
    std::string_view clean = *path;
    while (clean.starts_with('/')) clean.remove_prefix(1);
    if (clean.starts_with("Library/")) return std::string(clean);
    if (best.empty() || best.starts_with("Trash/")) best = clean;
  }
  return best;
}

}  // namespace

bool Outbox::State::claim(const std::string& remote, const std::string& key, ContentNo content) {
  MutexLock lock(mutex);
  return queues[remote].claims.emplace(key, content).first->second == content;
}

void Outbox::State::release_claims(const std::string& remote, ContentNo content) {
  MutexLock lock(mutex);
  std::erase_if(queues[remote].claims, [&](const auto& claim) { return claim.second == content; });
}

Result<std::string> Outbox::State::choose_key(const std::string& remote, ContentNo content,
                                              const ContentHash& sha256) {
  const auto found = key_limits.find(remote);
  const KeyLimits limits = found != key_limits.end() ? found->second : KeyLimits();
  const std::string key = upload_key(path_of(catalog, tree, content), sha256, limits);
  release_claims(remote, content);
  for (const std::string& candidate : {key, upload_key_beside(key, sha256, limits)}) {
    SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, catalog.content_of_remote_key(remote, candidate));
    if ((!holder || *holder == content) && claim(remote, candidate, content)) return candidate;
  }
  // Equal bytes twice, as two contents: the number tells them apart.
  std::string last = fmt::format(".shoebox/short/{}-{}", sha256.hex(), content.value);
  claim(remote, last, content);
  return last;
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
    SHOEBOX_ASSIGN(std::string key, state_->choose_key(remote, job.content, content->sha256));
    found.push_back({job, *content, std::move(key)});
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
