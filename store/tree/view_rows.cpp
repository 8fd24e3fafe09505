#include "store/tree/view_rows.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <unordered_map>

#include "store/tree/name_class.h"

namespace shoebox {
namespace {

constexpr size_t kMaxNameBytes = 255;      // NAME_MAX
constexpr size_t kMaxExtensionBytes = 16;  // a longer one is no extension

// Cuts `text` to at most `bytes`, not inside a UTF-8 character.
std::string_view cut(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace

const View* ViewRows::view_of(ViewId id) const {
  for (const auto& view : views_) {
    if (view->id() == id) return view.get();
  }
  return nullptr;
}

Result<std::vector<Row>> ViewRows::of_inode(const CatalogReader& reader, InodeNo inode) const {
  SHOEBOX_ASSIGN(std::vector<NameOf> names, reader.names_of(inode));
  std::vector<Row> rows;
  rows.reserve(names.size());
  for (NameOf& name : names) {
    SHOEBOX_ASSIGN(const auto dentry, reader.dentry(name.directory, name.name));
    SHOEBOX_ASSIGN(const auto directory, reader.inode(name.directory));
    if (!dentry || !directory) continue;  // fsck's business
    rows.push_back({name.directory, std::move(name.name), inode, dentry->kind, directory->view});
  }
  return rows;
}

Result<std::vector<Row>> ViewRows::of_photo(const CatalogReader& reader, PhotoId photo) const {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_photo(photo));
  std::vector<Row> rows;
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(std::vector<Row> more, of_inode(reader, inode));
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  }
  return rows;
}

const Row* ViewRows::representative(const std::vector<Row>& rows) {
  const Row* best = nullptr;
  for (const Row& row : rows) {
    if (!row.lives()) continue;
    if (!best || (row.in_library() && !best->in_library())) best = &row;
  }
  return best;
}

Result<std::string> ViewRows::unique_name(const CatalogReader& reader, InodeNo directory,
                                          std::string_view wanted) const {
  std::string_view extension = extension_of(wanted);
  if (extension.size() > kMaxExtensionBytes) extension = {};
  const std::string_view stem = wanted.substr(0, wanted.size() - extension.size());
  std::string name(wanted);
  for (uint64_t number = 2;; ++number) {
    SHOEBOX_ASSIGN(const auto taken, reader.folded_match(directory, name));
    if (!taken) return name;
    const std::string ending = fmt::format(" ({}){}", number, extension);
    name = std::string(cut(stem, kMaxNameBytes - ending.size())) + ending;
  }
}

Status ViewRows::put(Transaction& txn, InodeNo directory, std::string_view name, InodeNo inode, NameKind kind,
                     Notice notice) const {
  SHOEBOX_ASSIGN(const auto record, txn.inode(inode));
  if (!record) return {Code::kStale, fmt::format("inode {} for {} is gone", inode.value, name)};
  SHOEBOX_TRY(
      txn.put_dentry(directory, name, {.inode = inode, .type = record->mode & S_IFMT, .kind = kind}, notice));
  return touch(txn, directory);
}

Status ViewRows::erase(Transaction& txn, InodeNo directory, std::string_view name, Notice notice) const {
  SHOEBOX_TRY(txn.erase_dentry(directory, name, notice));
  SHOEBOX_TRY(touch(txn, directory));
  return prune(txn, directory);
}

Status ViewRows::recount(Transaction& txn, InodeNo inode) const {
  SHOEBOX_ASSIGN(auto record, txn.inode(inode));
  if (!record || S_ISDIR(record->mode)) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<Row> rows, of_inode(txn, inode));
  uint32_t links = 0;
  for (const Row& row : rows) {
    const View* view = view_of(row.view);
    const bool second_name = row.view == ViewId::kTrashAlias;  // of what stands in Trash/
    if (view ? view->stating() : !second_name) ++links;
  }
  if (links == 0 && !rows.empty()) links = 1;
  if (links == record->nlink) return Status::ok();
  record->nlink = links;
  record->ctime = now();
  txn.put_inode(inode, *record);
  return Status::ok();
}

}  // namespace shoebox
