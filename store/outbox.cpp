#include "store/outbox.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <unordered_map>

#include "store/base/file_names.h"
#include "store/base/log.h"
#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/content/content_store.h"
#include "store/tree/tree.h"
#include "store/upload_key.h"

namespace shoebox {
namespace {

constexpr std::string_view kMetaPaused = "outbox.paused";
// Uploads wait for the decoder, which gives a photo its home; but not for ever.
constexpr int64_t kDecodeGraceS = 600;
// Rows a transaction puts at most, so that writers need not wait long.
constexpr size_t kBatchRows = 200;

enum class Naming { kReal, kJunk };

// Junk: it has names and all of them are junk or temporary. What lost its last name is no junk.
Result<Naming> naming_of(const CatalogReader& reader, ContentNo content) {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_content(content));
  bool any = false;
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const std::vector<NameOf> names, reader.names_of(inode));
    for (const NameOf& name : names) {
      if (!is_junk(name.name)) return Naming::kReal;
      any = true;
    }
  }
  return any ? Naming::kJunk : Naming::kReal;
}

// Whether this content should have a job on `remote` and has none.
Result<bool> lacks_job(const CatalogReader& reader, ContentNo content, const std::string& remote) {
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, reader.content(content));
  if (!record || record->state != ContentState::kSealed) return false;
  SHOEBOX_ASSIGN(const std::optional<std::string> job, reader.get(keys::job(content, remote)));
  if (job) return false;
  SHOEBOX_ASSIGN(const std::optional<std::string> copy, reader.get(keys::copy(content, remote)));
  if (copy) return false;
  SHOEBOX_ASSIGN(const Naming naming, naming_of(reader, content));
  return naming == Naming::kReal;
}

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

struct Outbox::State {
  State(Catalog& c, ContentStore& s, Tree& t, const Clock& k) : catalog(c), contents(s), tree(t), clock(k) {}

  Catalog& catalog;
  ContentStore& contents;
  Tree& tree;
  const Clock& clock;
  std::vector<std::function<void()>> wakes;  // set before threads start

  // Totals as the catalog has them, kept by the observer: status asks often.
  struct Queue {
    std::unordered_map<ContentNo, uint64_t> pending;  // with the size
    uint64_t pending_bytes = 0;
    uint64_t confirmed_files = 0, confirmed_bytes = 0;
    std::string last_error;
    ContentNo error_of;
    std::unordered_map<std::string, ContentNo> claims;  // keys given out and not confirmed yet
  };
  Mutex mutex;  // leaf: only the catalog is read while it is held
  std::map<std::string, Queue> queues GUARDED_BY(mutex);
  std::vector<std::string> served GUARDED_BY(mutex);  // remotes whose contents must have jobs

  void load();
  void observe(const Change& change);
  void count(const Change& change);
  void ensure_jobs(ContentNo content);
  Result<std::string> choose_key(const std::string& remote, ContentNo content, const ContentHash& sha256);
  bool claim(const std::string& remote, const std::string& key, ContentNo content);
  void release_claims(const std::string& remote, ContentNo content);
  [[nodiscard]] int64_t now_s() const { return clock.now().seconds; }
};

void Outbox::State::load() {
  MutexLock lock(mutex);
  const std::string jobs = keys::table(keys::kJob);
  const Status read_jobs = catalog.scan(jobs, jobs, [&](std::string_view, std::string_view value) {
    const auto job = decode_upload_job(value);
    if (!job) return true;  // fsck tells
    const auto content = catalog.content(job->content);
    const uint64_t size = content && *content ? (*content)->size : 0;
    Queue& queue = queues[job->remote];
    if (queue.pending.emplace(job->content, size).second) queue.pending_bytes += size;
    if (!job->last_error.empty()) {
      queue.last_error = job->last_error;
      queue.error_of = job->content;
    }
    return true;
  });
  const std::string copies = keys::table(keys::kCopy);
  const Status read_copies = catalog.scan(copies, copies, [&](std::string_view key, std::string_view value) {
    const auto copy = decode_remote_copy(value);
    if (!copy) return true;
    Queue& queue = queues[std::string(keys::split(key, 1).rest)];
    ++queue.confirmed_files;
    queue.confirmed_bytes += copy->size;
    return true;
  });
  for (const Status& status : {read_jobs, read_copies}) {
    if (!status) log::error("outbox: counting what is queued: {}", status.message());
  }
}

void Outbox::State::count(const Change& change) {
  MutexLock lock(mutex);
  for (const Change::Upload& upload : change.uploads) {
    Queue& queue = queues[upload.remote];
    if (upload.is_copy) {
      const uint64_t sign = upload.erased ? ~uint64_t{0} : 1;  // wraps: adds or takes away
      queue.confirmed_files += sign;
      queue.confirmed_bytes += sign * upload.size;
      continue;
    }
    // What stands now counts: observers of two commits may run in either order.
    const auto job = catalog.get(keys::job(upload.content, upload.remote));
    const auto counted = queue.pending.find(upload.content);
    if (job && !*job) {
      if (counted != queue.pending.end()) {
        queue.pending_bytes -= counted->second;
        queue.pending.erase(counted);
      }
      if (queue.error_of == upload.content) {
        queue.error_of = ContentNo();
        queue.last_error.clear();
      }
      std::erase_if(queue.claims, [&](const auto& claim) { return claim.second == upload.content; });
    } else if (counted == queue.pending.end()) {
      const auto content = catalog.content(upload.content);
      const uint64_t size = content && *content ? (*content)->size : 0;
      queue.pending.emplace(upload.content, size);
      queue.pending_bytes += size;
    }
  }
  for (const auto& [content, size] : change.content_sizes) {
    for (auto& [name, queue] : queues) {
      const auto found = queue.pending.find(content);
      if (found == queue.pending.end()) continue;
      queue.pending_bytes += size - found->second;
      found->second = size;
    }
  }
}

// Runs after each commit, on the committing thread, without the catalog's lock.
void Outbox::State::observe(const Change& change) {
  if (!change.uploads.empty() || !change.content_sizes.empty()) count(change);
  for (const auto& [content, size] : change.content_sizes) ensure_jobs(content);
  for (const Change::Name& name : change.names) {
    if (name.removed || is_junk(name.name)) continue;
    const auto inode = catalog.inode(name.inode);
    if (inode && *inode && S_ISREG((*inode)->mode) && (*inode)->content) ensure_jobs((*inode)->content);
  }
  if (!change.upload_jobs.empty() || !change.content_sizes.empty() || change.photos) {
    for (const auto& wake : wakes) wake();
  }
}

// A sealed content under a real name must be on its way to every remote.
void Outbox::State::ensure_jobs(ContentNo content) {
  std::vector<std::string> remotes;
  {
    MutexLock lock(mutex);
    remotes = served;
  }
  for (const std::string& remote : remotes) {
    const auto lacking = lacks_job(catalog, content, remote);
    if (!lacking || !*lacking) continue;
    const std::unique_ptr<Transaction> txn = catalog.begin();
    const auto still = lacks_job(*txn, content, remote);
    if (!still || !*still) continue;
    UploadJob job;
    job.content = content;
    job.remote = remote;
    txn->put_job(job);
    const Status committed = txn->commit();
    if (!committed) log::error("queueing content {} for {}: {}", content.value, remote, committed.message());
  }
}

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
  const std::string key = upload_key(path_of(catalog, tree, content), sha256);
  release_claims(remote, content);
  for (const std::string& candidate : {key, upload_key_beside(key, sha256)}) {
    SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, catalog.content_of_remote_key(remote, candidate));
    if ((!holder || *holder == content) && claim(remote, candidate, content)) return candidate;
  }
  // Equal bytes twice, as two contents: the number tells them apart.
  std::string last = fmt::format(".shoebox/short/{}-{}", sha256.hex(), content.value);
  claim(remote, last, content);
  return last;
}

Outbox::Outbox(Catalog& catalog, ContentStore& contents, Tree& tree, const Clock& clock)
    : state_(std::make_shared<State>(catalog, contents, tree, clock)) {
  state_->load();
  catalog.add_observer([weak = std::weak_ptr<State>(state_)](const Change& change) {
    if (const std::shared_ptr<State> state = weak.lock()) state->observe(change);
  });
}

Outbox::~Outbox() = default;

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

  for (size_t begin = 0; begin < dropped.size(); begin += kBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    for (size_t i = begin; i < std::min(dropped.size(), begin + kBatchRows); ++i) {
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

Result<UniqueFd> Outbox::open(ContentNo content) const { return state_->contents.open_local(content); }

Status Outbox::save_progress(ContentNo content, const std::string& remote, const std::string& progress) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, txn->jobs_of_content(content));
    const auto job =
        std::find_if(jobs.begin(), jobs.end(), [&](const UploadJob& j) { return j.remote == remote; });
    if (job == jobs.end()) return Status::ok();
    UploadJob changed = *job;
    changed.progress = progress;
    txn->put_job(changed);
    SHOEBOX_TRY(txn->commit());
  }
  return state_->catalog.sync();
}

Status Outbox::failed(ContentNo content, const std::string& remote, const Status& why, int64_t not_before_s) {
  state_->release_claims(remote, content);
  const std::unique_ptr<Transaction> txn = state_->catalog.begin();
  SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, txn->jobs_of_content(content));
  const auto job =
      std::find_if(jobs.begin(), jobs.end(), [&](const UploadJob& j) { return j.remote == remote; });
  if (job == jobs.end()) return Status::ok();
  UploadJob changed = *job;
  ++changed.attempts;
  changed.not_before_s = not_before_s;
  changed.last_error = why.message();
  txn->put_job(changed);
  SHOEBOX_TRY(txn->commit());
  MutexLock lock(state_->mutex);
  State::Queue& queue = state_->queues[remote];
  queue.last_error = why.message();
  queue.error_of = content;
  return Status::ok();
}

Status Outbox::confirmed(ContentNo content, const std::string& remote, const RemoteCopy& copy) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, txn->content(content));
    if (!record) return Status::ok();  // deleted meanwhile: nobody waits for this copy
    txn->put_copy(content, remote, copy);
    txn->erase_job(content, remote);
    SHOEBOX_TRY(txn->commit());
  }
  return state_->catalog.sync();
}

Status Outbox::copy_lost(ContentNo content, const std::string& remote) {
  const std::unique_ptr<Transaction> txn = state_->catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, txn->content(content));
  SHOEBOX_ASSIGN(const auto copies, txn->copies(content));
  const auto here =
      std::find_if(copies.begin(), copies.end(), [&](const auto& c) { return c.first == remote; });
  if (!record || here == copies.end()) return Status::ok();
  if (record->residence != Residence::kLocal && copies.size() == 1) {
    // The only place known for these bytes. A remote that answers wrongly once may hold them yet.
    return {Code::kDataLoss,
            fmt::format("{} on {}: not found there, and no other copy is known; check the remote",
                        here->second.key, remote)};
  }
  txn->erase_copy(content, remote);
  UploadJob job;
  job.content = content;
  job.remote = remote;
  txn->put_job(job);
  return txn->commit();
}

Result<std::vector<std::pair<std::string, RemoteCopy>>> Outbox::copies(ContentNo content) const {
  return state_->catalog.copies(content);
}

Result<uint64_t> Outbox::enqueue_missing(const std::string& remote) {
  {
    MutexLock lock(state_->mutex);
    std::vector<std::string>& served = state_->served;
    if (std::find(served.begin(), served.end(), remote) == served.end()) served.push_back(remote);
  }
  std::vector<ContentNo> lacking;
  Status failure;
  SHOEBOX_TRY(state_->catalog.for_each_content([&](ContentNo number, const ContentRecord&) {
    const auto lacks = lacks_job(state_->catalog, number, remote);
    if (!lacks) failure = lacks.status();
    if (lacks && *lacks) lacking.push_back(number);
    return lacks.is_ok();
  }));
  SHOEBOX_TRY(failure);
  uint64_t queued = 0;
  for (size_t begin = 0; begin < lacking.size(); begin += kBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    uint64_t batch = 0;
    for (size_t i = begin; i < std::min(lacking.size(), begin + kBatchRows); ++i) {
      SHOEBOX_ASSIGN(const bool still, lacks_job(*txn, lacking[i], remote));
      if (!still) continue;
      UploadJob job;
      job.content = lacking[i];
      job.remote = remote;
      txn->put_job(job);
      ++batch;
    }
    SHOEBOX_TRY(txn->commit());
    queued += batch;
  }
  return queued;
}

Status Outbox::drop_jobs_of_others(const std::vector<std::string>& remotes) {
  std::vector<std::pair<ContentNo, std::string>> dropped;
  {
    MutexLock lock(state_->mutex);
    for (const auto& [remote, queue] : state_->queues) {
      if (std::find(remotes.begin(), remotes.end(), remote) != remotes.end()) continue;
      for (const auto& [content, size] : queue.pending) dropped.emplace_back(content, remote);
    }
  }
  for (size_t begin = 0; begin < dropped.size(); begin += kBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    for (size_t i = begin; i < std::min(dropped.size(), begin + kBatchRows); ++i) {
      txn->erase_job(dropped[i].first, dropped[i].second);
    }
    SHOEBOX_TRY(txn->commit());
  }
  return Status::ok();
}

Result<Outbox::Totals> Outbox::totals(const std::string& remote) const {
  MutexLock lock(state_->mutex);
  Totals totals;
  const auto found = state_->queues.find(remote);
  if (found == state_->queues.end()) return totals;
  const State::Queue& queue = found->second;
  totals.pending_files = queue.pending.size();
  totals.pending_bytes = queue.pending_bytes;
  totals.confirmed_files = queue.confirmed_files;
  totals.confirmed_bytes = queue.confirmed_bytes;
  totals.last_error = queue.last_error;
  return totals;
}

Result<bool> Outbox::paused() const {
  SHOEBOX_ASSIGN(const std::optional<std::string> value, state_->catalog.meta(kMetaPaused));
  return value == "1";
}

Status Outbox::set_paused(bool paused) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    txn->put_meta(kMetaPaused, paused ? "1" : "0");
    SHOEBOX_TRY(txn->commit());
  }
  return state_->catalog.sync();
}

void Outbox::on_job(std::function<void()> wake) { state_->wakes.push_back(std::move(wake)); }

}  // namespace shoebox
