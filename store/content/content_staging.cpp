// Bytes being written: staging/N, until seal() makes it an object.
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/base/kill_point.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

// Copies what is not a hole, so that sparse files stay sparse. `to` is empty.
Status copy_sparse(int from, int to) {
  struct stat st {};
  if (::fstat(from, &st) != 0) return Status::from_errno(errno, "stat");
  if (::ftruncate(to, st.st_size) != 0) return Status::from_errno(errno, "truncate");
  off_t position = 0;
  while (position < st.st_size) {
    off_t data = ::lseek(from, position, SEEK_DATA);
    if (data < 0) {
      if (errno == ENXIO) break;
      data = position;  // a disk that knows no holes
    }
    off_t hole = ::lseek(from, data, SEEK_HOLE);
    if (hole < 0) hole = st.st_size;
    SHOEBOX_TRY(copy_range(from, to, {static_cast<uint64_t>(data), static_cast<uint64_t>(hole)}));
    position = hole;
  }
  return Status::ok();
}

}  // namespace

Status ContentStore::room_for(uint64_t bytes) const {
  const uint64_t kept = state_->catalog.kept_free_bytes();
  if (kept == 0) return Status::ok();
  const auto space = disk_space(state_->root);
  if (!space || space->free_bytes >= kept + bytes) return Status::ok();
  return {Code::kNoSpace,
          fmt::format("disk of {} full: its last {} MiB are the catalog's", state_->root, kept >> 20)};
}

ContentNo ContentStore::new_staging_no() {
  {
    MutexLock lock(state_->durable_mutex);
    if (!state_->ahead.empty()) {
      const ContentNo content = state_->ahead.front();
      state_->ahead.pop_front();
      state_->ahead_given.insert(content);
      return content;
    }
  }
  return state_->catalog.begin()->new_content_no();
}

Result<UniqueFd> ContentStore::create_staging(ContentNo content) {
  bool made = false;
  {
    MutexLock lock(state_->durable_mutex);
    made = state_->ahead_given.erase(content) > 0;
    if (made) state_->durable_names.insert(content);
  }
  return open_file(state_->staging(content), O_RDWR | (made ? 0 : O_CREAT | O_EXCL));
}

Result<UniqueFd> ContentStore::open_staging(ContentNo content, int flags) {
  return open_file(state_->staging(content), flags);
}

Result<UniqueFd> ContentStore::clone_to_staging(ContentNo from, ContentNo to) {
  Result<UniqueFd> source = open_local(from);
  if (!source && source.code() == Code::kNotFound) {
    source = open_partial(from);
    if (!source) return source.status();
    SHOEBOX_ASSIGN(const ContentRecord record, state_->record(from));
    SHOEBOX_ASSIGN(const std::vector<ByteRange> gaps, missing(from, {0, record.size}));
    if (!gaps.empty()) {
      return Status(Code::kUnavailable,
                    fmt::format("content {}: not all on this disk, fetch it before writing", from.value));
    }
  }
  if (!source) return source.status();
  SHOEBOX_ASSIGN(UniqueFd target, create_staging(to));
  if (::ioctl(target.get(), FICLONE, source->get()) == 0) return target;
  if (const Status copied = copy_sparse(source->get(), target.get()); !copied) {
    ::unlink(state_->staging(to).c_str());
    return copied.with_context(fmt::format("copying content {} to {}", from.value, to.value));
  }
  return target;
}

Status ContentStore::sync_staging(ContentNo content, int fd) {
  SHOEBOX_TRY(fdatasync_fd(fd, state_->staging(content)));
  kill_point("staging-synced");
  {
    MutexLock lock(state_->durable_mutex);
    if (state_->durable_names.contains(content)) return Status::ok();
  }
  const std::vector<ContentNo> ahead = state_->make_names_ahead();
  SHOEBOX_TRY(fsync_dir(state_->root + "/staging"));
  MutexLock lock(state_->durable_mutex);
  state_->durable_names.insert(content);
  state_->ahead.insert(state_->ahead.end(), ahead.begin(), ahead.end());
  return Status::ok();
}

std::vector<ContentNo> ContentStore::State::make_names_ahead() {
  std::vector<ContentNo> numbers(kNamesAhead);
  {
    // Several that came at once need no more than one lot.
    MutexLock lock(durable_mutex);
    if (!ahead.empty()) return {};
  }
  {
    const std::unique_ptr<Transaction> transaction = catalog.begin();
    for (ContentNo& number : numbers) number = transaction->new_content_no();
  }
  std::vector<ContentNo> made;
  for (const ContentNo number : numbers) {
    if (!open_file(staging(number), O_RDWR | O_CREAT | O_EXCL)) break;  // a full disk, most likely
    made.push_back(number);
  }
  return made;
}

void ContentStore::State::remove_names_ahead() {
  MutexLock lock(durable_mutex);
  for (const ContentNo number : ahead) ::unlink(staging(number).c_str());
  for (const ContentNo number : ahead_given) ::unlink(staging(number).c_str());
  ahead.clear();
  ahead_given.clear();
}

Status ContentStore::seal(ContentNo content, bool synced) {
  const Claim claim(*state_, content);
  const std::string staging = state_->staging(content);
  Result<UniqueFd> fd = open_file(staging, O_RDONLY);
  if (!fd) {
    if (fd.code() == Code::kNotFound && exists(state_->object(content))) return Status::ok();
    return fd.status();
  }
  if (!synced) SHOEBOX_TRY(fdatasync_fd(fd->get(), staging));
  SHOEBOX_TRY(state_->make_object_folder(content));
  struct stat st {};
  if (::fstat(fd->get(), &st) != 0) return Status::from_errno(errno, "stat " + staging);
  if (::rename(staging.c_str(), state_->object(content).c_str()) != 0) {
    return Status::from_errno(errno, fmt::format("rename {} to {}", staging, state_->object(content)));
  }
  // Neither folder is synced: rename is atomic, and recover() takes the file from where it stands.
  state_->total_bytes += st.st_size;
  MutexLock lock(state_->durable_mutex);
  state_->durable_names.erase(content);
  return Status::ok();
}

}  // namespace shoebox
