// Bytes that were found on a remote: parts of them come in before they have a record, and their hashes
// when somebody has read all of them.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/kill_point.h"
#include "store/catalog/catalog.h"
#include "store/content/content_state.h"

namespace shoebox {
namespace {

Status write_plain(const std::string& path, std::string_view bytes) {
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(path, O_RDWR | O_CREAT | O_TRUNC));
  return pwrite_full(fd.get(), bytes.data(), bytes.size(), 0).with_context("write " + path);
}

uint64_t disk_bytes_at(const std::string& path) {
  struct stat st {};
  return ::stat(path.c_str(), &st) == 0 ? static_cast<uint64_t>(st.st_blocks) * 512 : 0;
}

// What HashedCallback does where nobody looks for equal bytes.
Status write_hashes(Catalog& catalog, ContentNo content, const ContentHashes& hashes, Residence residence) {
  const std::unique_ptr<Transaction> transaction = catalog.begin();
  SHOEBOX_ASSIGN(std::optional<ContentRecord> record, transaction->content(content));
  if (!record || record->state != ContentState::kAdopted) return Status::ok();
  record->state = ContentState::kSealed;
  record->residence = residence;
  record->sha256 = hashes.whole;
  record->disk_bytes = hashes.disk_bytes;
  transaction->put_content(content, *record);
  transaction->put_block_hashes(content, hashes.blocks);
  return transaction->commit();
}

}  // namespace

void ContentStore::on_hashed(HashedCallback callback) { state_->hashed = std::move(callback); }

Status ContentStore::put_adopted(ContentNo content, uint64_t size, const std::vector<Part>& parts) {
  BlockSet pages(size);
  for (const Part& part : parts) pages.add({part.offset, part.offset + part.bytes.size()});
  SHOEBOX_TRY(room_for(pages.bytes()));
  const std::string path = state_->partial(content);
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(path, O_RDWR | O_CREAT | O_EXCL));
  const auto fill = [&]() -> Status {
    if (::ftruncate(fd.get(), static_cast<off_t>(size)) != 0) {
      return Status::from_errno(errno, "truncate " + path);
    }
    for (const Part& part : parts) {
      SHOEBOX_TRY(pwrite_full(fd.get(), part.bytes.data(), part.bytes.size(), part.offset));
    }
    // Torn by a power cut it is known as such, and before sync_adopted() nothing relies on it.
    return write_plain(state_->blocks(content), pages.encode());
  };
  if (const Status filled = fill(); !filled) {
    ::unlink(path.c_str());
    ::unlink(state_->blocks(content).c_str());
    return filled.with_context(fmt::format("storing parts of content {}", content.value));
  }
  state_->total_bytes += static_cast<int64_t>(pages.bytes());
  return Status::ok();
}

// Objects without a record are rescued after a crash, parts go: so these become objects at the last moment.
Status ContentStore::sync_adopted(const std::vector<ContentNo>& whole) {
  SHOEBOX_ASSIGN(const UniqueFd root, open_file(state_->root, O_RDONLY | O_DIRECTORY));
  if (::syncfs(root.get()) != 0) return Status::from_errno(errno, "sync " + state_->root);
  kill_point("adopt-stored");
  for (const ContentNo content : whole) {
    SHOEBOX_TRY(state_->make_object_folder(content));
    const std::string from = state_->partial(content);
    if (::rename(from.c_str(), state_->object(content).c_str()) != 0) {
      return Status::from_errno(errno, fmt::format("rename {} to {}", from, state_->object(content)));
    }
    ::unlink(state_->blocks(content).c_str());
  }
  kill_point("adopt-placed");
  return Status::ok();
}

Status ContentStore::adopted_hashes(ContentNo content, const ContentHashes& hashes) {
  const Claim claim(*state_, content);
  SHOEBOX_ASSIGN(const ContentRecord record, state_->record(content));
  if (record.state != ContentState::kAdopted) return Status::ok();
  if (record.size != hashes.size) {
    return {Code::kInvalid, fmt::format("content {}: hashes of {} bytes instead of {}", content.value,
                                        hashes.size, record.size)};
  }
  if (const std::shared_ptr<Partial> entry = state_->find_partial(content)) {
    SHOEBOX_TRY(state_->save(*entry));
  }
  SHOEBOX_TRY(state_->record_hashes(content, hashes, record.residence));
  // Whoever opened it before knows no hashes: what is fetched from now on is checked against them.
  const std::shared_ptr<Partial> entry = state_->find_partial(content);
  if (!entry) return Status::ok();
  SHOEBOX_TRY(state_->save(*entry));
  MutexLock loading(state_->load_mutex);
  state_->retire(content);
  return Status::ok();
}

Status ContentStore::State::record_hashes(ContentNo content, ContentHashes hashes, Residence residence) {
  if (residence == Residence::kLocal) hashes.disk_bytes = disk_bytes_at(object(content));
  return hashed ? hashed(content, hashes, residence) : write_hashes(catalog, content, hashes, residence);
}

}  // namespace shoebox
