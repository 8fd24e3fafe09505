// Where the files of a content stand, and small helpers on them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

// Folders of 1,024 files list fast everywhere.
constexpr uint64_t kFilesPerFolder = 1024;

}  // namespace

std::vector<ByteRange> kept_ranges(uint64_t size) {
  if (size == 0) return {};
  if (size <= kKeepWholeBytes) return {{0, size}};
  return {{0, kHeadBytes}, {(size - kTailBytes) / BlockSet::kPageBytes * BlockSet::kPageBytes, size}};
}

std::string ContentStore::State::staging(ContentNo content) const {
  return fmt::format("{}/staging/{}", root, content.value);
}
std::string ContentStore::State::object_folder(ContentNo content) const {
  return fmt::format("{}/objects/{:04x}", root, content.value / kFilesPerFolder);
}
std::string ContentStore::State::object(ContentNo content) const {
  return fmt::format("{}/{}", object_folder(content), content.value);
}
std::string ContentStore::State::partial(ContentNo content) const {
  return fmt::format("{}/partial/{}", root, content.value);
}
std::string ContentStore::State::blocks(ContentNo content) const { return partial(content) + ".blocks"; }
std::string ContentStore::State::partial_tmp(ContentNo content) const { return partial(content) + ".tmp"; }

Result<ContentRecord> ContentStore::State::record(ContentNo content) const {
  SHOEBOX_ASSIGN(std::optional<ContentRecord> found, catalog.content(content));
  if (!found) return Status(Code::kNotFound, fmt::format("content {}: not in the catalog", content.value));
  return *found;
}

Status ContentStore::State::make_object_folder(ContentNo content) const {
  const std::string folder = object_folder(content);
  if (::mkdir(folder.c_str(), 0700) == 0) return fsync_dir(root + "/objects");
  if (errno == EEXIST) return Status::ok();
  return Status::from_errno(errno, "mkdir " + folder);
}

Claim::Claim(ContentStore::State& state, ContentNo content) NO_THREAD_SAFETY_ANALYSIS : state_(state),
                                                                                        content_(content) {
  MutexLock lock(state_.claim_mutex);
  state_.claim_freed.wait(state_.claim_mutex, [this]() REQUIRES(state_.claim_mutex) {
    return !state_.claimed.contains(content_);
  });
  state_.claimed.insert(content_);
}

std::unique_ptr<Claim> Claim::unless_taken(ContentStore::State& state, ContentNo content) {
  MutexLock lock(state.claim_mutex);
  if (!state.claimed.insert(content).second) return nullptr;
  return std::unique_ptr<Claim>(new Claim(state, content, Taken()));
}

Claim::~Claim() {
  {
    MutexLock lock(state_.claim_mutex);
    state_.claimed.erase(content_);
  }
  state_.claim_freed.notify_all();
}

int64_t file_size(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? st.st_size : -1;
}

bool exists(const std::string& path) { return file_size(path) >= 0; }

Status copy_range(int from, int to, ByteRange range) {
  std::vector<char> buffer(std::min<uint64_t>(range.size(), 1 << 20));
  while (!range.empty()) {
    const size_t step = std::min<uint64_t>(range.size(), buffer.size());
    SHOEBOX_ASSIGN(const size_t got, pread_full(from, buffer.data(), step, range.begin));
    if (got == 0) return Status(Code::kDataLoss, "the file on disk is shorter than its record says");
    SHOEBOX_TRY(pwrite_full(to, buffer.data(), got, range.begin));
    range.begin += got;
  }
  return Status::ok();
}

std::vector<ByteRange> present_parts(const BlockSet& pages, ByteRange range) {
  std::vector<ByteRange> parts;
  uint64_t at = range.begin;
  for (const ByteRange& gap : pages.missing(range)) {
    if (gap.begin > at) parts.push_back({at, gap.begin});
    at = std::max(at, gap.end);
  }
  if (at < range.end) parts.push_back({at, range.end});
  return parts;
}

}  // namespace shoebox
