#include "store/catalog/backup_apply.h"

#include <fmt/format.h>

#include <string>
#include <vector>

#include "store/catalog/backup_rows.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/catalog/records.h"

namespace shoebox::backup {
namespace {

// A row as it shall stand here, taken apart as its table numbers it.
struct Row {
  std::string key;
  StagedRows::Value value;  // none: it goes
  [[nodiscard]] char table() const { return key.front(); }
};

// Keys of these have no number.
bool is_numbered(char table) { return table != keys::kMeta && table != keys::kViewDirectory; }

keys::Parts parts_of(const Row& row) {
  return is_numbered(row.table()) ? keys::split(row.key, row.table() == keys::kVersion ? 2 : 1)
                                  : keys::Parts{};
}

// Whether the number means other bytes in a catalog of another history. What was adopted has no hash to tell
// by.
bool other_bytes(const ContentRecord& old, const ContentRecord& record) {
  return old.state != record.state || old.sha256 != record.sha256 || old.size != record.size ||
         record.state == ContentState::kAdopted;
}

// No name shows the former bytes, and no hash leads to them.
Status let_go_of_bytes(Transaction& txn, ContentNo number, const ContentRecord& old) {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, txn.inodes_of_content(number));
  for (const InodeNo inode : inodes) txn.data_changed(inode);
  if (old.state != ContentState::kSealed) return Status::ok();
  SHOEBOX_ASSIGN(const std::optional<ContentNo> indexed, txn.content_by_hash(old.sha256));
  if (indexed == number) txn.put_raw(keys::hash(old.sha256), std::nullopt);
  return Status::ok();
}

// What this disk knows of the content stays.
Status put_content(Transaction& txn, ContentNo number, const std::string& value) {
  SHOEBOX_ASSIGN(ContentRecord record, decode_content(value));
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> old, txn.content(number));
  const bool same_bytes = old && old->state == ContentState::kSealed &&
                          record.state == ContentState::kSealed && old->sha256 == record.sha256;
  if (old && other_bytes(*old, record)) SHOEBOX_TRY(let_go_of_bytes(txn, number, *old));
  record.pinned = old && old->pinned;
  record.last_access_s = old ? old->last_access_s : 0;
  if (same_bytes) {
    record.residence = old->residence;
    record.disk_bytes = old->disk_bytes;
  } else {
    record.residence = Residence::kPartial;
    record.disk_bytes = 0;
  }
  txn.put_content(number, record);
  return Status::ok();
}

Status put_inode(Transaction& txn, InodeNo number, const std::string& value) {
  SHOEBOX_ASSIGN(const InodeRecord record, decode_inode(value));
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> old, txn.inode(number));
  if (old && old->content != record.content) txn.data_changed(number);
  txn.put_inode(number, record);
  return Status::ok();
}

Status put(Transaction& txn, const Row& row) {
  const std::string& value = *row.value;
  const keys::Parts parts = parts_of(row);
  switch (row.table()) {
    case keys::kInode: return put_inode(txn, InodeNo(parts.first), value);
    case keys::kContent: return put_content(txn, ContentNo(parts.first), value);
    case keys::kDentry: {
      SHOEBOX_ASSIGN(const DentryRecord record, decode_dentry(value));
      return txn.put_dentry(InodeNo(parts.first), parts.rest, record);
    }
    case keys::kPhoto: {
      SHOEBOX_ASSIGN(const PhotoRecord record, decode_photo(value));
      txn.put_photo(PhotoId(parts.first), record);
      return Status::ok();
    }
    case keys::kCopy: {
      SHOEBOX_ASSIGN(const RemoteCopy record, decode_remote_copy(value));
      txn.put_copy(ContentNo(parts.first), parts.rest, record);
      return Status::ok();
    }
    default: txn.put_raw(row.key, value); return Status::ok();
  }
}

Status erase(Transaction& txn, const Row& row) {
  const keys::Parts parts = parts_of(row);
  switch (row.table()) {
    case keys::kInode: return txn.erase_inode(InodeNo(parts.first));
    case keys::kContent: return txn.erase_content(ContentNo(parts.first));
    case keys::kDentry: return txn.erase_dentry(InodeNo(parts.first), parts.rest);
    case keys::kPhoto: return txn.erase_photo(PhotoId(parts.first));
    case keys::kCopy: txn.erase_copy(ContentNo(parts.first), parts.rest); return Status::ok();
    default: txn.put_raw(row.key, std::nullopt); return Status::ok();
  }
}

// Keys on remotes are for the machine that writes there to tidy.
Status forget_tidying(Catalog& catalog) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  std::vector<std::string> rows;
  for (const keys::Table table : {keys::kTidy, keys::kRemoteTidy, keys::kMovedFolder}) {
    SHOEBOX_TRY(
        txn->scan(keys::table(table), keys::table(table), [&](std::string_view key, std::string_view) {
          rows.emplace_back(key);
          return true;
        }));
  }
  if (rows.empty()) return Status::ok();
  for (const std::string& key : rows) txn->put_raw(key, std::nullopt);
  return txn->commit();
}

// What refers to others goes first and comes last: an index is never made for what is not there.
constexpr char kErasedFirst[] = {keys::kXattr,   keys::kBlocks,  keys::kViewDirectory, keys::kCopy,
                                 keys::kSidecar, keys::kTrash,   keys::kVersion,       keys::kMeta,
                                 keys::kInode,   keys::kContent, keys::kPhoto};
// Names last: who finds one finds all of the file. Hashes of blocks before the content: bytes of a number
// that means others from then on must not be verified by the former ones.
constexpr char kPutInOrder[] = {keys::kBlocks, keys::kContent,       keys::kPhoto,   keys::kCopy,
                                keys::kXattr,  keys::kSidecar,       keys::kVersion, keys::kInode,
                                keys::kTrash,  keys::kViewDirectory, keys::kDentry,  keys::kMeta};

class Applying {
 public:
  Applying(Catalog& catalog, StagedRows& rows, const Apply& how)
      : catalog_(catalog), rows_(rows), how_(how) {}

  Status run() {
    // Names of what goes first, those of what stays last: it has the new one by then.
    SHOEBOX_TRY(erase_table(keys::kDentry, [this](std::string_view name) { return names_what_goes(name); }));
    for (const char table : kErasedFirst) SHOEBOX_TRY(erase_table(table, nullptr));
    for (const char table : kPutInOrder) SHOEBOX_TRY(put_table(table));
    SHOEBOX_TRY(erase_table(keys::kDentry, [this](std::string_view name) -> Result<bool> {
      SHOEBOX_ASSIGN(const bool gone_already, names_what_goes(name));
      return !gone_already;
    }));
    return commit(/*last=*/true);
  }

 private:
  using Chosen = std::function<Result<bool>(std::string_view value)>;

  // Whether the row shall not be there.
  Result<bool> goes(std::string_view key) const {
    SHOEBOX_ASSIGN(const std::optional<StagedRows::Value> row, rows_.find(key));
    return row ? !row->has_value() : how_.whole;
  }

  Result<bool> names_what_goes(std::string_view dentry) const {
    SHOEBOX_ASSIGN(const DentryRecord record, decode_dentry(dentry));
    return goes(keys::inode(record.inode));
  }

  Status erase_table(char table, const Chosen& chosen) {
    const std::string prefix(1, table);
    const auto look = [&](std::string_view key, std::string_view stands) -> Status {
      if (chosen) {
        SHOEBOX_ASSIGN(const bool wanted, chosen(stands));
        if (!wanted) return Status::ok();
      }
      return pick(key, std::nullopt);
    };
    if (!how_.whole) {
      return rows_.scan(prefix, [&](std::string_view key, std::optional<std::string_view> value) -> Status {
        if (value || !is_backed_up(key)) return Status::ok();
        SHOEBOX_ASSIGN(const std::optional<std::string> stands, catalog_.get(key));
        return stands ? look(key, *stands) : Status::ok();
      });
    }
    Status failure;
    SHOEBOX_TRY(catalog_.scan(prefix, prefix, [&](std::string_view key, std::string_view stands) {
      const auto looked = [&]() -> Status {
        if (!is_backed_up(key)) return Status::ok();
        SHOEBOX_ASSIGN(const bool going, goes(key));
        return going ? look(key, stands) : Status::ok();
      };
      failure = looked();
      return failure.is_ok();
    }));
    return failure;
  }

  Status put_table(char table) {
    return rows_.scan(std::string(1, table),
                      [&](std::string_view key, std::optional<std::string_view> value) -> Status {
                        if (!value || !is_backed_up(key)) return Status::ok();
                        SHOEBOX_ASSIGN(const std::optional<std::string> stands, catalog_.get(key));
                        if (stands && portable(key, *stands) == portable(key, *value)) return Status::ok();
                        return pick(key, *value);
                      });
  }

  Status pick(std::string_view key, std::optional<std::string_view> value) {
    if (how_.cancel.cancelled()) return {Code::kCancelled, "cancelled"};
    Row row{std::string(key), value ? StagedRows::Value(*value) : std::nullopt};
    if (is_numbered(row.table()) && !parts_of(row).ok) {
      return {Code::kDataLoss, "backup: a row has no key that makes sense"};
    }
    bytes_ += row.key.size() + (row.value ? row.value->size() : 0);
    picked_.push_back(std::move(row));
    return picked_.size() < how_.most_rows && bytes_ < how_.most_bytes ? Status::ok()
                                                                       : commit(/*last=*/false);
  }

  Status commit(bool last) {
    if (picked_.empty()) return Status::ok();
    SHOEBOX_ASSIGN(const std::shared_ptr<void> until_committed, let_bytes_go());
    const std::unique_ptr<Transaction> txn = catalog_.begin();
    if (!last && !in_parts_ && how_.in_parts) how_.in_parts(*txn);
    in_parts_ = in_parts_ || !last;
    for (const Row& row : picked_) SHOEBOX_TRY(row.value ? put(*txn, row) : erase(*txn, row));
    SHOEBOX_TRY(txn->commit());
    picked_.clear();
    bytes_ = 0;
    return forget_tidying(catalog_);
  }

  // In one history a number never means other bytes.
  Result<std::shared_ptr<void>> let_bytes_go() const {
    std::vector<ContentNo> replaced;
    for (const Row& row : picked_) {
      if (!how_.whole || !how_.replacing || row.table() != keys::kContent || !row.value) continue;
      const ContentNo number(parts_of(row).first);
      SHOEBOX_ASSIGN(const ContentRecord record, decode_content(*row.value));
      SHOEBOX_ASSIGN(const std::optional<ContentRecord> old, catalog_.content(number));
      if (old && other_bytes(*old, record)) replaced.push_back(number);
    }
    return replaced.empty() ? std::shared_ptr<void>() : how_.replacing(replaced);
  }

  Catalog& catalog_;
  StagedRows& rows_;
  const Apply& how_;
  std::vector<Row> picked_;
  size_t bytes_ = 0;
  bool in_parts_ = false;
};

}  // namespace

Status apply_rows(Catalog& catalog, StagedRows& rows, const Apply& how) {
  return Applying(catalog, rows, how).run();
}

}  // namespace shoebox::backup
