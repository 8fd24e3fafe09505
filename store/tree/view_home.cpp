#include "store/tree/view_home.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/tree/name_class.h"

namespace shoebox {
namespace {

constexpr size_t kNeighboursAsked = 256;  // enough to find a photo in a folder of photos

// The folder below `parent` with this name, made if need be. A file that has the name makes way
// for nobody: the folder then is "2023 (2)".
Result<InodeNo> subfolder(Transaction& txn, const ViewRows& rows, InodeNo parent, const std::string& name) {
  SHOEBOX_ASSIGN(const auto match, txn.folded_match(parent, name));
  if (match) {
    SHOEBOX_ASSIGN(const auto dentry, txn.dentry(parent, *match));
    if (dentry && (dentry->type & S_IFMT) == S_IFDIR) return dentry->inode;
  }
  SHOEBOX_ASSIGN(const std::string free_name, rows.unique_name(txn, parent, name));
  return rows.add_folder(txn, parent, free_name, ViewId::kLibrary, {}, NameKind::kGiven);
}

Result<InodeNo> folder_by_date(Transaction& txn, const ViewRows& rows, const std::optional<LocalDate>& date) {
  if (!date || date->year == 0) return subfolder(txn, rows, kLibraryInode, "Unknown");
  SHOEBOX_ASSIGN(const InodeNo year, subfolder(txn, rows, kLibraryInode, fmt::format("{:04}", date->year)));
  if (date->month == 0) return year;
  return subfolder(txn, rows, year, fmt::format("{:02}", date->month));
}

// Where the photos that share this folder of a view have their homes; none when there are none.
Result<std::optional<InodeNo>> folder_of_neighbours(const Transaction& txn, const ViewRows& rows,
                                                    InodeNo directory) {
  std::vector<InodeNo> neighbours;
  SHOEBOX_TRY(txn.for_each_entry(directory, "", [&](const DirEntry& entry) {
    if (classify_name(entry.name) == NameClass::kMedia) neighbours.push_back(entry.dentry.inode);
    return neighbours.size() < kNeighboursAsked;
  }));
  for (const InodeNo neighbour : neighbours) {
    SHOEBOX_ASSIGN(const auto all, rows.of_inode(txn, neighbour));
    const auto home = std::find_if(all.begin(), all.end(), [](const Row& row) { return row.in_library(); });
    if (home != all.end()) return std::optional(home->directory);
  }
  return std::optional<InodeNo>();
}

}  // namespace

Status put_home(Transaction& txn, const ViewRows& rows, InodeNo directory, std::string_view name,
                InodeNo inode) {
  SHOEBOX_ASSIGN(const std::string free_name, rows.unique_name(txn, directory, name));
  SHOEBOX_TRY(rows.put(txn, directory, free_name, inode, NameKind::kGiven, Notice::kTell));
  return rows.recount(txn, inode);
}

Status file_home(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoRecord& record) {
  if (record.homed) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> all, rows.of_photo(txn, photo));
  const Row* row = ViewRows::representative(all);
  if (!row) return Status::ok();
  if (!row->in_library()) {
    std::optional<InodeNo> directory;
    if (!shows_in_views(record) && record.info.kind != MediaKind::kUnknown) {
      SHOEBOX_ASSIGN(directory, folder_of_neighbours(txn, rows, row->directory));
    }
    if (!directory) {
      SHOEBOX_ASSIGN(directory,
                     folder_by_date(txn, rows, record.stated_date ? record.stated_date : record.date));
    }
    SHOEBOX_TRY(put_home(txn, rows, *directory, row->name, row->inode));
  }
  record.homed = true;
  txn.put_photo(photo, record);
  return Status::ok();
}

Status file_again(Transaction& txn, const ViewRows& rows, PhotoId photo) {
  SHOEBOX_ASSIGN(auto record, txn.photo(photo));
  if (!record || !record->homed) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> all, rows.of_photo(txn, photo));
  const Row* row = ViewRows::representative(all);
  if (!row || row->in_library()) return Status::ok();
  record->homed = false;
  txn.put_photo(photo, *record);
  return record->info.kind == MediaKind::kUnknown ? Status::ok() : file_home(txn, rows, photo, *record);
}

}  // namespace shoebox
