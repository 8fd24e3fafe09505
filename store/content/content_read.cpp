// Which bytes are here, and descriptors to read them from.
//
// A reader that follows "open first, ask missing() then" is exact whatever moves meanwhile: the
// file it has open never loses bytes that a later missing() calls present.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {

Result<UniqueFd> ContentStore::open_local(ContentNo content) const {
  Result<UniqueFd> fd = open_file(state_->object(content), O_RDONLY);
  if (fd || fd.code() != Code::kNotFound) return fd;
  fd = open_file(state_->staging(content), O_RDONLY);
  if (fd || fd.code() != Code::kNotFound) return fd;
  // Sealed between the two looks?
  return open_file(state_->object(content), O_RDONLY);
}

Result<UniqueFd> ContentStore::open_partial(ContentNo content) const {
  SHOEBOX_ASSIGN(const std::shared_ptr<Partial> partial, state_->open_partial(content));
  if (!partial) return open_local(content);
  const int copy = ::fcntl(partial->fd.get(), F_DUPFD_CLOEXEC, 0);
  if (copy < 0) return Status::from_errno(errno, "dup " + state_->partial(content));
  return UniqueFd(copy);
}

Result<std::vector<ByteRange>> ContentStore::missing(ContentNo content, ByteRange range) const {
  std::shared_ptr<Partial> partial = state_->find_partial(content);
  if (!partial) {
    SHOEBOX_ASSIGN(const ContentRecord record, state_->record(content));
    if (record.state == ContentState::kStaging) return std::vector<ByteRange>{};
    if (record.residence == Residence::kLocal && exists(state_->object(content))) {
      return std::vector<ByteRange>{};
    }
    SHOEBOX_ASSIGN(partial, state_->open_partial(content));
    if (!partial) return std::vector<ByteRange>{};
  }
  MutexLock lock(partial->mutex);
  return partial->pages.missing_blocks(range);
}

Result<uint64_t> ContentStore::local_bytes(ContentNo content) const {
  if (const std::shared_ptr<Partial> partial = state_->find_partial(content)) {
    MutexLock lock(partial->mutex);
    return partial->pages.bytes();
  }
  SHOEBOX_ASSIGN(const ContentRecord record, state_->record(content));
  if (record.residence == Residence::kLocal) return record.size;
  struct stat st {};
  if (::stat(state_->partial(content).c_str(), &st) != 0) return uint64_t{0};
  return static_cast<uint64_t>(st.st_blocks) * 512;
}

uint64_t ContentStore::fetched_bytes(ContentNo content) const {
  MutexLock lock(state_->fetched_mutex);
  const auto found = state_->fetched.find(content);
  return found == state_->fetched.end() ? 0 : found->second;
}

void ContentStore::State::note_partial(ContentNo content, uint64_t size, uint64_t present) {
  uint64_t kept = 0;
  for (const ByteRange& range : kept_ranges(size)) kept += range.size();
  MutexLock lock(fetched_mutex);
  if (present > kept) {
    fetched[content] = present - kept;
  } else {
    fetched.erase(content);
  }
}

uint64_t ContentStore::disk_bytes(ContentNo content, const std::optional<ContentRecord>& record) const {
  // From its record: a listing asks for thousands, and looking at a cold disk for each takes long.
  const bool whole =
      record && record->state == ContentState::kSealed && record->residence == Residence::kLocal;
  if (whole && record->disk_bytes > 0) return record->disk_bytes;
  struct stat st {};
  for (const std::string& path :
       {state_->object(content), state_->partial(content), state_->staging(content)}) {
    if (::stat(path.c_str(), &st) == 0) return static_cast<uint64_t>(st.st_blocks) * 512;
  }
  return 0;
}

}  // namespace shoebox
