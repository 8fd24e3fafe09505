// The rows of a backup, gathered segment by segment before any of them is applied: few in memory, many on the
// disk, so that the catalog of a large library needs no more memory than that of a small one.
//
// Used by one thread.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

class Db;

namespace backup {

class StagedRows {
 public:
  struct Options {
    // Made when the rows outgrow the memory, and removed with this; what a crash left of it goes first.
    // Empty: all stay in memory.
    std::string folder;
    size_t most_bytes_in_memory = 8 << 20;  // thousands of changes
  };
  // A value; none: the row was erased.
  using Value = std::optional<std::string>;

  explicit StagedRows(Options options);
  ~StagedRows();
  StagedRows(const StagedRows&) = delete;
  StagedRows& operator=(const StagedRows&) = delete;

  // Later segments replace rows of earlier ones. kDataLoss: it is damaged, and none of it is here.
  Status add(std::string_view segment_file);
  // None: no segment speaks of it.
  Result<std::optional<Value>> find(std::string_view key) const;
  // Rows whose keys begin with `prefix`, in byte order; an error of `fn` ends it.
  Status scan(std::string_view prefix,
              const std::function<Status(std::string_view key, std::optional<std::string_view> value)>& fn);
  // Most that was held in memory so far, keys and values.
  [[nodiscard]] size_t most_bytes_held() const { return most_bytes_held_; }

 private:
  Status spill();

  const Options options_;
  // As they stand on the disk, and newer than those there.
  std::map<std::string, std::optional<std::string>, std::less<>> rows_;
  size_t bytes_ = 0;
  size_t most_bytes_held_ = 0;
  std::unique_ptr<Db> db_;  // null: none were spilled
};

}  // namespace backup
}  // namespace shoebox
