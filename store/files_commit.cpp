// What close() and fsync() acknowledge: the data on the disk, then one transaction with the inode,
// the content's record and the upload jobs, then the catalog's log on the disk.
#include <fmt/format.h>

#include <algorithm>

#include "store/base/kill_point.h"
#include "store/catalog/catalog.h"
#include "store/files_state.h"
#include "store/settings.h"
#include "store/tree/name_class.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

// One job for each remote that has neither a job for these bytes nor a copy.
Status put_jobs(Transaction& transaction, const SettingsView& view, ContentNo content) {
  const std::shared_ptr<const Settings> settings = view.now();  // under the writer lock
  SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, transaction.jobs_of_content(content));
  for (const RemoteSettings& remote : settings->remotes) {
    const auto is_for = [&](const UploadJob& job) { return job.remote == remote.name; };
    if (std::any_of(jobs.begin(), jobs.end(), is_for)) continue;
    UploadJob job;
    job.content = content;
    job.remote = remote.name;
    transaction.put_job(job);
  }
  return Status::ok();
}

// Junk and temporary names stay local; a rename to a real name queues the upload then.
Result<bool> is_junk(const CatalogReader& reader, InodeNo inode) {
  SHOEBOX_ASSIGN(const std::vector<NameOf> names, reader.names_of(inode));
  return std::all_of(names.begin(), names.end(),
                     [](const NameOf& name) { return classify_name(name.name) == NameClass::kJunk; });
}

struct Snapshot {
  uint64_t epoch = 0;
  uint64_t committed_epoch = 0;
  std::optional<uint64_t> durable_epoch;
  ContentNo content;
  std::shared_ptr<const UniqueFd> staging;
  uint64_t size = 0;
  Timestamp mtime, ctime;
  bool mtime_given = false;
};

Status put_record(Transaction& transaction, const SettingsView& settings, Tree& tree, InodeNo number,
                  const Snapshot& now, const Timestamp& clock_now) {
  SHOEBOX_ASSIGN(std::optional<InodeRecord> inode, transaction.inode(number));
  if (!inode || inode->nlink == 0) return Status::ok();  // unlinked: nobody will look for it
  inode->size = now.size;
  inode->mtime = now.mtime;
  inode->ctime = std::max(inode->ctime, now.ctime);
  if (!now.mtime_given) inode->mtime_was_set = false;
  // An empty file has no content.
  const ContentNo content = now.size == 0 ? ContentNo() : now.content;
  if (content) {
    SHOEBOX_ASSIGN(std::optional<ContentRecord> record, transaction.content(content));
    const bool fresh = !record;
    if (fresh) {
      record = ContentRecord{};
      record->references = 1;
      // Makes this batch carry the counter, so that the number cannot be given again.
      transaction.new_content_no();
    }
    if (record->state == ContentState::kStaging) {
      record->size = now.size;
      record->changed_s = clock_now.seconds;
      record->last_access_s = clock_now.seconds;
      transaction.put_content(content, *record);
      SHOEBOX_ASSIGN(const bool junk, is_junk(transaction, number));
      if (!junk) SHOEBOX_TRY(put_jobs(transaction, settings, content));
    }
  }
  return tree.replace_content(transaction, number, *inode, content);
}

}  // namespace

bool Files::State::durable_at_close() const { return deps.settings->durability == Durability::kClose; }

Status Files::State::commit(OpenInode& open, bool durable) {
  const Turn turn(open);
  Snapshot now;
  {
    MutexLock lock(open.mutex);
    now = {open.epoch,         open.committed_epoch,
           open.durable_epoch, ContentNo(open.content.load(std::memory_order_acquire)),
           open.staging,       open.size,
           open.mtime,         open.ctime,
           open.mtime_given};
  }
  const bool changed = now.epoch != now.committed_epoch;
  const bool to_sync = durable && now.durable_epoch != now.epoch;
  if (!changed && !to_sync) return Status::ok();
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, deps.catalog.inode(open.inode));
  // Unlinked while open: the bytes live as long as the handles, and no longer than the machine.
  if (!inode || inode->nlink == 0) return Status::ok();
  if (to_sync && now.staging) {
    SHOEBOX_TRY(deps.contents.sync_staging(now.content, now.staging->get()));
    kill_point("staging-named");
    ++data_syncs;
  }
  if (changed) {
    const std::unique_ptr<Transaction> transaction = deps.catalog.begin();
    SHOEBOX_TRY(put_record(*transaction, deps.settings, deps.tree, open.inode, now, deps.clock.now()));
    SHOEBOX_TRY(transaction->commit());
    kill_point("write-committed");
    ++commits;
  }
  if (to_sync) SHOEBOX_TRY(deps.catalog.sync());
  kill_point("write-synced");
  MutexLock lock(open.mutex);
  open.committed_epoch = now.epoch;
  if (to_sync) open.durable_epoch = now.epoch;
  if (to_sync && now.staging) open.synced_epoch = now.epoch;
  return Status::ok();
}

Status Files::flush(const std::shared_ptr<FileHandle>& handle) {
  if (!handle->flags.write) return Status::ok();
  return state_->commit(*handle->open, state_->durable_at_close());
}

Status Files::fsync(const std::shared_ptr<FileHandle>& handle, bool /*data_only: the size is data*/) {
  SHOEBOX_TRY(state_->commit(*handle->open, true));
  // Also what is not this handle's, such as a rename of the file just before.
  return state_->deps.catalog.sync();
}

}  // namespace shoebox
