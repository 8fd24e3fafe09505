// Which contents are in the queue: totals kept by the catalog's observer, and jobs for contents that
// have none though they should.

#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/base/log.h"
#include "store/catalog/keys.h"
#include "store/outbox_state.h"
#include "store/tree/content_refs.h"

namespace shoebox {

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
  if (!any) return Naming::kReal;
  // Former bytes of a photo that an editor left as x.jpg~ are a version of it.
  SHOEBOX_ASSIGN(const bool version, held_by_version(reader, content));
  return version ? Naming::kReal : Naming::kJunk;
}

namespace {

// Whether this content should have a job on `remote` and has none.
// `staged_too`: also what is not sealed yet, as a commit queues it.
Result<bool> lacks_job(const CatalogReader& reader, ContentNo content, const std::string& remote,
                       bool staged_too = false) {
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, reader.content(content));
  if (!record || (!is_immutable(record->state) && !staged_too)) return false;
  SHOEBOX_ASSIGN(const std::optional<std::string> job, reader.get(keys::job(content, remote)));
  if (job) return false;
  SHOEBOX_ASSIGN(const std::optional<std::string> copy, reader.get(keys::copy(content, remote)));
  if (copy) return false;
  SHOEBOX_ASSIGN(const Naming naming, naming_of(reader, content));
  return naming == Naming::kReal;
}

}  // namespace

void Outbox::State::load() {
  MutexLock lock(mutex);
  const std::string jobs = keys::table(keys::kJob);
  const Status read_jobs =
      catalog.scan(jobs, jobs, [&](std::string_view, std::string_view value) REQUIRES(mutex) {
        const auto job = decode_upload_job(value);
        if (!job) return true;  // fsck tells
        const auto content = catalog.content(job->content);
        const uint64_t size = content && *content ? (*content)->size : 0;
        Queue& queue = queues[job->remote];
        if (queue.pending.emplace(job->content, size).second) queue.pending_bytes += size;
        if (job->damaged) queue.damaged.insert(job->content);
        if (!job->last_error.empty()) {
          queue.last_error = job->last_error;
          queue.error_of = job->content;
        }
        return true;
      });
  const std::string copies = keys::table(keys::kCopy);
  const Status read_copies =
      catalog.scan(copies, copies, [&](std::string_view key, std::string_view value) REQUIRES(mutex) {
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
        queue.damaged.erase(upload.content);
      }
      if (queue.error_of == upload.content) {
        queue.error_of = ContentNo();
        queue.last_error.clear();
      }
      if (queue.sending.contains(upload.content)) continue;  // ended() does it
      std::erase_if(queue.claims, [&](const auto& claim) {
        return claim.second.content == upload.content && claim.second.work == KeyClaim::Work::kUpload;
      });
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
    note_kept_here(name.inode);
    if (name.removed || is_junk(name.name)) continue;
    const auto inode = catalog.inode(name.inode);
    if (inode && *inode && S_ISREG((*inode)->mode) && (*inode)->content) ensure_jobs((*inode)->content);
  }
  if (!change.upload_jobs.empty() || !change.content_sizes.empty() || change.photos || change.tidying) {
    for (const auto& wake : wakes) wake();
  }
  if (change.tidying) folders_moved = true;
  if (change.tidying || !change.uploads.empty()) {
    for (const auto& wake : tidy_wakes) wake();
  }
  // What waits for a key to become free is told as well.
  if (change.sidecars || change.tidying) {
    for (const auto& wake : sidecar_wakes) wake();
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
    if (!still || !*still || !serves(remote)) continue;
    UploadJob job;
    job.content = content;
    job.remote = remote;
    txn->put_job(job);
    const Status committed = txn->commit();
    if (!committed) log::error("queueing content {} for {}: {}", content.value, remote, committed.message());
  }
}

bool Outbox::State::serves(const std::string& remote) const {
  MutexLock lock(mutex);
  return std::find(served.begin(), served.end(), remote) != served.end();
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
    const auto lacks = lacks_job(state_->catalog, number, remote, /*staged_too=*/true);
    if (!lacks) failure = lacks.status();
    if (lacks && *lacks) lacking.push_back(number);
    return lacks.is_ok();
  }));
  SHOEBOX_TRY(failure);
  uint64_t queued = 0;
  for (size_t begin = 0; begin < lacking.size(); begin += kOutboxBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    uint64_t batch = 0;
    for (size_t i = begin; i < std::min(lacking.size(), begin + kOutboxBatchRows); ++i) {
      SHOEBOX_ASSIGN(const bool still, lacks_job(*txn, lacking[i], remote, /*staged_too=*/true));
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

Status Outbox::stop_serving(const std::string& remote) {
  {
    MutexLock lock(state_->mutex);
    std::erase(state_->served, remote);
    state_->backed_up.erase(remote);
  }
  for (ContentNo after(0);;) {
    // From the catalog, under the writer lock: the totals follow commits a moment later.
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    std::vector<ContentNo> batch;
    SHOEBOX_TRY(state_->catalog.for_each_job(remote, after, [&](const UploadJob& job) {
      batch.push_back(job.content);
      return batch.size() < kOutboxBatchRows;
    }));
    if (batch.empty()) return Status::ok();
    for (const ContentNo content : batch) txn->erase_job(content, remote);
    SHOEBOX_TRY(txn->commit());
    after = batch.back();
  }
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
  for (size_t begin = 0; begin < dropped.size(); begin += kOutboxBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    for (size_t i = begin; i < std::min(dropped.size(), begin + kOutboxBatchRows); ++i) {
      txn->erase_job(dropped[i].first, dropped[i].second);
    }
    SHOEBOX_TRY(txn->commit());
  }
  return Status::ok();
}

}  // namespace shoebox
