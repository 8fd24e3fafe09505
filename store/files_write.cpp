// write, truncate, fallocate: all that changes bytes, in a staging file.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/falloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/catalog/catalog.h"
#include "store/files_state.h"

namespace shoebox {
namespace {

// Evictions between a fetch and the copy made of it; more means the disk holds nothing any more.
constexpr int kMaxCloneTries = 3;

// The disk is given what was written in such pieces at once, so that close() finds most of it there.
constexpr uint64_t kWriteBackBytes = 1 << 20;

// Files up to this size are hashed when they are sealed, from the kernel's memory: that takes as long as
// writing them, and then the processor waits for the disk anyway. Larger ones are hashed as they come, since
// they may not fit into memory.
constexpr uint64_t kHashLaterBytes = 16 << 20;

// Hashes what is before `end` when nothing was yet, because all of it was left for later.
void hash_up_to(BlockHasher& hasher, int fd, uint64_t end) {
  if (hasher.size() > 0 || end > kHashLaterBytes) return;
  std::vector<char> buffer(kBlockBytes);
  while (hasher.size() < end) {
    const size_t wanted = std::min<uint64_t>(buffer.size(), end - hasher.size());
    const Result<size_t> got = pread_full(fd, buffer.data(), wanted, hasher.size());
    if (!got || *got < wanted) return;  // the seal reads it and says why it cannot
    hasher.update(buffer.data(), wanted);
  }
}

// The writer has its answer: nothing may go wrong any more.
void hash_written(BlockHasher& hasher, int fd, uint64_t offset, std::string_view bytes) noexcept {
  if (offset + bytes.size() > kHashLaterBytes) hash_up_to(hasher, fd, offset);
  if (offset > 0 && offset == hasher.size()) hasher.update(bytes.data(), bytes.size());
}

// Only asks for it: what fails here fails again, and is told, when the file is synced.
void begin_write_back(int fd, uint64_t begin, uint64_t end) {
  begin = begin / kWriteBackBytes * kWriteBackBytes;
  end = end / kWriteBackBytes * kWriteBackBytes;
  if (begin < end) {
    (void)::sync_file_range(fd, static_cast<off_t>(begin), static_cast<off_t>(end - begin),
                            SYNC_FILE_RANGE_WRITE);
  }
}

}  // namespace

bool Files::State::make_room(const Status& why, uint64_t bytes) const {
  if (why.code() != Code::kNoSpace && why.code() != Code::kQuota) return false;
  // Trying again is right though nothing was freed here: somebody else may have made the room just before.
  if (disk_full) disk_full(bytes);
  return disk_full != nullptr;
}

Result<std::shared_ptr<const UniqueFd>> Files::State::ensure_staging(OpenInode& open) {
  uint64_t size = 0;
  {
    MutexLock lock(open.mutex);
    if (open.staging) return open.staging;
    size = open.size;
  }
  ContentNo content(open.content.load(std::memory_order_acquire));
  Result<UniqueFd> fd = Status(Code::kNotFound, "no staging file");
  if (content) {
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, deps.catalog.content(content));
    if (!record) {
      // A twin's content took over since this entry was made.
      SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, deps.catalog.inode(open.inode));
      if (!inode)
        return Status(Code::kNotFound, fmt::format("inode {}: not there any more", open.inode.value));
      content = inode->content;
    } else if (record->state == ContentState::kStaging) {
      fd = deps.contents.open_staging(content, O_RDWR);
      if (!fd && fd.code() != Code::kNotFound) return fd.status();
    }
  }
  if (!fd) {
    const ContentNo fresh = deps.contents.new_staging_no();
    const auto make = [&]() -> Result<UniqueFd> {
      SHOEBOX_TRY(deps.contents.room_for(content ? size : 0));
      return content ? deps.contents.clone_to_staging(content, fresh) : deps.contents.create_staging(fresh);
    };
    fd = make();
    for (int tries = 0; !fd && fd.code() == Code::kUnavailable && tries < kMaxCloneTries; ++tries) {
      SHOEBOX_TRY(fetch_all_and_wait(content));
      fd = make();
      if (fd || fd.code() != Code::kNotFound) continue;
      // Adopted bytes that turned out to be known ones.
      SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, deps.catalog.inode(open.inode));
      if (!inode || inode->content == content) break;
      content = inode->content;
      fd = make();
    }
    if (!fd && make_room(fd.status(), std::max<uint64_t>(size, 1 << 20))) fd = make();
    if (!fd) return fd.status();
    if (content) ++clones;
    content = fresh;
    // A clone holds all of the content; a file that never had one may still be of some size.
    struct stat st {};
    if (::fstat(fd->get(), &st) != 0) return Status::from_errno(errno, "stat staging file");
    if (static_cast<uint64_t>(st.st_size) != size && ::ftruncate(fd->get(), static_cast<off_t>(size)) != 0) {
      const Status failed = Status::from_errno(errno, "truncate staging file");
      (void)deps.contents.remove(fresh);
      return failed;
    }
  }
  open.forget_hash();
  auto staging = std::make_shared<const UniqueFd>(std::move(*fd));
  MutexLock lock(open.mutex);
  if (open.content.load(std::memory_order_acquire) != content.value) ++open.epoch;
  open.content.store(content.value, std::memory_order_release);
  open.staging = staging;
  open.backing = nullptr;
  return std::shared_ptr<const UniqueFd>(std::move(staging));
}

Result<std::shared_ptr<const UniqueFd>> Files::State::put_bytes(OpenInode& open, bool append,
                                                                uint64_t& offset, std::string_view bytes) {
  SHOEBOX_ASSIGN(std::shared_ptr<const UniqueFd> staging, ensure_staging(open));
  uint64_t size = 0;
  {
    MutexLock state(open.mutex);
    size = open.size;
  }
  if (append) offset = size;
  const auto write = [&] {
    SHOEBOX_TRY(deps.contents.room_for(bytes.size()));
    return pwrite_full(staging->get(), bytes.data(), bytes.size(), offset);
  };
  Status written = write();
  if (!written && make_room(written, bytes.size())) written = write();
  if (!written) {
    // What arrived beyond the end was not acknowledged and is none of the file.
    if (offset + bytes.size() > size && ::ftruncate(staging->get(), static_cast<off_t>(size)) != 0) {
      return Status::from_errno(errno, "truncate staging file after a failed write");
    }
    return written.with_context(
        fmt::format("inode {}: {} bytes at {}", open.inode.value, bytes.size(), offset));
  }
  const Timestamp now = deps.clock.now();
  MutexLock state(open.mutex);
  open.size = std::max(open.size, offset + bytes.size());
  open.mtime = open.ctime = now;
  open.mtime_given = false;
  ++open.epoch;
  return staging;
}

void Files::write(const std::shared_ptr<FileHandle>& handle, uint64_t offset, std::string_view bytes,
                  const std::function<void(const Result<size_t>&)>& done) NO_THREAD_SAFETY_ANALYSIS {
  OpenInode& open = *handle->open;
  if (!handle->flags.write) return done(Status(Code::kAccess, "the file is not open for writing"));
  if (bytes.empty()) return done(size_t{0});
  std::unique_lock<Mutex> hashing(open.hash_mutex, std::defer_lock);
  Result<std::shared_ptr<const UniqueFd>> staging = Status(Code::kIo, "not written");
  {
    const WriteLock lock(open);
    staging = state_->put_bytes(open, handle->flags.append, offset, bytes);
    hashing.lock();
    // Bytes from here on are not what was hashed, whether all of them arrived or some.
    if (offset < open.hasher.size()) open.hasher = BlockHasher();
  }
  if (!staging) {
    hashing.unlock();
    return done(staging.status());
  }
  done(bytes.size());
  hash_written(open.hasher, (*staging)->get(), offset, bytes);
  hashing.unlock();
  if (state_->durable_at_close()) begin_write_back((*staging)->get(), offset, offset + bytes.size());
}

Result<size_t> Files::write(const std::shared_ptr<FileHandle>& handle, uint64_t offset,
                            std::string_view bytes) {
  Result<size_t> written = size_t{0};
  write(handle, offset, bytes, [&written](const Result<size_t>& result) { written = result; });
  return written;
}

Status Files::State::resize(OpenInode& open, uint64_t size) {
  uint64_t before = 0;
  {
    MutexLock lock(open.mutex);
    before = open.size;
  }
  std::shared_ptr<const UniqueFd> dropped;
  if (size == 0) {
    // An empty file has no content: what stood there stays until the commit lets it go.
    open.forget_hash();
    const Turn turn(open);
    const ContentNo content(open.content.load(std::memory_order_acquire));
    {
      MutexLock lock(open.mutex);
      dropped = std::move(open.staging);
      open.staging = nullptr;
      open.backing = nullptr;
      open.content.store(0, std::memory_order_release);
      open.size = 0;
    }
    if (content && dropped) {
      SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, deps.catalog.content(content));
      if (!record) SHOEBOX_TRY(deps.contents.remove(content));
    }
  } else if (size != before) {
    SHOEBOX_ASSIGN(const std::shared_ptr<const UniqueFd> staging, ensure_staging(open));
    if (::ftruncate(staging->get(), static_cast<off_t>(size)) != 0) {
      return Status::from_errno(errno, fmt::format("truncate inode {}", open.inode.value));
    }
    MutexLock hashing(open.hash_mutex);
    if (size < open.hasher.size()) open.hasher = BlockHasher();
  }
  const Timestamp now = deps.clock.now();
  MutexLock lock(open.mutex);
  open.size = size;
  open.mtime = open.ctime = now;
  open.mtime_given = false;
  ++open.epoch;
  return Status::ok();
}

Status Files::truncate(InodeNo inode, uint64_t size) {
  SHOEBOX_ASSIGN(const std::shared_ptr<OpenInode> open, state_->acquire(inode));
  Status done;
  {
    const WriteLock lock(*open);
    done = state_->resize(*open, size);
  }
  bool writers = false;
  {
    MutexLock lock(state_->mutex);
    writers = open->writers > 0;
  }
  // Somebody who writes will flush; truncate(2) by path has no close that could.
  if (done && !writers) done = state_->commit(*open, false);
  bool staged = false;
  {
    MutexLock lock(open->mutex);
    staged = open->staging != nullptr;
  }
  if (!writers && staged) {
    state_->post_finish(open, state_->seal_delay(inode));
  } else {
    state_->drop_ref(open);
  }
  return done;
}

Status Files::fallocate(const std::shared_ptr<FileHandle>& handle, int mode, uint64_t offset,
                        uint64_t bytes) {
  OpenInode& open = *handle->open;
  constexpr int kKnown = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
  if ((mode & ~kKnown) != 0) return Status(Code::kNotSupported, "fallocate: this mode is not supported");
  if (!handle->flags.write) return Status(Code::kAccess, "the file is not open for writing");
  if (bytes == 0) return Status(Code::kInvalid, "fallocate: no bytes");
  const WriteLock lock(open);
  SHOEBOX_ASSIGN(const std::shared_ptr<const UniqueFd> staging, state_->ensure_staging(open));
  const auto allocate = [&]() -> Status {
    if ((mode & FALLOC_FL_PUNCH_HOLE) == 0) SHOEBOX_TRY(state_->deps.contents.room_for(bytes));
    if (::fallocate(staging->get(), mode, static_cast<off_t>(offset), static_cast<off_t>(bytes)) == 0) {
      return Status::ok();
    }
    return Status::from_errno(errno, fmt::format("fallocate inode {}", open.inode.value));
  };
  Status done = allocate();
  if (!done && state_->make_room(done, bytes)) done = allocate();
  struct stat st {};
  if (::fstat(staging->get(), &st) != 0) return Status::from_errno(errno, "stat staging file");
  uint64_t size = 0;
  {
    MutexLock state(open.mutex);
    size = open.size;
  }
  if (!done) {
    if (static_cast<uint64_t>(st.st_size) > size &&
        ::ftruncate(staging->get(), static_cast<off_t>(size)) != 0) {
      return Status::from_errno(errno, "truncate staging file after a failed fallocate");
    }
    return done;
  }
  const bool zeroes = (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0;
  {
    MutexLock hashing(open.hash_mutex);
    if (zeroes && offset < open.hasher.size()) open.hasher = BlockHasher();
  }
  const Timestamp now = state_->deps.clock.now();
  MutexLock state(open.mutex);
  open.size = static_cast<uint64_t>(st.st_size);
  open.ctime = now;
  if (zeroes || open.size != size) {
    open.mtime = now;
    open.mtime_given = false;
  }
  ++open.epoch;
  return Status::ok();
}

}  // namespace shoebox
