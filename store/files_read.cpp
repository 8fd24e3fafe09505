// read: from staging, from an object, or from a partial file once what is missing was fetched.
//
// Exact or an error: a descriptor is opened before ContentStore::missing() is asked, and whenever the
// content moved between the two (evicted, completed, taken over by a twin) it is looked at anew.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/catalog/catalog.h"
#include "store/content/content_source.h"
#include "store/files_state.h"

namespace shoebox {
namespace {

// Moves that one read may see, each a whole eviction or completion; more means something is wrong.
constexpr int kMaxMoves = 16;
// Fetches of one read: the second is for bytes that the evictor took in between.
constexpr int kMaxFetches = 4;

}  // namespace

struct Files::State::Read {
  std::shared_ptr<OpenInode> open;
  uint64_t offset;
  size_t bytes;
  CancelToken cancel;
  std::function<void(const Result<ReadReply>&)> done;
  int moves = 0;
  int fetches = 0;
};

Result<bool> Files::State::is_cut_short(int fd, ContentNo content, uint64_t size) const {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return Status::from_errno(errno, fmt::format("stat content {}", content.value));
  if (static_cast<uint64_t>(st.st_size) >= size) return false;
  // Bytes that are being written have other sizes than their file for a moment.
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, deps.catalog.content(content));
  return record && record->state == ContentState::kSealed && static_cast<uint64_t>(st.st_size) < record->size;
}

Result<std::shared_ptr<const Backing>> Files::State::open_backing(OpenInode& open) {
  std::shared_ptr<const Backing> former;
  ContentNo content;
  uint64_t size = 0;
  {
    MutexLock lock(open.mutex);
    former = open.backing;
    size = open.size;
    content = ContentNo(open.content.load(std::memory_order_acquire));
  }
  const uint64_t generation = deps.contents.generation();
  const bool current = former && former->content == content && former->generation == generation;
  if (current && former->complete) return former;
  auto fresh = std::make_shared<Backing>();
  fresh->content = content;
  fresh->generation = generation;
  Result<UniqueFd> fd = deps.contents.open_local(content);
  if (fd) {
    SHOEBOX_ASSIGN(fresh->cut_short, is_cut_short(fd->get(), content, size));
    if (fresh->cut_short) {
      // With a remote that has a copy it is one of which something is missing, from now on.
      const Result<uint64_t> dropped = deps.contents.discard_rotten(content);
      if (!dropped) return dropped.status();
      fd = deps.contents.open_local(content);
      fresh->cut_short = fd.is_ok();
      fresh->generation = deps.contents.generation();
    }
  }
  fresh->complete = fd.is_ok();
  if (!fd && fd.code() == Code::kNotFound) {
    if (current) return former;  // still partial
    fd = deps.contents.open_partial(content);
  }
  if (!fd) return fd.status();
  fresh->fd = std::move(*fd);
  MutexLock lock(open.mutex);
  if (open.content.load(std::memory_order_acquire) == content.value && !open.staging) open.backing = fresh;
  return std::shared_ptr<const Backing>(std::move(fresh));
}

void Files::read(const std::shared_ptr<FileHandle>& handle, uint64_t offset, size_t bytes, CancelToken cancel,
                 std::function<void(const Result<ReadReply>&)> done) {
  state_->read_step(std::make_shared<State::Read>(
      State::Read{handle->open, offset, bytes, std::move(cancel), std::move(done)}));
}

void Files::State::read_step(const std::shared_ptr<Read>& read) {
  OpenInode& open = *read->open;
  for (;; ++read->moves) {
    if (read->moves > kMaxMoves) {
      return read->done(Status(Code::kIo, fmt::format("inode {}: its bytes keep moving", open.inode.value)));
    }
    std::shared_ptr<const UniqueFd> staging;
    size_t bytes = 0;
    ContentNo content;
    {
      MutexLock lock(open.mutex);
      if (read->offset < open.size) bytes = std::min<uint64_t>(read->bytes, open.size - read->offset);
      staging = open.staging;
      content = ContentNo(open.content.load(std::memory_order_acquire));
    }
    if (bytes == 0) return read->done(ReadReply{});
    if (staging) return read->done(ReadReply{staging->get(), read->offset, bytes, {}});
    if (!content) continue;  // emptied between: the size will say so

    const auto backing = open_backing(open);
    if (!backing) {
      if (backing.code() != Code::kNotFound) return read->done(backing.status());
      // A twin's content may have taken over: the record tells.
      const auto record = deps.catalog.inode(open.inode);
      if (!record) return read->done(record.status());
      MutexLock lock(open.mutex);
      if (*record && open.content.load(std::memory_order_acquire) == content.value && !open.staging) {
        if ((*record)->content == content && read->moves >= 2) read->moves = kMaxMoves;
        open.content.store((*record)->content.value, std::memory_order_release);
      }
      continue;
    }
    const ReadReply reply{(*backing)->fd.get(), read->offset, bytes, {}};
    if ((*backing)->cut_short) {
      struct stat st {};
      if (::fstat(reply.fd, &st) != 0 || static_cast<uint64_t>(st.st_size) < read->offset + bytes) {
        return read->done(
            Status(Code::kDataLoss, fmt::format("content {}: its file on this disk was cut short, and no "
                                                "remote has a copy; run shoebox fsck",
                                                content.value)));
      }
    }
    if ((*backing)->complete) return read->done(reply);

    const auto gaps = deps.contents.missing((*backing)->content, {read->offset, read->offset + bytes});
    if (!gaps) {
      if (gaps.code() == Code::kNotFound) continue;
      return read->done(gaps.status());
    }
    if (gaps->empty()) {
      // Unless the partial file was replaced, and what is there now was fetched into the new one.
      if ((*backing)->generation == deps.contents.generation()) {
        // What this read waited for itself is told already.
        if (source != nullptr && read->fetches == 0)
          source->found((*backing)->content, {read->offset, read->offset + bytes});
        return read->done(reply);
      }
      --read->moves;  // many may be replaced one after the other, none of which says anything of this one
      continue;
    }
    if (source == nullptr) {
      return read->done(
          Status(Code::kUnavailable, fmt::format("content {}: not on this disk and no remote is set "
                                                 "up to fetch it from",
                                                 content.value)));
    }
    if (++read->fetches > kMaxFetches) {
      return read->done(
          Status(Code::kIo, fmt::format("content {}: bytes were fetched but did not stay on this "
                                        "disk",
                                        content.value)));
    }
    {
      // The file that the blocks go into may be a new one.
      MutexLock lock(open.mutex);
      if (open.backing == *backing) open.backing = nullptr;
    }
    ++fetches;
    return source->fetch((*backing)->content, {gaps->front().begin, gaps->back().end}, read->cancel,
                         [this, read](const Status& fetched) {
                           // Gone: adopted bytes that turned out to be known ones, or deleted.
                           if (!fetched && fetched.code() != Code::kNotFound) return read->done(fetched);
                           read_step(read);
                         });
  }
}

void Files::note_passed_through() { ++state_->passed; }

bool Files::complete_local(const FileHandle& handle) const { return local_fd(handle) >= 0; }

int Files::local_fd(const FileHandle& handle) const {
  OpenInode& open = *handle.open;
  {
    MutexLock lock(open.mutex);
    if (open.staging) return open.staging->get();
    if (open.content.load(std::memory_order_acquire) == 0) return -1;
  }
  const auto backing = state_->open_backing(open);
  return backing && (*backing)->complete && !(*backing)->cut_short ? (*backing)->fd.get() : -1;
}

Result<uint64_t> Files::seek(const std::shared_ptr<FileHandle>& handle, uint64_t offset, int whence) {
  OpenInode& open = *handle->open;
  std::shared_ptr<const UniqueFd> staging;
  uint64_t size = 0;
  bool empty = false;
  {
    MutexLock lock(open.mutex);
    staging = open.staging;
    size = open.size;
    empty = open.content.load(std::memory_order_acquire) == 0;
  }
  if (whence != SEEK_DATA && whence != SEEK_HOLE)
    return Status(Code::kInvalid, "only SEEK_DATA and SEEK_HOLE");
  if (offset >= size) {
    return Status(Code::kNoSuchAddress, fmt::format("inode {}: nothing beyond {}", open.inode.value, size));
  }
  std::shared_ptr<const Backing> backing;
  int fd = staging ? staging->get() : -1;
  if (!staging && !empty) {
    SHOEBOX_ASSIGN(backing, state_->open_backing(open));
    if (backing->complete) fd = backing->fd.get();
  }
  // What is not here counts as data: a hole in partial/ is none of the file.
  if (fd < 0) return whence == SEEK_DATA ? offset : size;
  const off_t found = ::lseek(fd, static_cast<off_t>(offset), whence);
  if (found < 0) return Status::from_errno(errno, "seek");
  return static_cast<uint64_t>(found);
}

}  // namespace shoebox
