// Looking: names, attributes and paths. Reads the last commit, without a lock.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

// A folder that lies deeper than this is a loop in a damaged catalog.
constexpr int kMaxDepth = 4096;

// Which name tells best where a file is: Library, then the views, then Trash.
int rank_of(Place place) {
  switch (place) {
    case Place::kLibrary: return 0;
    case Place::kView: return 1;
    case Place::kTrash: return 2;
    default: return 3;
  }
}

Result<Entry> standing_entry(const CatalogReader& catalog, InodeNo directory, std::string_view name) {
  SHOEBOX_ASSIGN(const Directory parent, need_directory(catalog, directory));
  if (name == "." || name == "..") {
    const InodeNo number = name == "." || !parent.record.parent ? directory : parent.record.parent;
    SHOEBOX_ASSIGN(auto record, need_inode(catalog, number));
    return Entry{number, std::move(record)};
  }
  SHOEBOX_ASSIGN(const DentryRecord dentry, need_dentry(catalog, directory, name));
  SHOEBOX_ASSIGN(auto record, need_inode(catalog, dentry.inode));
  return Entry{dentry.inode, std::move(record)};
}

}  // namespace

Result<Entry> Tree::lookup(InodeNo directory, std::string_view name, uint32_t pid) const {
  const auto found = standing_entry(state_->catalog, directory, name);
  if (found.code() != Code::kNotFound || pid == 0) return found;
  auto departed = state_->departed.find(directory, name, pid, state_->clock.steady());
  if (!departed) return found;
  auto record = need_inode(state_->catalog, departed->inode);
  return Entry{departed->inode, record ? *std::move(record) : std::move(departed->record), true};
}

Result<InodeRecord> Tree::getattr(InodeNo number, uint32_t pid) const {
  auto record = need_inode(state_->catalog, number);
  if (record.code() != Code::kNotFound || pid == 0) return record;
  auto departed = state_->departed.find(number, pid, state_->clock.steady());
  if (!departed) return record;
  return std::move(departed->second);
}

Status Tree::readdir(InodeNo directory, std::string_view after,
                     const std::function<bool(const DirEntry&)>& fn) const {
  SHOEBOX_ASSIGN(const Directory parent, need_directory(state_->catalog, directory));
  return state_->catalog.for_each_entry(parent.number, after, fn);
}

Result<InodeNo> Tree::parent_of(InodeNo directory) const {
  SHOEBOX_ASSIGN(const Directory record, need_directory(state_->catalog, directory));
  return record.record.parent ? record.record.parent : directory;
}

Result<Entry> Tree::resolve(std::string_view path) const {
  InodeNo at = kRootInode;
  while (!path.empty()) {
    const size_t slash = path.find('/');
    const std::string_view name = path.substr(0, slash);
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
    if (name.empty()) continue;
    auto entry = lookup(at, name);
    if (!entry.is_ok()) return entry.status();
    at = entry->number;
  }
  SHOEBOX_ASSIGN(auto record, need_inode(state_->catalog, at));
  return Entry{at, std::move(record)};
}

Result<std::string> path_of_directory(const CatalogReader& reader, InodeNo directory) {
  std::string path;
  InodeNo at = directory;
  for (int depth = 0; at != kRootInode; ++depth) {
    SHOEBOX_ASSIGN(const auto names, reader.names_of(at));
    if (names.empty())
      return Status(Code::kNotFound, fmt::format("folder {}: has no name any more", directory.value));
    if (depth > kMaxDepth)
      return Status(Code::kDataLoss, fmt::format("folder {}: lies in a loop; run fsck", directory.value));
    path = path.empty() ? names.front().name : names.front().name + "/" + path;
    at = names.front().directory;
  }
  return path;
}

Result<std::string> path_of_name(const CatalogReader& reader, const NameOf& name) {
  SHOEBOX_ASSIGN(std::string path, path_of_directory(reader, name.directory));
  return path.empty() ? name.name : path + "/" + name.name;
}

Result<std::string> Tree::path_of(InodeNo number) const {
  const Catalog& catalog = state_->catalog;
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(catalog, number));
  if (S_ISDIR(record.mode)) return path_of_directory(catalog, number);
  SHOEBOX_ASSIGN(const auto names, catalog.names_of(number));
  const NameOf* best = nullptr;
  int best_rank = 0;
  for (const NameOf& name : names) {
    SHOEBOX_ASSIGN(const auto directory, catalog.inode(name.directory));
    if (!directory) continue;
    const int rank = rank_of(place_of(name.directory, *directory));
    if (best != nullptr && rank >= best_rank) continue;
    best = &name;
    best_rank = rank;
  }
  if (best == nullptr)
    return Status(Code::kNotFound, fmt::format("inode {}: has no name any more", number.value));
  return path_of_name(catalog, *best);
}

}  // namespace shoebox
