#include "store/tree/view_home.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <set>

#include "store/base/file_names.h"
#include "store/tree/name_class.h"
#include "store/tree/tree_paths.h"

namespace shoebox {
namespace {

// Holds, by date, homes of photos that were left in views when their file under Library/{year} was removed.
constexpr const char* kKeptFolder = "Kept";
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

// {year}/{month}, as far as they are known.
ViewPath path_by_date(const std::optional<LocalDate>& date) {
  if (!date || date->year == 0) return {"Unknown"};
  if (date->month == 0) return {fmt::format("{:04}", date->year)};
  return {fmt::format("{:04}", date->year), fmt::format("{:02}", date->month)};
}

// "2023" of "Library/2023/07/x.jpg"; empty for what stands in Library itself, and elsewhere.
std::string top_folder(std::string_view path) {
  constexpr std::string_view kLibrary = "Library/";
  if (!path.starts_with(kLibrary)) return {};
  path.remove_prefix(kLibrary.size());
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

// Folders that stand in Library itself.
using TopFolders = std::set<std::string>;

// Where the bytes that left this photo stand, which went on with others under its names.
Status add_replaced(const CatalogReader& reader, const ViewRows& rows, PhotoId went_on, TopFolders& tops) {
  if (!went_on) return Status::ok();
  SHOEBOX_ASSIGN(const auto all, rows.of_photo(reader, went_on));
  for (const Row& row : all) {
    if (!row.in_library()) continue;
    SHOEBOX_ASSIGN(const std::string path, path_of_name(reader, {row.directory, row.name}));
    tops.insert(top_folder(path));
  }
  return Status::ok();
}

// Where a file of these bytes was last put into Trash from, if that was at `since_s` or later.
Status add_trashed(const CatalogReader& reader, ContentNo content, int64_t since_s, TopFolders& tops) {
  if (!content) return Status::ok();
  SHOEBOX_ASSIGN(const auto inodes, reader.inodes_of_content(content));
  if (inodes.size() < 2) return Status::ok();
  TopFolders last;
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const auto trash, reader.trash(inode));
    if (!trash || trash->trashed_s < since_s) continue;
    const std::string top = top_folder(trash->path);
    if (top.empty()) continue;
    if (trash->trashed_s > since_s) last.clear();
    since_s = trash->trashed_s;
    last.insert(top);
  }
  tops.merge(last);
  return Status::ok();
}

// Makes {year}/{month}, below Kept/ where its year is among `left`.
Result<InodeNo> folder_by_date(Transaction& txn, const ViewRows& rows, ViewPath path,
                               const TopFolders& left) {
  SHOEBOX_ASSIGN(const auto stands, txn.folded_match(kLibraryInode, path.front()));
  if (left.contains(stands.value_or(path.front()))) path.insert(path.begin(), kKeptFolder);
  InodeNo folder = kLibraryInode;
  for (const std::string& name : path) {
    SHOEBOX_ASSIGN(folder, subfolder(txn, rows, folder, name));
  }
  return folder;
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

Status file(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoRecord& record, const Row& row,
            const TopFolders& left) {
  if (!row.in_library()) {
    std::optional<InodeNo> directory;
    if (!shows_in_views(record) && record.info.kind != MediaKind::kUnknown) {
      SHOEBOX_ASSIGN(directory, folder_of_neighbours(txn, rows, row.directory));
    }
    if (!directory) {
      const auto& date = record.stated_date ? record.stated_date : record.date;
      SHOEBOX_ASSIGN(directory, folder_by_date(txn, rows, path_by_date(date), left));
    }
    SHOEBOX_TRY(put_home(txn, rows, *directory, row.name, row.inode));
  }
  record.homed = true;
  txn.put_photo(photo, record);
  return Status::ok();
}

}  // namespace

Status put_home(Transaction& txn, const ViewRows& rows, InodeNo directory, std::string_view name,
                InodeNo inode) {
  SHOEBOX_ASSIGN(const std::string free_name, rows.unique_name(txn, directory, name));
  SHOEBOX_TRY(rows.put(txn, directory, free_name, inode, NameKind::kGiven, Notice::kTell));
  return rows.recount(txn, inode);
}

Status file_backup_copy(Transaction& txn, const ViewRows& rows, const NameOf& backup_copy,
                        std::string_view photo) {
  SHOEBOX_ASSIGN(const auto dentry, txn.dentry(backup_copy.directory, backup_copy.name));
  SHOEBOX_ASSIGN(const auto beside, txn.dentry(backup_copy.directory, photo));
  if (!dentry || !S_ISREG(dentry->type) || !beside || !S_ISREG(beside->type)) return Status::ok();
  SHOEBOX_ASSIGN(const auto record, txn.inode(dentry->inode));
  SHOEBOX_ASSIGN(const auto photo_record, txn.inode(beside->inode));
  if (!record || record->photo || !photo_record || !photo_record->photo) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> own, rows.of_inode(txn, dentry->inode));
  if (std::any_of(own.begin(), own.end(), [](const Row& row) { return !row.in_view(); })) return Status::ok();
  SHOEBOX_ASSIGN(std::vector<Row> homes, rows.of_inode(txn, beside->inode));
  const Row* home = ViewRows::representative(homes);
  if (!home || !home->in_library()) {
    SHOEBOX_ASSIGN(homes, rows.of_photo(txn, photo_record->photo));
    home = ViewRows::representative(homes);
  }
  if (!home || !home->in_library()) return Status::ok();
  // x.jpg_original beside "x (2).jpg" is "x (2).jpg_original", and x.bak "x (2).bak".
  const std::string_view base = backup_copy.name.starts_with(photo) ? photo : stem_of(photo);
  const std::string_view home_base = base.size() == photo.size() ? home->name : stem_of(home->name);
  const std::string name = fmt::format("{}{}", home_base, backup_copy.name.substr(base.size()));
  return put_home(txn, rows, home->directory, name, dentry->inode);
}

Status file_backup_copies(Transaction& txn, const ViewRows& rows, const std::vector<Row>& photo_rows) {
  for (const Row& row : photo_rows) {
    if (!row.in_view() || !row.lives()) continue;
    for (std::string& name : backup_copy_names(row.name)) {
      if (photo_of_backup_copy(name) != row.name) continue;
      SHOEBOX_TRY(file_backup_copy(txn, rows, {row.directory, std::move(name)}, row.name));
    }
  }
  return Status::ok();
}

Status file_home(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoRecord& record) {
  if (record.homed) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> all, rows.of_photo(txn, photo));
  const Row* row = ViewRows::representative(all);
  if (!row) return Status::ok();
  TopFolders left;
  if (!row->in_library()) {
    // Not decoded yet when its home went: it stood already then, what is put into an album later did not.
    SHOEBOX_ASSIGN(const auto inode, txn.inode(row->inode));
    if (inode) SHOEBOX_TRY(add_trashed(txn, record.content, inode->btime.seconds + 1, left));
  }
  return file(txn, rows, photo, record, *row, left);
}

Status file_again(Transaction& txn, const ViewRows& rows, PhotoId photo, PhotoId went_on) {
  SHOEBOX_ASSIGN(auto record, txn.photo(photo));
  if (!record || !record->homed) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> all, rows.of_photo(txn, photo));
  const Row* row = ViewRows::representative(all);
  if (!row || row->in_library()) return Status::ok();
  record->homed = false;
  txn.put_photo(photo, *record);
  if (record->info.kind == MediaKind::kUnknown) return Status::ok();
  TopFolders left;
  SHOEBOX_TRY(add_replaced(txn, rows, went_on, left));
  if (!went_on) SHOEBOX_TRY(add_trashed(txn, record->content, INT64_MIN, left));
  return file(txn, rows, photo, *record, *row, left);
}

}  // namespace shoebox
