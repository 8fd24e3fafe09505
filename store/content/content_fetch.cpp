// Fetched blocks enter partial/ verified, and a partial content that has them all becomes an object.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/base/file_hash.h"
#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {

Status ContentStore::store_block(ContentNo content, uint64_t index, std::string_view bytes) {
  for (;;) {
    SHOEBOX_ASSIGN(const std::shared_ptr<Partial> partial, state_->open_partial(content));
    if (!partial) return Status::ok();  // complete since it was asked for
    uint64_t size = 0;
    {
      MutexLock lock(partial->mutex);
      size = partial->pages.size();
    }
    if (index >= block_count(size)) {
      return Status(Code::kInvalid, fmt::format("content {}: has no block {}", content.value, index));
    }
    const ByteRange range = block_range(index, size);
    if (bytes.size() != range.size() || (!partial->adopted && sha256(bytes) != partial->hashes[index])) {
      return Status(Code::kDataLoss,
                    fmt::format("content {}: block {} does not match its hash", content.value, index));
    }
    Status written = room_for(bytes.size());
    if (written) written = pwrite_full(partial->fd.get(), bytes.data(), bytes.size(), range.begin);
    if (!written) {
      return written.with_context(fmt::format("storing block {} of content {}", index, content.value));
    }
    kill_point("fetch-stored");
    MutexLock lock(partial->mutex);
    if (partial->retired) continue;  // moved on meanwhile: these bytes may be needed in its new place
    const uint64_t before = partial->pages.bytes();
    partial->pages.add(range);
    if (partial->elsewhere) return Status::ok();
    const uint64_t added = partial->pages.bytes() - before;
    partial->unsaved_bytes += added;
    state_->total_bytes += static_cast<int64_t>(added);
    state_->note_partial(content, size, before + added);
    return Status::ok();
  }
}

Status ContentStore::fill(ContentNo content, int from, const GoOn& go_on) {
  SHOEBOX_ASSIGN(const ContentRecord record, state_->record(content));
  SHOEBOX_ASSIGN(const std::vector<ByteRange> gaps, missing(content, {0, record.size}));
  std::string bytes;
  for (const ByteRange& gap : gaps) {
    for (uint64_t index = gap.begin / kBlockBytes; index * kBlockBytes < gap.end; ++index) {
      if (go_on) SHOEBOX_TRY(go_on(index));
      const ByteRange block = block_range(index, record.size);
      bytes.resize(block.size());
      SHOEBOX_ASSIGN(const size_t got, pread_full(from, bytes.data(), bytes.size(), block.begin));
      bytes.resize(got);  // too short is no match
      SHOEBOX_TRY(store_block(content, index, bytes));
    }
  }
  return settle_fetched(content);
}

Status ContentStore::settle_fetched(ContentNo content) {
  for (;;) {
    const Result<ContentRecord> record = state_->record(content);
    // What is still being written has no hashes yet.
    if (record && (record->state == ContentState::kStaging || record->residence == Residence::kLocal))
      return Status::ok();
    const Result<std::shared_ptr<Partial>> entry = state_->open_partial(content);
    if (!entry) return entry.code() == Code::kNotFound ? Status::ok() : entry.status();  // deleted meanwhile
    const std::shared_ptr<Partial>& partial = *entry;
    if (!partial || partial->elsewhere) return Status::ok();
    bool full = false;
    bool others_complete_it = false;
    {
      MutexLock lock(partial->mutex);
      if (partial->retired) return Status::ok();
      full = partial->pages.complete();
      if (!full && partial->unsaved_bytes < kSaveEveryBytes) return Status::ok();
      others_complete_it = partial->completing;
      partial->completing = full;
    }
    if (full && !others_complete_it) return state_->complete(partial);
    const Claim claim(*state_, content);
    if (!full) return state_->save(*partial);
  }
}

Result<bool> ContentStore::State::as_recorded(Partial& entry, const std::string& path) {
  SHOEBOX_ASSIGN(const ContentHash whole, sha256_of_file(entry.fd.get(), {}));
  if (whole == entry.sha256) return true;
  // Fetched blocks were verified on their way in, so the disk spoiled one since. It goes, and is
  // fetched again by the next read that wants it.
  SHOEBOX_ASSIGN(const ContentHashes hashes, hash_file(entry.fd.get()));
  MutexLock lock(entry.mutex);
  const uint64_t before = entry.pages.bytes();
  for (uint64_t index = 0; index < entry.hashes.size(); ++index) {
    const bool good = index < hashes.blocks.size() && hashes.blocks[index] == entry.hashes[index];
    if (!good) entry.pages.remove(block_range(index, entry.pages.size()));
  }
  const uint64_t dropped = before - entry.pages.bytes();
  total_bytes -= static_cast<int64_t>(dropped);
  entry.unsaved_bytes += dropped;
  log::warning("content {}: {} bytes in {} changed on this disk, they will be fetched again",
               entry.content.value, dropped, path);
  return false;
}

namespace {

// Whatever ends a completion, the next one that is due may begin.
class CompletingUntil {
 public:
  explicit CompletingUntil(Partial& entry) : entry_(entry) {}
  ~CompletingUntil() {
    MutexLock lock(entry_.mutex);
    entry_.completing = false;
  }
  CompletingUntil(const CompletingUntil&) = delete;
  CompletingUntil& operator=(const CompletingUntil&) = delete;

 private:
  Partial& entry_;
};

}  // namespace

Status ContentStore::State::complete(const std::shared_ptr<Partial>& entry) {
  const CompletingUntil done_or_failed(*entry);
  const Status done = complete_claimed(entry);
  // Erased meanwhile: the remover may have been there before the file moved.
  return entry->adopted && done.code() == Code::kNotFound ? remove_files(entry->content) : done;
}

Status ContentStore::State::complete_claimed(const std::shared_ptr<Partial>& entry) {
  const ContentNo content = entry->content;
  const Claim claim(*this, content);
  {
    MutexLock lock(entry->mutex);
    if (entry->retired) return Status::ok();
  }
  const std::string path = partial(content);
  ContentHashes learned;
  if (entry->adopted) {
    SHOEBOX_ASSIGN(learned, hash_file(entry->fd.get()));
  } else {
    SHOEBOX_ASSIGN(const bool good, as_recorded(*entry, path));
    if (!good) return Status::ok();
  }
  if (Status synced = fsync_fd(entry->fd.get(), path); !synced) return synced;
  kill_point("complete-synced");
  if (Status made = make_object_folder(content); !made) return made;
  {
    MutexLock loading(load_mutex);
    if (::rename(path.c_str(), object(content).c_str()) != 0) {
      return Status::from_errno(errno, fmt::format("rename {} to {}", path, object(content)));
    }
    retire(content);
  }
  note_partial(content, 0, 0);
  SHOEBOX_TRY(fsync_dir(object_folder(content)));
  ::unlink(blocks(content).c_str());
  kill_point("complete-placed");
  if (entry->adopted) {
    kill_point("adopt-hashed");
    return record_hashes(content, std::move(learned), Residence::kLocal);
  }
  const Status recorded = set_residence(content, Residence::kLocal);
  kill_point("complete-recorded");
  return recorded;
}

Status ContentStore::State::set_residence(ContentNo content, Residence residence) {
  uint64_t disk_bytes = 0;
  if (struct stat st{}; residence == Residence::kLocal && ::stat(object(content).c_str(), &st) == 0) {
    disk_bytes = static_cast<uint64_t>(st.st_blocks) * 512;
  }
  const std::unique_ptr<Transaction> transaction = catalog.begin();
  SHOEBOX_ASSIGN(std::optional<ContentRecord> now, transaction->content(content));
  if (!now) return Status(Code::kNotFound, fmt::format("content {}: not in the catalog", content.value));
  now->residence = residence;
  now->disk_bytes = disk_bytes;
  transaction->put_content(content, *now);
  return transaction->commit();
}

}  // namespace shoebox
