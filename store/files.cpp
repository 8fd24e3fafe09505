#include "store/files.h"

#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files_state.h"

namespace shoebox {

Files::Files(const Dependencies& dependencies) : state_(std::make_unique<State>(dependencies)) {}

Files::~Files() { state_->queue.stop(); }

void Files::set_source(ContentSource* source) { state_->source = source; }
void Files::on_sealed(std::function<void(ContentNo)> callback) { state_->sealed = std::move(callback); }
void Files::on_known(std::function<Status(ContentNo known, int fd, const GoOn& go_on)> callback) {
  state_->known = std::move(callback);
}
void Files::on_access(std::function<void(ContentNo)> callback) { state_->accessed = std::move(callback); }
void Files::on_disk_full(std::function<uint64_t(uint64_t)> callback) {
  state_->disk_full = std::move(callback);
}

void Files::overlay(InodeNo inode, InodeRecord& record) const {
  const std::shared_ptr<OpenInode> open = state_->find(inode);
  if (!open) return;
  MutexLock lock(open->mutex);
  if (!open->loaded || open->epoch == open->committed_epoch) return;
  record.size = open->size;
  record.mtime = open->mtime;
  record.ctime = std::max(record.ctime, open->ctime);
}

uint64_t Files::blocks_of(InodeNo inode, const InodeRecord& record) const {
  if (record.size == 0) return 0;
  const auto content = state_->deps.catalog.content(record.content);
  return blocks_of(inode, record, content ? *content : std::nullopt);
}

uint64_t Files::blocks_of(InodeNo inode, const InodeRecord& record,
                          const std::optional<ContentRecord>& content) const {
  if (record.size == 0) return 0;
  constexpr uint64_t kUnit = 512;  // of st_blocks, whatever the disk's block size
  uint64_t blocks = 0;
  std::shared_ptr<const UniqueFd> staging;
  if (const std::shared_ptr<OpenInode> open = state_->find(inode)) {
    MutexLock lock(open->mutex);
    staging = open->staging;
  }
  if (struct stat st{}; staging && ::fstat(staging->get(), &st) == 0) {
    blocks = static_cast<uint64_t>(st.st_blocks);
  } else if (record.content) {
    const uint64_t bytes = state_->deps.contents.disk_bytes(record.content, content);
    blocks = (bytes + kUnit - 1) / kUnit;
  }
  return std::max<uint64_t>(blocks, 1);
}

bool Files::is_open(InodeNo inode) const {
  MutexLock lock(state_->mutex);
  const auto found = state_->table.find(inode);
  return found != state_->table.end() && found->second->handles > 0;
}

bool Files::content_in_use(ContentNo content) const {
  MutexLock lock(state_->mutex);
  for (const auto& [number, open] : state_->table) {
    if (open->content.load(std::memory_order_acquire) == content.value) return true;
  }
  return false;
}

void Files::mtime_set(InodeNo inode, Timestamp mtime) {
  const std::shared_ptr<OpenInode> open = state_->find(inode);
  if (!open) return;
  MutexLock lock(open->mutex);
  if (!open->loaded) return;
  open->mtime = mtime;
  open->mtime_given = true;
  // A commit under way may write the older time: let another follow.
  ++open->epoch;
}

Files::Counters Files::counters() const {
  const State& state = *state_;
  return {state.commits, state.data_syncs, state.seals, state.hashed_again,
          state.clones,  state.fetches,    state.passed};
}

}  // namespace shoebox
