// open and release: the table of open inodes.
#include <fmt/format.h>
#include <sys/stat.h>

#include "store/catalog/catalog.h"
#include "store/content/content_source.h"
#include "store/files_state.h"

namespace shoebox {

Turn::Turn(OpenInode& open) NO_THREAD_SAFETY_ANALYSIS : open_(open) {
  MutexLock lock(open_.mutex);
  open_.turn_over.wait(open_.mutex, [this]() REQUIRES(open_.mutex) { return !open_.turn_taken; });
  open_.turn_taken = true;
}

Turn::~Turn() {
  {
    MutexLock lock(open_.mutex);
    open_.turn_taken = false;
  }
  open_.turn_over.notify_all();
}

std::shared_ptr<OpenInode> Files::State::find(InodeNo inode) const {
  MutexLock lock(mutex);
  const auto found = table.find(inode);
  return found == table.end() ? nullptr : found->second;
}

bool Files::State::has_handles(const OpenInode& open) const {
  MutexLock lock(mutex);
  return open.handles > 0;
}

Result<std::shared_ptr<OpenInode>> Files::State::acquire(InodeNo inode) {
  std::shared_ptr<OpenInode> open;
  {
    MutexLock lock(mutex);
    std::shared_ptr<OpenInode>& entry = table[inode];
    if (!entry) entry = std::make_shared<OpenInode>(inode);
    ++entry->refs;
    open = entry;
  }
  // The entry is in the table before the record is read: from then on changes go through it.
  Status failed;
  {
    MutexLock lock(open->mutex);
    if (!open->loaded) {
      const auto record = deps.catalog.inode(inode);
      if (!record) {
        failed = record.status();
      } else if (!*record) {
        failed = Status(Code::kNotFound, fmt::format("inode {}: not there any more", inode.value));
      } else if (!S_ISREG((*record)->mode)) {
        failed = Status(S_ISDIR((*record)->mode) ? Code::kIsDirectory : Code::kInvalid,
                        fmt::format("inode {}: not a regular file", inode.value));
      } else {
        open->content.store((*record)->content.value, std::memory_order_release);
        open->size = (*record)->size;
        open->mtime = (*record)->mtime;
        open->ctime = (*record)->ctime;
        open->mtime_given = (*record)->mtime_was_set;
        open->loaded = true;
      }
    }
  }
  if (failed) return open;
  drop_ref(open);
  return failed;
}

void Files::State::drop_ref(const std::shared_ptr<OpenInode>& open) {
  MutexLock lock(mutex);
  if (--open->refs > 0) return;
  const auto found = table.find(open->inode);
  if (found != table.end() && found->second == open) table.erase(found);
}

Result<std::shared_ptr<FileHandle>> Files::open(InodeNo inode, OpenFlags flags) {
  SHOEBOX_ASSIGN(std::shared_ptr<OpenInode> open, state_->acquire(inode));
  {
    MutexLock lock(state_->mutex);
    ++open->handles;
    if (flags.write) ++open->writers;
  }
  auto handle = std::make_shared<FileHandle>(open, flags);
  if (flags.truncate && flags.write) {
    const WriteLock lock(*open);
    if (Status emptied = state_->resize(*open, 0); !emptied) {
      release(handle);
      return emptied;
    }
  }
  const ContentNo content(open->content.load(std::memory_order_acquire));
  if (content && state_->accessed) state_->accessed(content);
  return handle;
}

void Files::open_async(InodeNo inode, OpenFlags flags, CancelToken cancel,
                       std::function<void(Result<std::shared_ptr<FileHandle>>)> done) {
  Result<std::shared_ptr<FileHandle>> handle = open(inode, flags);
  if (!handle || !flags.write || flags.truncate) return done(std::move(handle));
  const ContentNo content((*handle)->open->content.load(std::memory_order_acquire));
  // Also what another handle is writing, of which the catalog knows nothing yet.
  if (!content || complete_local(**handle)) return done(std::move(handle));
  // The handle is held meanwhile, so that the evictor leaves what arrives.
  state_->fetch_all(content, std::move(cancel),
                    [this, opened = *handle, done = std::move(done)](const Status& fetched) {
                      if (fetched) return done(opened);
                      release(opened);
                      done(fetched);
                    });
}

// By value: the handle lives to the end of this, whatever the caller does with its own.
// NOLINTNEXTLINE(performance-unnecessary-value-param)
void Files::release(std::shared_ptr<FileHandle> handle) {
  const std::shared_ptr<OpenInode> open = handle->open;
  bool last = false;
  {
    MutexLock lock(state_->mutex);
    last = --open->handles == 0;
    if (handle->flags.write) --open->writers;
  }
  bool dirty = false;
  bool staged = false;
  {
    MutexLock lock(open->mutex);
    dirty = open->epoch != open->committed_epoch;
    staged = open->staging != nullptr || open->seal_wanted;
  }
  bool unlinked = false;
  if (last) {
    const auto record = state_->deps.catalog.inode(open->inode);
    unlinked = record && (!*record || (*record)->nlink == 0);
  }
  if (dirty || unlinked) {
    state_->post_finish(open, std::chrono::milliseconds(0));
  } else if (last && staged) {
    state_->post_finish(open, state_->seal_delay(open->inode));
  } else {
    state_->drop_ref(open);
  }
}

}  // namespace shoebox
