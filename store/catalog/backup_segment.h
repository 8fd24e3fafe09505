// A segment of a backup: rows of the catalog (or thumbnails) in one checksummed, compressed file.
// BACKUP.md is the page for readers of the format. Untrusted when read.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox::backup {

// More than any segment holds: one row can be large (the block hashes of a film of 500 GB are 61 MiB).
inline constexpr size_t kMostSegmentBytes = 512 << 20;

class SegmentWriter {
 public:
  // Levels of zstd. Catalog rows shrink to a third; more than this gains a few per cent for many times the
  // processor time. Pictures do not shrink.
  static constexpr int kRows = 6, kPictures = 1;
  explicit SegmentWriter(int level = kRows) : level_(level) {}
  void put(std::string_view key, std::string_view value);
  void erase(std::string_view key);
  [[nodiscard]] size_t raw_bytes() const { return rows_.size(); }
  [[nodiscard]] uint64_t rows() const { return count_; }
  // The file, and the writer is empty again.
  Result<std::string> finish();

 private:
  const int level_;
  std::string rows_;
  uint64_t count_ = 0;
};

// Checks the whole file, then calls `fn` with each row in order; no value: the row was erased.
// kDataLoss: not one byte of it is used.
Status read_segment(
    std::string_view file,
    const std::function<Status(std::string_view key, std::optional<std::string_view> value)>& fn);

}  // namespace shoebox::backup
