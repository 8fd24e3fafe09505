// Reads what is here again and drops blocks that the disk spoiled, when a remote can give them anew.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

// Blocks that `pages` holds whole and that differ from their hash; the good ones stay in `pages`.
Result<uint64_t> drop_rotten(int fd, const std::vector<ContentHash>& hashes, BlockSet& pages,
                             const ContentStore::GoOn& go_on) {
  uint64_t rotten = 0;
  std::string buffer;
  for (uint64_t index = 0; index < hashes.size(); ++index) {
    const ByteRange range = block_range(index, pages.size());
    if (!pages.contains(range)) continue;
    if (go_on) SHOEBOX_TRY(go_on(index));
    buffer.resize(range.size());
    const Result<size_t> got = pread_full(fd, buffer.data(), buffer.size(), range.begin);
    // A sector that cannot be read is as lost as one that reads wrong.
    if (got && *got == buffer.size() && sha256(buffer) == hashes[index]) continue;
    pages.remove(range);
    ++rotten;
  }
  return rotten;
}

// The kernel may hold pages of what the disk spoiled.
Status forget_pages(Catalog& catalog, ContentNo content) {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, catalog.inodes_of_content(content));
  const std::unique_ptr<Transaction> txn = catalog.begin();
  for (const InodeNo inode : inodes) txn->data_changed(inode);
  return txn->commit();
}

}  // namespace

Result<uint64_t> ContentStore::discard_rotten(ContentNo content, bool fill_follows, const GoOn& go_on) {
  const Claim claim(*state_, content);
  SHOEBOX_ASSIGN(const ContentRecord record, state_->record(content));
  if (record.state != ContentState::kSealed) return uint64_t{0};
  SHOEBOX_ASSIGN(const std::vector<ContentHash> hashes, state_->catalog.block_hashes(content));
  if (hashes.size() != block_count(record.size)) {
    return Status(Code::kDataLoss, fmt::format("content {}: {} block hashes recorded, {} needed",
                                               content.value, hashes.size(), block_count(record.size)));
  }
  SHOEBOX_ASSIGN(const auto copies, state_->catalog.copies(content));

  if (record.residence == Residence::kPartial) {
    SHOEBOX_ASSIGN(const std::shared_ptr<Partial> partial, state_->open_partial_claimed(content));
    if (!partial) return uint64_t{0};
    BlockSet pages;
    {
      MutexLock lock(partial->mutex);
      pages = partial->pages;
    }
    BlockSet good = pages;
    SHOEBOX_ASSIGN(const uint64_t rotten, drop_rotten(partial->fd.get(), hashes, good, go_on));
    if (rotten == 0) return uint64_t{0};
    {
      // Only what was found rotten goes: other blocks may have arrived meanwhile.
      MutexLock lock(partial->mutex);
      const uint64_t before = partial->pages.bytes();
      for (uint64_t index = 0; index < hashes.size(); ++index) {
        const ByteRange range = block_range(index, record.size);
        if (pages.contains(range) && !good.contains(range)) partial->pages.remove(range);
      }
      const uint64_t dropped = before - partial->pages.bytes();
      partial->unsaved_bytes += dropped;
      state_->total_bytes -= static_cast<int64_t>(dropped);
    }
    SHOEBOX_TRY(state_->save(*partial));
    SHOEBOX_TRY(forget_pages(state_->catalog, content));
    log::warning("content {}: {} blocks changed on this disk, they will be fetched again", content.value,
                 rotten);
    return rotten;
  }

  const std::string path = state_->object(content);
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(path, O_RDWR));
  BlockSet good(record.size);
  good.add({0, record.size});
  SHOEBOX_ASSIGN(const uint64_t rotten, drop_rotten(fd.get(), hashes, good, go_on));
  if (rotten == 0) return uint64_t{0};
  if (copies.empty() && !fill_follows) {
    log::error(
        "content {}: {} of {} blocks in {} changed on this disk and no remote has a copy; kept as it is",
        content.value, rotten, hashes.size(), path);
    return rotten;
  }
  SHOEBOX_TRY(write_file_atomically(state_->blocks(content), good.encode()));
  kill_point("rot-listed");
  {
    MutexLock loading(state_->load_mutex);
    if (::rename(path.c_str(), state_->partial(content).c_str()) != 0) {
      return Status::from_errno(errno, fmt::format("rename {} to {}", path, state_->partial(content)));
    }
  }
  // A file cut short by the disk gets its length back, now that it is no object any more; the missing part is
  // not in `good`.
  if (::ftruncate(fd.get(), static_cast<off_t>(record.size)) != 0) {
    return Status::from_errno(errno, "lengthen " + state_->partial(content));
  }
  SHOEBOX_TRY(fsync_dir(state_->root + "/partial"));
  kill_point("rot-placed");
  SHOEBOX_TRY(state_->set_residence(content, Residence::kPartial));
  SHOEBOX_TRY(state_->catalog.sync());
  kill_point("rot-recorded");
  state_->total_bytes -= static_cast<int64_t>(record.size - good.bytes());
  state_->note_partial(content, record.size, good.bytes());
  state_->generation.fetch_add(1, std::memory_order_release);
  SHOEBOX_TRY(forget_pages(state_->catalog, content));
  log::warning("content {}: {} of {} blocks changed on this disk, they {}", content.value, rotten,
               hashes.size(), fill_follows ? "are replaced" : "will be fetched from " + copies.front().first);
  return rotten;
}

}  // namespace shoebox
