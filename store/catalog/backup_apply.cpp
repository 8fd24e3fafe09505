#include "store/catalog/backup_apply.h"

#include <fmt/format.h>

#include <set>
#include <vector>

#include "store/catalog/backup_rows.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/catalog/records.h"

namespace shoebox::backup {
namespace {

// One row taken apart, as its table numbers it.
struct Row {
  const std::string& key;
  const std::optional<std::string>& value;
  keys::Parts parts;
  [[nodiscard]] char table() const { return key.front(); }
};

int numbers_in(char table) { return table == keys::kVersion ? 2 : 1; }

// What this disk knows of the content stays.
Status put_content(Transaction& txn, ContentNo number, const std::string& value) {
  SHOEBOX_ASSIGN(ContentRecord record, decode_content(value));
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> old, txn.content(number));
  const bool same_bytes = old && old->state == ContentState::kSealed &&
                          record.state == ContentState::kSealed && old->sha256 == record.sha256;
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
  switch (row.table()) {
    case keys::kInode: return put_inode(txn, InodeNo(row.parts.first), value);
    case keys::kContent: return put_content(txn, ContentNo(row.parts.first), value);
    case keys::kDentry: {
      SHOEBOX_ASSIGN(const DentryRecord record, decode_dentry(value));
      return txn.put_dentry(InodeNo(row.parts.first), row.parts.rest, record);
    }
    case keys::kPhoto: {
      SHOEBOX_ASSIGN(const PhotoRecord record, decode_photo(value));
      txn.put_photo(PhotoId(row.parts.first), record);
      return Status::ok();
    }
    case keys::kCopy: {
      SHOEBOX_ASSIGN(const RemoteCopy record, decode_remote_copy(value));
      txn.put_copy(ContentNo(row.parts.first), row.parts.rest, record);
      return Status::ok();
    }
    default: txn.put_raw(row.key, value); return Status::ok();
  }
}

Status erase(Transaction& txn, const Row& row) {
  switch (row.table()) {
    case keys::kInode: return txn.erase_inode(InodeNo(row.parts.first));
    case keys::kContent: return txn.erase_content(ContentNo(row.parts.first));
    case keys::kDentry: return txn.erase_dentry(InodeNo(row.parts.first), row.parts.rest);
    case keys::kPhoto: return txn.erase_photo(PhotoId(row.parts.first));
    case keys::kCopy: txn.erase_copy(ContentNo(row.parts.first), row.parts.rest); return Status::ok();
    default: txn.put_raw(row.key, std::nullopt); return Status::ok();
  }
}

// What refers to others goes first and comes last: an index is never made for what is not there.
int place_in_order(char table, bool erased) {
  int place = 2;
  if (table == keys::kInode) place = 1;
  if (table == keys::kContent || table == keys::kPhoto) place = 0;
  return erased ? -place : place;
}

// Rows that differ from those that stand here, in the order in which they are applied.
Status pick(const CatalogReader& catalog, const Rows& rows, std::vector<Row>& picked) {
  for (const int erased : {1, 0}) {
    for (const int place : {0, 1, 2}) {
      for (const auto& [key, value] : rows) {
        if (key.empty() || !is_backed_up(key) || value.has_value() == (erased == 1)) continue;
        const int wanted = erased == 1 ? place - 2 : place;
        if (place_in_order(key.front(), erased == 1) != wanted) continue;
        SHOEBOX_ASSIGN(const std::optional<std::string> stands, catalog.get(key));
        if (!stands && !value) continue;
        if (stands && value && portable(key, *stands) == portable(key, *value)) continue;
        const bool numbered = key.front() != keys::kMeta && key.front() != keys::kViewDirectory;
        const keys::Parts parts = numbered ? keys::split(key, numbers_in(key.front())) : keys::Parts{};
        if (numbered && !parts.ok) return {Code::kDataLoss, "backup: a row has no key that makes sense"};
        picked.push_back({key, value, parts});
      }
    }
  }
  return Status::ok();
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

}  // namespace

Status read_rows(std::string_view segment_file, Rows& rows) {
  return read_segment(segment_file, [&](std::string_view key, std::optional<std::string_view> value) {
    rows[std::string(key)] = value ? std::optional<std::string>(*value) : std::nullopt;
    return Status::ok();
  });
}

Status add_erasures(const Catalog& catalog, Rows& rows) {
  return catalog.scan("", "", [&](std::string_view key, std::string_view) {
    if (is_backed_up(key)) rows.try_emplace(std::string(key), std::nullopt);
    return true;
  });
}

Status apply_rows(Catalog& catalog, const Rows& rows) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  std::vector<Row> picked;
  SHOEBOX_TRY(pick(*txn, rows, picked));
  if (picked.empty()) return Status::ok();
  for (const Row& row : picked) SHOEBOX_TRY(row.value ? put(*txn, row) : erase(*txn, row));
  SHOEBOX_TRY(txn->commit());
  return forget_tidying(catalog);
}

}  // namespace shoebox::backup
