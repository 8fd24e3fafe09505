// An object becomes partial: the partial file is whole and durable before the catalog says so, and
// the object goes only after that is durable, too.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

// Copies the kept ranges, from blocks that still equal their hashes: rot must not outlive the object.
Result<BlockSet> copy_kept(int from, int to, uint64_t size, const std::vector<ContentHash>& hashes) {
  BlockSet kept(size);
  std::string buffer;
  for (const ByteRange& range : kept_ranges(size)) {
    for (uint64_t index = range.begin / kBlockBytes; index * kBlockBytes < range.end; ++index) {
      const ByteRange block = block_range(index, size);
      buffer.resize(block.size());
      SHOEBOX_ASSIGN(const size_t got, pread_full(from, buffer.data(), buffer.size(), block.begin));
      if (got != buffer.size() || sha256(buffer) != hashes[index]) continue;
      const ByteRange part{std::max(range.begin, block.begin), std::min(range.end, block.end)};
      SHOEBOX_TRY(pwrite_full(to, buffer.data() + (part.begin - block.begin), part.size(), part.begin));
      kept.add(part);
    }
  }
  return kept;
}

}  // namespace

Status ContentStore::evict(ContentNo content) { return evict(content, nullptr); }

Status ContentStore::evict(ContentNo content, const EvictionCheck& check) {
  const Claim claim(*state_, content);
  SHOEBOX_ASSIGN(const ContentRecord record, state_->record(content));
  if (record.state != ContentState::kSealed) {
    return Status(Code::kBusy, fmt::format("content {}: still being written", content.value));
  }
  if (record.residence == Residence::kPartial || record.size <= kKeepWholeBytes) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<ContentHash> hashes, state_->catalog.block_hashes(content));
  if (hashes.size() != block_count(record.size)) {
    return Status(Code::kBusy,
                  fmt::format("content {}: not evicted, its block hashes are incomplete; run shoebox fsck",
                              content.value));
  }
  // Cheap refusals first: the file work below is for those that will go.
  if (check) SHOEBOX_TRY(check(state_->catalog, record));

  SHOEBOX_ASSIGN(const UniqueFd object, open_file(state_->object(content), O_RDONLY));
  const std::string temporary = state_->partial_tmp(content);
  const auto withdraw = [&](Status why) {
    MutexLock loading(state_->load_mutex);
    state_->retire(content);
    ::unlink(temporary.c_str());
    ::unlink(state_->partial(content).c_str());
    ::unlink(state_->blocks(content).c_str());
    return why;
  };
  SHOEBOX_ASSIGN(const UniqueFd partial, open_file(temporary, O_RDWR | O_CREAT | O_TRUNC));
  if (::ftruncate(partial.get(), static_cast<off_t>(record.size)) != 0) {
    return withdraw(Status::from_errno(errno, "truncate " + temporary));
  }
  const Result<BlockSet> kept = copy_kept(object.get(), partial.get(), record.size, hashes);
  if (!kept) return withdraw(kept.status().with_context(fmt::format("evicting content {}", content.value)));
  if (Status synced = fsync_fd(partial.get(), temporary); !synced) return withdraw(synced);
  // The list first: whoever finds the partial file may read it.
  if (Status written = write_file_atomically(state_->blocks(content), kept->encode()); !written) {
    return withdraw(written);
  }
  if (::rename(temporary.c_str(), state_->partial(content).c_str()) != 0) {
    return withdraw(Status::from_errno(errno, "rename " + temporary));
  }
  if (Status synced = fsync_dir(state_->root + "/partial"); !synced) return withdraw(synced);
  if (Status done = state_->set_residence(content, Residence::kPartial, check); !done) return withdraw(done);
  // From here on the catalog decides: both files are whole, so whatever it says after a crash holds.
  SHOEBOX_TRY(state_->catalog.sync());
  if (::unlink(state_->object(content).c_str()) != 0) {
    return Status::from_errno(errno, "unlink " + state_->object(content));
  }
  state_->total_bytes -= static_cast<int64_t>(record.size - kept->bytes());
  return Status::ok();
}

}  // namespace shoebox
