#include "store/catalog/backup_import.h"

#include <fmt/format.h>

#include "store/catalog/backup_rows.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/db.h"
#include "store/catalog/keys.h"
#include "store/catalog/records.h"

namespace shoebox {
namespace {

// Rows of one batch: some megabytes at most.
constexpr size_t kBatchRows = 4096;

// Gathers rows and writes them in batches.
class Batches {
 public:
  explicit Batches(Db& db) : db_(db) {}
  Status add(std::string key, std::optional<std::string> value) {
    changes_[std::move(key)] = std::move(value);
    return changes_.size() < kBatchRows ? Status::ok() : flush();
  }
  Status flush() {
    const Status written = changes_.empty() ? Status::ok() : db_.write(changes_);
    changes_.clear();
    return written;
  }

 private:
  Db& db_;
  KeyChanges changes_;
};

// The index rows that belong to one row.
template <typename Add>
Status add_indexes(const Db& db, std::string_view key, std::string_view value, const Add& add) {
  const keys::Parts one = keys::split(key, 1);
  switch (key.front()) {
    case keys::kDentry: {
      SHOEBOX_ASSIGN(const DentryRecord dentry, decode_dentry(value));
      const InodeNo directory(one.first);
      SHOEBOX_TRY(add(keys::name(dentry.inode, directory, one.rest), ""));
      return add(keys::folded(directory, keys::fold(one.rest), one.rest), "");
    }
    case keys::kInode: {
      SHOEBOX_ASSIGN(const InodeRecord inode, decode_inode(value));
      const InodeNo number(one.first);
      if (inode.content) SHOEBOX_TRY(add(keys::content_inode(inode.content, number), ""));
      return inode.photo ? add(keys::photo_inode(inode.photo, number), "") : Status::ok();
    }
    case keys::kContent: {
      SHOEBOX_ASSIGN(const ContentRecord content, decode_content(value));
      if (content.state != ContentState::kSealed) return Status::ok();
      // Equal bytes twice: the earlier one keeps the row.
      const std::string row = keys::hash(content.sha256);
      SHOEBOX_ASSIGN(const std::optional<std::string> taken, db.get(row));
      return taken ? Status::ok() : add(row, keys::number_value(one.first));
    }
    case keys::kPhoto: {
      SHOEBOX_ASSIGN(const PhotoRecord photo, decode_photo(value));
      if (!photo.content) return Status::ok();
      return add(keys::content_photo(photo.content), keys::number_value(one.first));
    }
    case keys::kCopy: {
      SHOEBOX_ASSIGN(const RemoteCopy copy, decode_remote_copy(value));
      SHOEBOX_TRY(add(keys::remote_key(one.rest, copy.key), keys::number_value(one.first)));
      return add(keys::folded_key(one.rest, copy.key), keys::number_value(one.first));
    }
    default: return Status::ok();
  }
}

}  // namespace

CatalogImport::CatalogImport(std::unique_ptr<Db> db) : db_(std::move(db)) {}
CatalogImport::~CatalogImport() = default;

Result<std::unique_ptr<CatalogImport>> CatalogImport::create(const std::string& path) {
  SHOEBOX_ASSIGN(std::unique_ptr<Db> db, Db::open(path, {}));
  SHOEBOX_ASSIGN(const std::optional<std::string> anything, db->last_key(""));
  if (anything) return Status(Code::kExists, fmt::format("catalog {}: is not empty", path));
  return std::unique_ptr<CatalogImport>(new CatalogImport(std::move(db)));
}

Status CatalogImport::add(std::string_view segment_file) {
  Batches batches(*db_);
  SHOEBOX_TRY(backup::read_segment(
      segment_file, [&](std::string_view key, std::optional<std::string_view> value) -> Status {
        // Of a table that a backup has no business with.
        if (!backup::is_backed_up(key)) return Status::ok();
        ++rows_;
        return batches.add(std::string(key), value ? std::optional<std::string>(*value) : std::nullopt);
      }));
  return batches.flush();
}

Status CatalogImport::make_indexes() {
  Batches batches(*db_);
  for (const keys::Table table : {keys::kDentry, keys::kInode, keys::kContent, keys::kPhoto, keys::kCopy}) {
    const std::string prefix = keys::table(table);
    const std::unique_ptr<Db::Cursor> cursor = db_->seek(prefix, prefix);
    for (; cursor->valid(); cursor->next()) {
      const Status added = add_indexes(
          *db_, cursor->key(), cursor->value(),
          [&](std::string key, std::string value) { return batches.add(std::move(key), std::move(value)); });
      if (!added) return added.with_context("rebuild the indexes of the catalog");
    }
    SHOEBOX_TRY(cursor->status());
  }
  return batches.flush();
}

Status CatalogImport::finish(uint64_t sequence) {
  SHOEBOX_TRY(make_indexes());
  KeyChanges last;
  if (sequence > 0) last[keys::change(sequence)] = "";
  // What was being tidied there is not in a backup: every name is looked at once.
  last[keys::moved_folder(kRootInode)] = keys::number_value(0);
  last[keys::meta(keys::kMetaSchema)] = keys::number_value(keys::kSchema);
  SHOEBOX_TRY(db_->write(last));
  SHOEBOX_TRY(db_->sync());
  db_.reset();
  return Status::ok();
}

}  // namespace shoebox
