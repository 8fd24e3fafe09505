#include "fs/open_directory.h"

#include <algorithm>

#include "store/tree/tree.h"

namespace shoebox {
namespace {

// FNV-1a with a final mix: the same in every run, spread over 62 bits.
int64_t offset_of(std::string_view name) {
  uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 1099511628211ULL;
  hash ^= hash >> 32;
  hash *= 0xd6e8feb86659fd93ULL;
  hash ^= hash >> 32;
  return static_cast<int64_t>(hash >> 2) + kFirstNameOffset;
}

}  // namespace

void OpenDirectory::number_and_sort(Rows& rows) {
  for (DirectoryRow& row : rows) row.offset = offset_of(row.name);
  std::sort(rows.begin(), rows.end(), [](const DirectoryRow& a, const DirectoryRow& b) {
    return a.offset != b.offset ? a.offset < b.offset : a.name < b.name;
  });
  // Equal hashes are as good as impossible (62 bits); if so, the later name moves up by one.
  for (size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].offset <= rows[i - 1].offset) rows[i].offset = rows[i - 1].offset + 1;
  }
}

size_t OpenDirectory::position_after(const Rows& rows, int64_t offset) {
  const auto found =
      std::upper_bound(rows.begin(), rows.end(), offset,
                       [](int64_t wanted, const DirectoryRow& row) { return wanted < row.offset; });
  return static_cast<size_t>(found - rows.begin());
}

Result<std::shared_ptr<const OpenDirectory::Rows>> OpenDirectory::rows(const Tree& tree,
                                                                       int64_t from_offset) {
  if (from_offset != 0) {
    MutexLock lock(mutex_);
    if (rows_) return rows_;
  }
  const auto fresh = std::make_shared<Rows>();
  SHOEBOX_TRY(tree.readdir(inode_, "", [&](const DirEntry& entry) {
    fresh->push_back({0, entry.dentry.inode, entry.dentry.type, entry.name});
    return true;
  }));
  number_and_sort(*fresh);
  MutexLock lock(mutex_);
  rows_ = fresh;
  return rows_;
}

}  // namespace shoebox
