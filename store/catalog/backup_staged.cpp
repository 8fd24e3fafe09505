#include "store/catalog/backup_staged.h"

#include <algorithm>
#include <filesystem>

#include "store/base/log.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/db.h"

namespace shoebox::backup {
namespace {

// What stands before a value.
constexpr char kErased = '-';
constexpr char kValue = '+';

// They are read once or twice, in their order.
constexpr size_t kCacheBytes = 2 << 20;

Status remove_all(const std::string& folder) {
  std::error_code failed;
  std::filesystem::remove_all(folder, failed);
  return failed ? Status::from_errno(failed.value(), "remove " + folder) : Status::ok();
}

std::string stored(std::optional<std::string_view> value) {
  std::string row(1, value ? kValue : kErased);
  if (value) row += *value;
  return row;
}

std::optional<std::string_view> loaded(std::string_view row) {
  if (row.empty() || row.front() == kErased) return std::nullopt;
  return row.substr(1);
}

}  // namespace

StagedRows::StagedRows(Options options) : options_(std::move(options)) {}

StagedRows::~StagedRows() {
  if (!db_) return;
  db_.reset();
  if (const Status removed = remove_all(options_.folder); !removed) log::warning("{}", removed.message());
}

Status StagedRows::add(std::string_view segment_file) {
  return read_segment(segment_file,
                      [&](std::string_view key, std::optional<std::string_view> value) -> Status {
                        rows_[std::string(key)] = stored(value);
                        bytes_ += key.size() + (value ? value->size() : 0);
                        most_bytes_held_ = std::max(most_bytes_held_, bytes_);
                        const bool full = bytes_ > options_.most_bytes_in_memory && !options_.folder.empty();
                        return full ? spill() : Status::ok();
                      });
}

Status StagedRows::spill() {
  if (!db_) {
    SHOEBOX_TRY(remove_all(options_.folder));
    SHOEBOX_ASSIGN(db_, Db::open(options_.folder, {.cache_bytes = kCacheBytes}));
  }
  SHOEBOX_TRY(db_->write(rows_));
  rows_.clear();
  bytes_ = 0;
  return Status::ok();
}

Result<std::optional<StagedRows::Value>> StagedRows::find(std::string_view key) const {
  std::optional<std::string> row;
  if (const auto here = rows_.find(key); here != rows_.end()) {
    row = here->second;
  } else if (db_) {
    SHOEBOX_ASSIGN(row, db_->get(key));
  }
  if (!row) return std::optional<Value>();
  const std::optional<std::string_view> value = loaded(*row);
  return std::optional<Value>(std::in_place, value ? Value(*value) : Value());
}

Status StagedRows::scan(
    std::string_view prefix,
    const std::function<Status(std::string_view key, std::optional<std::string_view> value)>& fn) {
  if (!db_) {
    for (auto row = rows_.lower_bound(prefix); row != rows_.end() && row->first.starts_with(prefix); ++row) {
      SHOEBOX_TRY(fn(row->first, loaded(*row->second)));
    }
    return Status::ok();
  }
  if (!rows_.empty()) SHOEBOX_TRY(spill());
  const std::unique_ptr<Db::Cursor> cursor = db_->seek(prefix, prefix);
  for (; cursor->valid(); cursor->next()) SHOEBOX_TRY(fn(cursor->key(), loaded(cursor->value())));
  return cursor->status();
}

}  // namespace shoebox::backup
