// The partial contents in use: opened on the first question about them, forgotten when they
// became objects, were removed, or too many are open.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

// A file of its own without a name, with the parts of `from` that `pages` holds: where the library's disk
// takes no writes, what is fetched has to stay somewhere while it is read.
Result<UniqueFd> copy_elsewhere(int from, const BlockSet& pages) {
  UniqueFd to(::open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!to) to = UniqueFd(::memfd_create("shoebox-fetched", MFD_CLOEXEC));
  if (!to || ::ftruncate(to.get(), static_cast<off_t>(pages.size())) != 0)
    return Status::from_errno(errno, "make a file in /var/tmp for what is fetched");
  for (const ByteRange& part : present_parts(pages, {0, pages.size()})) {
    SHOEBOX_TRY(copy_range(from, to.get(), part));
  }
  return to;
}

}  // namespace

std::shared_ptr<Partial> ContentStore::State::find_partial(ContentNo content) {
  MutexLock lock(table_mutex);
  const auto found = table.find(content);
  return found == table.end() ? nullptr : found->second;
}

// None of adopted bytes.
Result<std::vector<ContentHash>> ContentStore::State::recorded_blocks(ContentNo content,
                                                                      const ContentRecord& of) const {
  if (of.state == ContentState::kAdopted) return std::vector<ContentHash>();
  SHOEBOX_ASSIGN(std::vector<ContentHash> hashes, catalog.block_hashes(content));
  if (hashes.size() == block_count(of.size)) return hashes;
  return Status(Code::kDataLoss,
                fmt::format("content {}: {} block hashes recorded, {} needed; run shoebox fsck",
                            content.value, hashes.size(), block_count(of.size)));
}

// An object that the disk cut short, of a content that is not whole by its record: fsck found it. What it
// holds is looked at as what a partial file holds whose list is lost.
Status ContentStore::State::take_cut_object(ContentNo content, const ContentRecord& record) const {
  if (record.residence != Residence::kPartial || record.state != ContentState::kSealed) return Status::ok();
  const int64_t size = file_size(object(content));
  if (size < 0 || static_cast<uint64_t>(size) >= record.size || exists(partial(content))) return Status::ok();
  ::unlink(blocks(content).c_str());
  // Lengthened where it is no object any more: a crash in between must not leave one with holes.
  if (::rename(object(content).c_str(), partial(content).c_str()) != 0)
    return Status::from_errno(errno, fmt::format("rename {} to {}", object(content), partial(content)));
  if (::truncate(partial(content).c_str(), static_cast<off_t>(record.size)) != 0)
    return Status::from_errno(errno, "lengthen " + partial(content));
  return Status::ok();
}

Result<std::shared_ptr<Partial>> ContentStore::State::open_partial(ContentNo content) {
  Result<std::shared_ptr<Partial>> opened = try_open_partial(content, /*wait=*/true);
  // The next look sees the record that took its place.
  while (!opened && opened.code() == Code::kBusy) opened = try_open_partial(content, true);
  return opened;
}

Result<std::shared_ptr<Partial>> ContentStore::State::open_partial_claimed(ContentNo content) {
  for (;;) {
    {
      MutexLock loading(load_mutex);
      if (replacing.contains(content)) {
        return Status(Code::kBusy, fmt::format("content {}: its bytes are being replaced", content.value));
      }
    }
    Result<std::shared_ptr<Partial>> opened = try_open_partial(content, /*wait=*/false);
    if (opened || opened.code() != Code::kBusy) return opened;
  }
}

Result<std::shared_ptr<Partial>> ContentStore::State::try_open_partial(ContentNo content, bool wait) {
  if (std::shared_ptr<Partial> found = find_partial(content)) return found;
  SHOEBOX_ASSIGN(ContentRecord record_now, record(content));
  SHOEBOX_ASSIGN(std::vector<ContentHash> hashes, recorded_blocks(content, record_now));
  const bool adopted = record_now.state == ContentState::kAdopted;
  std::shared_ptr<Partial> loaded;
  {
    // Whoever turns the partial file into an object renames it under this lock: it is either still
    // here, or the object is there and no entry is made for a file that moved on.
    MutexLock loading(load_mutex);
    if (wait) wait_replaced(content);
    if (replacing.contains(content)) return Status(Code::kBusy, "its bytes are being replaced");
    if (std::shared_ptr<Partial> found = find_partial(content)) return found;
    SHOEBOX_ASSIGN(const ContentRecord again, record(content));
    if (again.sha256 != record_now.sha256 || again.size != record_now.size || again.state != record_now.state)
      return Status(Code::kBusy, fmt::format("content {}: its bytes were replaced meanwhile", content.value));
    SHOEBOX_TRY(take_cut_object(content, record_now));
    Result<UniqueFd> fd = open_file(partial(content), O_RDWR);
    const bool fresh = !fd && fd.code() == Code::kNotFound;
    if (fresh) {
      if (exists(object(content))) return std::shared_ptr<Partial>();
      ::unlink(blocks(content).c_str());  // of a file that is gone
      fd = open_file(partial(content), O_RDWR | O_CREAT);
      if (fd && ::ftruncate(fd->get(), static_cast<off_t>(record_now.size)) != 0) {
        return Status::from_errno(errno, "truncate " + partial(content));
      }
    }
    const bool elsewhere = !fd && fd.code() == Code::kReadOnly;
    if (elsewhere && !fresh) fd = open_file(partial(content), O_RDONLY);
    if (!fd && !elsewhere) return fd.status();
    BlockSet pages(record_now.size);
    if (!fresh && fd) {
      Result<std::string> file = read_file(blocks(content));
      Result<BlockSet> read =
          file ? BlockSet::decode(*file, record_now.size) : Result<BlockSet>(file.status());
      if (!read && adopted) {
        log::warning("{}: {}; its bytes will be fetched again", blocks(content), read.status().message());
        read = BlockSet(record_now.size);
      } else if (!read) {
        log::warning("{}: {}; checking each block again", blocks(content), read.status().message());
        read = verified_blocks(fd->get(), record_now.size, hashes);
      }
      if (!read) return read.status();
      pages = std::move(*read);
    }
    if (elsewhere) {
      fd = copy_elsewhere(fd ? fd->get() : -1, pages);
      if (!fd) return fd.status();
    }
    loaded = std::make_shared<Partial>(content, std::move(*fd), std::move(pages), std::move(hashes),
                                       record_now, elsewhere);
    MutexLock lock(table_mutex);
    table.emplace(content, loaded);
  }
  prune();
  return loaded;
}

void ContentStore::State::retire(ContentNo content) {
  std::shared_ptr<Partial> entry;
  {
    MutexLock lock(table_mutex);
    const auto found = table.find(content);
    if (found == table.end()) return;
    entry = std::move(found->second);
    table.erase(found);
  }
  MutexLock lock(entry->mutex);
  entry->retired = true;
}

Status ContentStore::State::save(Partial& partial_content) {
  std::string file;
  uint64_t saved = 0;
  {
    MutexLock lock(partial_content.mutex);
    if (partial_content.retired || partial_content.unsaved_bytes == 0) return Status::ok();
    saved = partial_content.unsaved_bytes;
    file = partial_content.pages.encode();
  }
  const std::string path = blocks(partial_content.content);
  SHOEBOX_TRY(fdatasync_fd(partial_content.fd.get(), partial(partial_content.content)));
  kill_point("fetch-synced");
  SHOEBOX_TRY(write_file_atomically(path, file));
  MutexLock lock(partial_content.mutex);
  partial_content.unsaved_bytes -= std::min(saved, partial_content.unsaved_bytes);
  return Status::ok();
}

Result<BlockSet> ContentStore::State::verified_blocks(int fd, uint64_t size,
                                                      const std::vector<ContentHash>& hashes) {
  BlockSet good(size);
  std::string buffer;
  for (uint64_t index = 0; index < hashes.size(); ++index) {
    const ByteRange range = block_range(index, size);
    buffer.resize(range.size());
    SHOEBOX_ASSIGN(const size_t got, pread_full(fd, buffer.data(), buffer.size(), range.begin));
    if (got == buffer.size() && sha256(buffer) == hashes[index]) good.add(range);
  }
  return good;
}

void ContentStore::State::prune() {
  std::vector<ContentNo> idle;
  {
    MutexLock lock(table_mutex);
    if (table.size() <= kMaxOpenPartials) return;
    for (const auto& [content, entry] : table) {
      if (entry.use_count() == 1) idle.push_back(content);
    }
  }
  for (const ContentNo content : idle) {
    const Claim claim(*this, content);
    const std::shared_ptr<Partial> entry = find_partial(content);
    if (!entry || !save(*entry)) continue;
    MutexLock loading(load_mutex);
    MutexLock lock(table_mutex);
    const auto found = table.find(content);
    if (found == table.end() || found->second.use_count() != 2) continue;  // the table's and `entry`
    MutexLock pages(entry->mutex);
    if (entry->unsaved_bytes == 0) table.erase(found);
  }
}

Status ContentStore::flush_partials() {
  std::vector<std::shared_ptr<Partial>> entries;
  {
    MutexLock lock(state_->table_mutex);
    for (const auto& [content, entry] : state_->table) entries.push_back(entry);
  }
  Status first;
  for (const std::shared_ptr<Partial>& entry : entries) {
    {
      MutexLock lock(entry->mutex);
      if (entry->retired || entry->unsaved_bytes == 0) continue;
    }
    const Claim claim(*state_, entry->content);
    const Status saved = state_->save(*entry);
    if (!saved && first) first = saved;
  }
  return first;
}

}  // namespace shoebox
