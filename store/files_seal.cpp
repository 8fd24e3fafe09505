// After the last close: commits what a mmap left dirty, lets unlinked inodes go, and seals: hashes
// the staging file, makes it an object, and tells the tree (which finds twins). On the queue's threads.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/files_state.h"
#include "store/settings.h"
#include "store/tree/name_class.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

// Photos are shown within 2 s of close. Other files wait a little: what appends to a log or opens
// a database again and again would have it copied each time.
constexpr std::chrono::milliseconds kOtherFilesDelay(1000);
constexpr std::chrono::milliseconds kRetryDelay(10000);
constexpr std::chrono::milliseconds kChangedDelay(20);
constexpr uint32_t kMaxTries = 3;  // then the next mount tries
// How long an unmount reads files to hash them; what is left is hashed at the next mount.
constexpr std::chrono::seconds kSealAtEnd(3);
constexpr uint64_t kLookEvery = 256;  // blocks read between two looks whether the file is still there

// 0: not known.
uint64_t disk_bytes_of(int fd) {
  struct stat st {};
  return ::fstat(fd, &st) == 0 ? static_cast<uint64_t>(st.st_blocks) * 512 : 0;
}

}  // namespace

std::chrono::milliseconds Files::State::seal_delay(InodeNo inode) const {
  const auto names = deps.catalog.names_of(inode);
  if (!names) return kOtherFilesDelay;
  for (const NameOf& name : *names) {
    if (classify_name(name.name) == NameClass::kMedia) return std::chrono::milliseconds(0);
  }
  return kOtherFilesDelay;
}

void Files::State::post_finish(const std::shared_ptr<OpenInode>& open, std::chrono::milliseconds delay) {
  queue.post(delay, [this, open] {
    try {
      finish(open);
    } catch (const std::exception& error) {
      log::error("inode {}: sealing failed: {}", open->inode.value, error.what());
    }
    drop_ref(open);
  });
}

void Files::State::finish(const std::shared_ptr<OpenInode>& open) {
  const auto again = [&](const Status& why, const char* what) {
    bool retry = false;
    {
      MutexLock lock(open->mutex);
      retry = ++open->failed_seals < kMaxTries;
    }
    log::warning("inode {}: {}: {}; {}", open->inode.value, what, why.message(),
                 retry ? "trying again soon" : "the next mount tries again");
    if (!retry || queue.draining()) return;
    {
      MutexLock lock(mutex);
      ++open->refs;
    }
    post_finish(open, kRetryDelay);
  };
  if (const Status done = commit(*open, durable_at_close()); !done) return again(done, "not committed");
  {
    MutexLock lock(open->mutex);
    open->seal_wanted = true;  // before the look at the handles: a release after it sees this
  }
  if (has_handles(*open)) return;
  const auto record = deps.catalog.inode(open->inode);
  if (!record) return again(record.status(), "not sealed");
  if (!*record || (*record)->nlink == 0) {
    const ContentNo content(open->content.load(std::memory_order_acquire));
    if (*record) {
      if (const Status gone = deps.tree.drop_unlinked(open->inode); !gone) {
        return again(gone, "unlinked but not removed");
      }
    }
    if (!content) return;
    const auto held = deps.catalog.content(content);
    if (held && !*held) {
      // Never committed, or erased with the inode: the files go in either case.
      if (const Status removed = deps.contents.remove(content); !removed) {
        log::warning("content {}: not removed: {}", content.value, removed.message());
      }
      return;
    }
    return finish_unlinked(content);
  }
  const Status sealed_now = seal(*open);
  if (sealed_now.is_ok()) {
    MutexLock lock(open->mutex);
    open->seal_wanted = false;
    return;
  }
  if (sealed_now.code() != Code::kBusy) return again(sealed_now, "not sealed");
  // Changed between the commit and the seal. With a handle left its release comes here again; without
  // one (cp -p sets the mtime after close) nobody else will.
  if (has_handles(*open) || ending()) return;
  {
    MutexLock lock(mutex);
    ++open->refs;
  }
  post_finish(open, kChangedDelay);
}

// The bytes of an inode that was removed live on: in Trash, under an inode of their own, or, replaced
// before they were sealed, as a version that no inode holds.
void Files::State::finish_unlinked(ContentNo content) {
  const auto inodes = deps.catalog.inodes_of_content(content);
  if (!inodes) {
    log::warning("content {}: not sealed: {}; the next mount tries again", content.value,
                 inodes.status().message());
    return;
  }
  if (!inodes->empty()) {
    const auto other = acquire(inodes->front());
    if (other) post_finish(*other, std::chrono::milliseconds(0));
    return;
  }
  OpenInode version{InodeNo()};  // in no table: nobody else can reach these bytes to change them
  version.content.store(content.value, std::memory_order_release);
  const Status sealed_now = seal(version);
  if (!sealed_now) {
    log::warning("content {}: a version, not sealed: {}; the next mount tries again", content.value,
                 sealed_now.message());
  }
}

Status Files::State::still_wanted(ContentNo content, uint64_t blocks_read) const {
  if (ending() && std::chrono::steady_clock::now().time_since_epoch().count() > seal_until.load())
    return {Code::kBusy, fmt::format("content {}: the drive is being unmounted", content.value)};
  if (blocks_read % kLookEvery != kLookEvery - 1) return Status::ok();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, deps.catalog.content(content));
  return record ? Status::ok() : Status(Code::kBusy, fmt::format("content {}: deleted", content.value));
}

Result<bool> Files::State::known_is_whole(ContentNo content, const ContentHashes& hashes, int fd,
                                          bool& synced, const Files::GoOn& go_on) const {
  if (!known) return true;
  const auto found = deps.catalog.content_by_hash(hashes.whole);
  if (!found || !*found || **found == content) return true;
  // What is spoiled of the known ones is dropped for these.
  if (!synced) SHOEBOX_TRY(deps.contents.sync_staging(content, fd));
  synced = true;
  const Status told = known(**found, fd, go_on);
  if (!told) {
    SHOEBOX_TRY(go_on(0));
    log::warning("content {}: kept beside content {}, which has the same bytes: {}", content.value,
                 (*found)->value, told.message());
  }
  return told.is_ok();
}

Status Files::State::seal(OpenInode& open) {
  ContentNo result;
  {
    const MutexLock writing(open.write_mutex);
    const MutexLock hashing(open.hash_mutex);
    const ContentNo content(open.content.load(std::memory_order_acquire));
    if (!content) return Status::ok();
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, deps.catalog.content(content));
    uint64_t size = 0;
    {
      MutexLock lock(open.mutex);
      size = open.size;
      if (!record && size == 0) open.content.store(0, std::memory_order_release);
    }
    if (!record) {
      // A new file that never got a byte (its first write failed).
      if (size == 0) return deps.contents.remove(content);
      return Status(Code::kBusy, fmt::format("content {}: not committed yet", content.value));
    }
    if (is_immutable(record->state)) return Status::ok();
    SHOEBOX_ASSIGN(const UniqueFd fd, deps.contents.open_local(content));
    // What was written in order was hashed on the way; the rest is read now.
    std::vector<char> buffer(kBlockBytes);
    BlockHasher& hasher = open.hasher;
    const auto go_on = [&](uint64_t blocks_read) -> Status {
      if (open.waiting_to_write > 0) {
        return Status(Code::kBusy, fmt::format("content {}: written again", content.value));
      }
      return still_wanted(content, blocks_read);
    };
    for (;;) {
      SHOEBOX_TRY(go_on(hasher.size() / kBlockBytes));
      SHOEBOX_ASSIGN(const size_t got, pread_full(fd.get(), buffer.data(), buffer.size(), hasher.size()));
      if (got == 0) break;
      hashed_again += got;
      hasher.update(buffer.data(), got);
    }
    const Turn turn(open);
    bool synced = false;
    {
      MutexLock lock(open.mutex);
      if (open.epoch != open.committed_epoch) {
        return Status(Code::kBusy, fmt::format("content {}: changed again", content.value));
      }
      synced = open.synced_epoch == open.epoch;
    }
    ContentHashes hashes = hasher.finish();
    hashes.disk_bytes = disk_bytes_of(fd.get());
    // What is not whole takes nobody's bytes. Before the file moves: who gives way leaves all as it was.
    SHOEBOX_ASSIGN(const bool whole, known_is_whole(content, hashes, fd.get(), synced, go_on));
    SHOEBOX_TRY(deps.contents.seal(content, synced));
    kill_point("seal-moved");
    Result<ContentNo> standing = deps.tree.content_sealed(content, hashes, /*apart=*/!whole);
    // Deleted meanwhile: the remover may have been there before the file moved.
    if (!standing && standing.code() == Code::kNotFound) return deps.contents.remove(content);
    if (!standing) return standing.status();
    kill_point("seal-recorded");
    result = *standing;
    ++seals;
    MutexLock lock(open.mutex);
    open.content.store(result.value, std::memory_order_release);
    open.staging = nullptr;
    open.backing = nullptr;
    open.failed_seals = 0;
  }
  if (sealed && result) sealed(result);
  return Status::ok();
}

void Files::drain() { state_->queue.drain(); }

size_t Files::sealing() const { return state_->queue.pending(); }

Status Files::commit_all() {
  state_->seal_until = (std::chrono::steady_clock::now() + kSealAtEnd).time_since_epoch().count();
  std::vector<InodeNo> open_now;
  {
    MutexLock lock(state_->mutex);
    for (const auto& [inode, open] : state_->table) open_now.push_back(inode);
  }
  Status first;
  const auto note = [&first](const Status& status) {
    if (!status && first) first = status;
  };
  for (const InodeNo inode : open_now) {
    const auto open = state_->acquire(inode);
    if (!open) continue;  // unlinked meanwhile
    note(state_->commit(**open, true));
    state_->drop_ref(*open);
  }
  state_->queue.drain();
  // Files that are still open are sealed as they are; who writes on writes a copy.
  for (const InodeNo inode : open_now) {
    const auto open = state_->acquire(inode);
    if (!open) continue;
    const auto record = state_->deps.catalog.inode(inode);
    if (record && *record && (*record)->nlink > 0) {
      const Status done = state_->seal(**open);
      if (done.code() != Code::kBusy) note(done);
    }
    state_->drop_ref(*open);
  }
  state_->seal_until = State::kNoEnd;
  note(state_->deps.catalog.sync());
  return first;
}

Status Files::seal_leftovers() {
  std::vector<ContentNo> staged;
  SHOEBOX_TRY(state_->deps.catalog.for_each_content([&](ContentNo content, const ContentRecord& record) {
    if (record.state == ContentState::kStaging) staged.push_back(content);
    return true;
  }));
  for (const ContentNo content : staged) {
    const Result<UniqueFd> fd = state_->deps.contents.open_local(content);
    if (!fd) {
      // Reading it fails, which is true; fsck tells the owner what to do.
      log::error("content {}: its bytes are not on this disk: {}", content.value, fd.status().message());
      continue;
    }
    struct stat st {};
    if (::fstat(fd->get(), &st) != 0) return Status::from_errno(errno, "stat staging file");
    const auto size = static_cast<uint64_t>(st.st_size);
    SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, state_->deps.catalog.inodes_of_content(content));
    if (inodes.empty()) {
      const std::unique_ptr<Transaction> transaction = state_->deps.catalog.begin();
      SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, transaction->content(content));
      if (record && record->references == 0) {
        SHOEBOX_TRY(transaction->erase_content(content));
        SHOEBOX_TRY(transaction->commit());
      } else if (record) {
        state_->queue.post(std::chrono::milliseconds(0),
                           [state = state_.get(), content] { state->finish_unlinked(content); });
      }
      continue;
    }
    // The file may have grown after the last commit (kill -9), or be shorter when durability is
    // "fsync" and nobody called it before the power went. What is there is what the file is.
    {
      const std::unique_ptr<Transaction> transaction = state_->deps.catalog.begin();
      bool changed = false;
      for (const InodeNo number : inodes) {
        SHOEBOX_ASSIGN(std::optional<InodeRecord> inode, transaction->inode(number));
        if (!inode || inode->size == size) continue;
        if (inode->size > size) {
          log::warning("inode {}: {} of its {} bytes were never synced and are lost", number.value,
                       inode->size - size, inode->size);
        }
        inode->size = size;
        transaction->put_inode(number, *inode);
        changed = true;
      }
      if (changed) SHOEBOX_TRY(transaction->commit());
    }
    SHOEBOX_ASSIGN(const std::shared_ptr<OpenInode> open, state_->acquire(inodes.front()));
    state_->post_finish(open, std::chrono::milliseconds(0));
  }
  return Status::ok();
}

}  // namespace shoebox
