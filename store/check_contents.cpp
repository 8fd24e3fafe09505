#include "store/check_contents.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "store/base/file_io.h"
#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"

namespace shoebox {

Result<bool> has_files(const ContentStore& contents, ContentNo number, const ContentRecord& record) {
  const bool whole = record.state == ContentState::kStaging || record.residence == Residence::kLocal;
  if (!whole && record.size == 0) return true;
  const Result<UniqueFd> fd = whole ? contents.open_local(number) : contents.open_partial(number);
  if (!fd && fd.code() == Code::kNotFound) return false;
  if (!fd) return fd.status();
  struct stat st {};
  if (::fstat(fd->get(), &st) != 0)
    return Status::from_errno(errno, fmt::format("stat content {}", number.value));
  // What is being written is larger or smaller than its record until the next commit; a partial file
  // is as long as the last block that came.
  if (record.state == ContentState::kStaging || !whole) return true;
  return static_cast<uint64_t>(st.st_size) == record.size;
}

Result<uint64_t> count_local(const Catalog& catalog, const ContentStore& contents) {
  uint64_t total = 0;
  Status first;
  SHOEBOX_TRY(catalog.for_each_content([&](ContentNo number, const ContentRecord&) {
    const Result<uint64_t> bytes = contents.local_bytes(number);
    if (bytes) total += *bytes;
    if (!bytes && first) first = bytes.status();
    return true;
  }));
  if (!first) return first;
  return total;
}

Result<uint64_t> count_rotten(const Catalog& catalog, const ContentStore& contents, ContentNo number,
                              const ContentRecord& record, const CancelToken& cancel,
                              const std::function<void(uint64_t)>& on_bytes) {
  if (record.state != ContentState::kSealed) return uint64_t{0};
  SHOEBOX_ASSIGN(const std::vector<ContentHash> hashes, catalog.block_hashes(number));
  const bool local = record.residence == Residence::kLocal;
  SHOEBOX_ASSIGN(const UniqueFd fd, local ? contents.open_local(number) : contents.open_partial(number));
  std::string block(kBlockBytes, '\0');
  uint64_t rotten = 0;
  for (uint64_t index = 0; index < hashes.size(); ++index) {
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    const ByteRange range{index * kBlockBytes, std::min(record.size, (index + 1) * kBlockBytes)};
    if (!local) {
      SHOEBOX_ASSIGN(const std::vector<ByteRange> gaps, contents.missing(number, range));
      if (!gaps.empty()) continue;
    }
    const Result<size_t> bytes = pread_full(fd.get(), block.data(), range.size(), range.begin);
    // A disk that cannot read its block has lost it as surely as one that reads it wrongly.
    const bool good =
        bytes && *bytes == range.size() && sha256(std::string_view(block).substr(0, *bytes)) == hashes[index];
    if (!good) ++rotten;
    on_bytes(range.size());
  }
  return rotten;
}

}  // namespace shoebox
