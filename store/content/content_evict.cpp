// An object becomes partial: the partial file is whole and durable before the catalog says so, and
// the object goes only after that is durable, too. A partial content loses what was fetched since.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>

#include "store/base/kill_point.h"
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

Status ContentStore::State::keep_reserve() const {
  const std::string path = root + "/" + kReserveFile;
  if (file_size(path) >= static_cast<int64_t>(kReserveBytes)) return Status::ok();
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(path, O_RDWR | O_CREAT));
  if (::posix_fallocate(fd.get(), 0, static_cast<off_t>(kReserveBytes)) != 0) {
    ::unlink(path.c_str());
    return Status(Code::kNoSpace, "no room for " + path);
  }
  return Status::ok();
}

// Into a file of its own: whoever has the former one open may have been told that a page is there, and then
// it must stay there.
Status ContentStore::State::trim(ContentNo content, const ContentRecord& now, const EvictionCheck& check) {
  {
    MutexLock lock(fetched_mutex);
    if (!fetched.contains(content)) return Status::ok();
  }
  if (check) SHOEBOX_TRY(check(catalog, now));
  SHOEBOX_ASSIGN(const std::shared_ptr<Partial> entry, open_partial_claimed(content));
  if (!entry) return Status::ok();  // became an object
  BlockSet pages;
  {
    MutexLock lock(entry->mutex);
    if (entry->completing)
      return Status(Code::kBusy, fmt::format("content {}: just completed", content.value));
    pages = entry->pages;
  }
  const std::string temporary = partial_tmp(content);
  const auto withdraw = [&](const Status& why) {
    ::unlink(temporary.c_str());
    return why.with_context(fmt::format("evicting content {}", content.value));
  };
  SHOEBOX_ASSIGN(const UniqueFd target, open_file(temporary, O_RDWR | O_CREAT | O_TRUNC));
  if (::ftruncate(target.get(), static_cast<off_t>(now.size)) != 0) {
    return withdraw(Status::from_errno(errno, "truncate " + temporary));
  }
  BlockSet kept(now.size);
  for (const ByteRange& range : kept_ranges(now.size)) {
    for (const ByteRange& part : present_parts(pages, range)) {
      if (Status copied = copy_range(entry->fd.get(), target.get(), part); !copied) return withdraw(copied);
      kept.add(part);
    }
  }
  if (Status synced = fsync_fd(target.get(), temporary); !synced) return withdraw(synced);
  // The list first: a crash in between costs fetching again, the other way round it would show holes.
  if (Status written = write_file_atomically(blocks(content), kept.encode()); !written)
    return withdraw(written);
  kill_point("trim-listed");
  uint64_t dropped = 0;
  {
    MutexLock loading(load_mutex);
    if (::rename(temporary.c_str(), partial(content).c_str()) != 0) {
      return withdraw(Status::from_errno(errno, "rename " + temporary));
    }
    retire(content);
    // Before anybody can fetch into the new file: who has the former one open must not be told of that.
    generation.fetch_add(1, std::memory_order_release);
    MutexLock lock(entry->mutex);
    dropped = entry->pages.bytes() - std::min(entry->pages.bytes(), kept.bytes());
  }
  total_bytes -= static_cast<int64_t>(dropped);
  note_partial(content, now.size, kept.bytes());
  kill_point("trim-placed");
  return fsync_dir(root + "/partial");
}

Status ContentStore::evict(ContentNo content) { return evict(content, nullptr); }

Status ContentStore::evict(ContentNo content, const EvictionCheck& check) {
  Status done = state_->evict(content, check);
  if (done.code() != Code::kNoSpace) return done;
  // A full disk cannot take the head and tail that eviction writes first: the reserve can.
  if (::unlink((state_->root + "/" + kReserveFile).c_str()) != 0) return done;
  done = state_->evict(content, check);
  // Without room for it now, the next eviction makes it.
  (void)state_->keep_reserve();
  return done;
}

std::vector<Status> ContentStore::evict(const std::vector<ContentNo>& contents,
                                        const EvictionCheckOf& check) {
  std::vector<Status> done(contents.size());
  std::vector<size_t> alone;
  for (size_t begin = 0; begin < contents.size(); begin += kEvictTogether) {
    const size_t end = std::min(contents.size(), begin + kEvictTogether);
    alone.clear();
    state_->evict_together(contents, begin, end, check, done, alone);
    for (const size_t i : alone) {
      done[i] = evict(contents[i], [&](const CatalogReader& reader, const ContentRecord& record) {
        return check(contents[i], reader, record);
      });
    }
  }
  return done;
}

bool ContentStore::State::leaves_whole(const ContentRecord& now) {
  return now.state == ContentState::kSealed && now.residence == Residence::kLocal &&
         now.size > kKeepWholeBytes;
}

void ContentStore::State::withdraw_eviction(ContentNo content) {
  MutexLock loading(load_mutex);
  retire(content);
  ::unlink(partial_tmp(content).c_str());
  ::unlink(partial(content).c_str());
  ::unlink(blocks(content).c_str());
}

// Head and tail and their list, which a crash removes again as long as the catalog says that the object is
// here. Durable if `synced`.
Result<uint64_t> ContentStore::State::write_kept(ContentNo content, const ContentRecord& now, bool synced) {
  SHOEBOX_ASSIGN(const std::vector<ContentHash> hashes, catalog.block_hashes(content));
  if (hashes.size() != block_count(now.size)) {
    return Status(Code::kBusy,
                  fmt::format("content {}: not evicted, its block hashes are incomplete; run shoebox fsck",
                              content.value));
  }
  SHOEBOX_ASSIGN(const UniqueFd source, open_file(object(content), O_RDONLY));
  const std::string temporary = partial_tmp(content);
  const auto write = [&]() -> Result<uint64_t> {
    SHOEBOX_ASSIGN(const UniqueFd target, open_file(temporary, O_RDWR | O_CREAT | O_TRUNC));
    if (::ftruncate(target.get(), static_cast<off_t>(now.size)) != 0) {
      return Status::from_errno(errno, "truncate " + temporary);
    }
    const Result<BlockSet> kept = copy_kept(source.get(), target.get(), now.size, hashes);
    if (!kept) return kept.status().with_context(fmt::format("evicting content {}", content.value));
    if (synced) SHOEBOX_TRY(fsync_fd(target.get(), temporary));
    kill_point("evict-copied");
    // The list first: whoever finds the partial file may read it.
    if (synced) {
      SHOEBOX_TRY(write_file_atomically(blocks(content), kept->encode()));
    } else {
      const std::string list = kept->encode();
      SHOEBOX_ASSIGN(const UniqueFd fd, open_file(blocks(content), O_RDWR | O_CREAT | O_TRUNC));
      SHOEBOX_TRY(
          pwrite_full(fd.get(), list.data(), list.size(), 0).with_context("write " + blocks(content)));
    }
    kill_point("evict-listed");
    return kept->bytes();
  };
  Result<uint64_t> written = write();
  if (!written) withdraw_eviction(content);
  return written;
}

Status ContentStore::State::place_kept(ContentNo content) const {
  if (::rename(partial_tmp(content).c_str(), partial(content).c_str()) == 0) return Status::ok();
  return Status::from_errno(errno, "rename " + partial_tmp(content));
}

Status ContentStore::State::evict(ContentNo content, const EvictionCheck& check) {
  const Claim claim(*this, content);
  SHOEBOX_ASSIGN(const ContentRecord now, record(content));
  if (now.state == ContentState::kStaging) {
    if (check) SHOEBOX_TRY(check(catalog, now));  // which knows a better reason, mostly
    return Status(Code::kBusy, fmt::format("content {}: still being written", content.value));
  }
  if (now.size <= kKeepWholeBytes) return Status::ok();
  if (!leaves_whole(now)) return trim(content, now, check);
  // Cheap refusals first: the file work below is for those that will go.
  if (check) SHOEBOX_TRY(check(catalog, now));
  SHOEBOX_ASSIGN(const uint64_t kept, write_kept(content, now, /*synced=*/true));
  std::vector<Leaving> leaving;
  leaving.push_back({0, content, now.size - kept, nullptr});
  std::vector<Status> done(1);
  leave(
      leaving,
      [&](ContentNo, const CatalogReader& reader, const ContentRecord& record) {
        return check ? check(reader, record) : Status::ok();
      },
      done);
  return done.front();
}

// Heads, tails and their lists are durable; each step is done for all before the next.
void ContentStore::State::leave(std::vector<Leaving>& leaving, const EvictionCheckOf& check,
                                std::vector<Status>& done) {
  const auto withdraw_failed = [&] {
    std::erase_if(leaving, [&](const Leaving& one) {
      const bool stays = !done[one.index];
      if (stays) withdraw_eviction(one.content);
      return stays;
    });
  };
  const auto fail_all = [&](const Status& why) {
    for (const Leaving& one : leaving) done[one.index] = why;
  };
  for (const Leaving& one : leaving) done[one.index] = place_kept(one.content);
  withdraw_failed();
  if (leaving.empty()) return;
  if (const Status synced = fsync_dir(root + "/partial"); !synced) {
    fail_all(synced);
    return withdraw_failed();
  }
  kill_point("evict-placed");
  {
    const std::unique_ptr<Transaction> transaction = catalog.begin();
    for (const Leaving& one : leaving) done[one.index] = let_go(*transaction, one.content, check);
    if (const Status committed = transaction->commit(); !committed) fail_all(committed);
  }
  withdraw_failed();
  if (leaving.empty()) return;
  kill_point("evict-committed");
  // From here on the catalog decides: both files are whole, so whatever it says after a crash holds.
  if (const Status synced = catalog.sync(); !synced) return fail_all(synced);
  kill_point("evict-synced");
  for (const Leaving& one : leaving) done[one.index] = drop_object(one.content, one.frees);
}

Status ContentStore::State::drop_object(ContentNo content, uint64_t frees) {
  if (::unlink(object(content).c_str()) != 0) {
    return Status::from_errno(errno, "unlink " + object(content));
  }
  kill_point("evict-removed");
  total_bytes -= static_cast<int64_t>(frees);
  return Status::ok();
}

// As evict(), with three syncs, however many they are. Claims are never waited for, as others are held: what
// somebody else works on leaves `alone`, after these.
void ContentStore::State::evict_together(const std::vector<ContentNo>& contents, size_t begin, size_t end,
                                         const EvictionCheckOf& check, std::vector<Status>& done,
                                         std::vector<size_t>& alone) {
  std::vector<Leaving> leaving;
  // Opened before anything is written: what fails to reach the disk since then is told.
  const Result<UniqueFd> disk = open_file(root, O_RDONLY | O_DIRECTORY);
  for (size_t i = begin; i < end; ++i) {
    const ContentNo content = contents[i];
    std::unique_ptr<Claim> claim = disk ? Claim::unless_taken(*this, content) : nullptr;
    const Result<ContentRecord> now = record(content);
    if (!claim || !now || !leaves_whole(*now)) {
      alone.push_back(i);
      continue;
    }
    // Cheap refusals first: the file work below is for those that will go.
    done[i] = check(content, catalog, *now);
    if (!done[i]) continue;
    const Result<uint64_t> kept = write_kept(content, *now, /*synced=*/false);
    if (kept)
      leaving.push_back({i, content, now->size - *kept, std::move(claim)});
    else if (kept.code() == Code::kNoSpace)
      alone.push_back(i);  // with the room that the others make, or from the reserve
    else
      done[i] = kept.status();
  }
  if (leaving.empty()) return;
  if (::syncfs(disk->get()) == 0) return leave(leaving, check, done);
  const Status failed = Status::from_errno(errno, "sync " + root);
  for (const Leaving& one : leaving) {
    withdraw_eviction(one.content);
    done[one.index] = failed;
  }
}

Status ContentStore::State::let_go(Transaction& transaction, ContentNo content,
                                   const EvictionCheckOf& check) {
  SHOEBOX_ASSIGN(std::optional<ContentRecord> now, transaction.content(content));
  if (!now) return Status(Code::kNotFound, fmt::format("content {}: not in the catalog", content.value));
  SHOEBOX_TRY(check(content, transaction, *now));
  now->residence = Residence::kPartial;
  now->disk_bytes = 0;
  transaction.put_content(content, *now);
  return Status::ok();
}

}  // namespace shoebox
