// Other bytes for a file that nobody has open: an older version that comes back.
#include <fmt/format.h>

#include "store/catalog/catalog.h"
#include "store/files_state.h"

namespace shoebox {
namespace {

Status in_use() { return {Code::kBusy, "the file is open: close it and try again"}; }

}  // namespace

// An entry outlives its last handle until its bytes are sealed, and whoever opens the file again meanwhile
// reads what the entry knows. So what the last close left is done first, and the entry learns what the
// record says afterwards.
Status Files::replace(InodeNo inode, const std::function<Status()>& change) {
  if (is_open(inode)) return in_use();
  SHOEBOX_ASSIGN(const std::shared_ptr<OpenInode> open, state_->acquire(inode));
  const Status done = state_->replace(*open, change);
  state_->drop_ref(open);
  return done;
}

Status Files::State::replace(OpenInode& open, const std::function<Status()>& change) {
  SHOEBOX_TRY(commit(open, durable_at_close()));
  SHOEBOX_TRY(seal(open));
  {
    const WriteLock writing(open);
    const MutexLock hashing(open.hash_mutex);
    const Turn turn(open);
    if (has_handles(open)) return in_use();
    {
      MutexLock lock(open.mutex);
      if (open.epoch != open.committed_epoch) return in_use();
    }
    SHOEBOX_TRY(change());
    open.hasher = BlockHasher();
    SHOEBOX_ASSIGN(const std::optional<InodeRecord> record, deps.catalog.inode(open.inode));
    if (!record) return {Code::kNotFound, "the file is gone"};
    MutexLock lock(open.mutex);
    open.content.store(record->content.value, std::memory_order_release);
    open.staging = nullptr;
    open.backing = nullptr;
    open.size = record->size;
    open.mtime = record->mtime;
    open.ctime = record->ctime;
    open.mtime_given = record->mtime_was_set;
  }
  // Only now: whoever read in between read the bytes from before.
  const std::unique_ptr<Transaction> told = deps.catalog.begin();
  told->data_changed(open.inode);
  return told->commit();
}

}  // namespace shoebox
