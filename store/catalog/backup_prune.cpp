#include "store/catalog/backup_prune.h"

#include <map>

#include "store/base/file_names.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

constexpr int kDeepestPath = 4096;

std::string path_of(const CatalogReader& reader, const NameOf& name) {
  std::string path = name.name;
  InodeNo directory = name.directory;
  for (int depth = 0; directory != kRootInode && depth < kDeepestPath; ++depth) {
    const auto names = reader.names_of(directory);
    if (!names || names->empty()) break;
    path.insert(0, names->front().name + "/");
    directory = names->front().directory;
  }
  return path;
}

Result<bool> has_bytes(const CatalogReader& reader, ContentNo number, const ContentRecord& content) {
  if (!is_immutable(content.state)) return false;
  if (content.size == 0) return true;
  SHOEBOX_ASSIGN(const auto copies, reader.copies(number));
  return !copies.empty();
}

class Pruning {
 public:
  Pruning(Catalog& catalog, Pruned& pruned) : catalog_(catalog), pruned_(pruned) {}

  Status drop(ContentNo number, const std::vector<PhotoId>& version_of) {
    const std::unique_ptr<Transaction> begun = catalog_.begin();
    Transaction& txn = *begun;
    for (const PhotoId photo : version_of) txn.erase_version(photo, number);
    SHOEBOX_ASSIGN(const std::optional<PhotoId> photo, txn.photo_of_content(number));
    ContentNo older;
    if (photo) {
      SHOEBOX_ASSIGN(older, newest_version(txn, *photo));
    }
    SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, txn.inodes_of_content(number));
    for (const InodeNo inode : inodes) SHOEBOX_TRY(older ? go_back(txn, inode, older) : remove(txn, inode));
    if (photo && older) {
      SHOEBOX_TRY(take_version(txn, *photo, older, inodes.size()));
    } else if (photo) {
      SHOEBOX_ASSIGN(const std::vector<InodeNo> rest, txn.inodes_of_photo(*photo));
      if (rest.empty()) SHOEBOX_TRY(txn.erase_photo(*photo));
    }
    SHOEBOX_TRY(txn.erase_content(number));
    return txn.commit();
  }

 private:
  // The bytes of the photo before its last edits that some remote has; none: there are none.
  static Result<ContentNo> newest_version(const Transaction& txn, PhotoId photo) {
    SHOEBOX_ASSIGN(const std::vector<VersionRecord> versions, txn.versions(photo));
    ContentNo best;
    int64_t best_s = 0;
    for (const VersionRecord& version : versions) {
      SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, txn.content(version.content));
      if (!content) continue;
      SHOEBOX_ASSIGN(const bool there, has_bytes(txn, version.content, *content));
      if (!there || (best && version.replaced_s < best_s)) continue;
      best = version.content;
      best_s = version.replaced_s;
    }
    return best;
  }

  Status go_back(Transaction& txn, InodeNo number, ContentNo older) {
    SHOEBOX_ASSIGN(std::optional<InodeRecord> inode, txn.inode(number));
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, txn.content(older));
    if (!inode || !content) return Status::ok();
    SHOEBOX_ASSIGN(const std::vector<NameOf> names, txn.names_of(number));
    if (const auto told = told_paths(txn, names); !told.empty()) pruned_.older.push_back(told.front());
    inode->content = older;
    inode->size = content->size;
    txn.put_inode(number, *inode);
    return Status::ok();
  }

  static Status take_version(Transaction& txn, PhotoId id, ContentNo older, size_t inodes) {
    SHOEBOX_ASSIGN(std::optional<PhotoRecord> photo, txn.photo(id));
    SHOEBOX_ASSIGN(std::optional<ContentRecord> content, txn.content(older));
    if (!photo || !content) return Status::ok();
    txn.erase_version(id, older);
    // The version held it; now the files do.
    content->references += static_cast<uint32_t>(inodes) - 1;
    txn.put_content(older, *content);
    photo->content = older;
    txn.put_photo(id, *photo);
    return Status::ok();
  }

  Status remove(Transaction& txn, InodeNo number) {
    SHOEBOX_ASSIGN(const std::vector<NameOf> names, txn.names_of(number));
    for (std::string& path : told_paths(txn, names)) pruned_.lost.push_back(std::move(path));
    for (const NameOf& name : names) SHOEBOX_TRY(txn.erase_dentry(name.directory, name.name));
    return txn.erase_inode(number);
  }

  // One file is told of once: by its names in Library/, else by those that it has. Views show what was lost
  // elsewhere when it comes back, as another date counts then.
  static std::vector<std::string> told_paths(const Transaction& txn, const std::vector<NameOf>& names) {
    constexpr std::string_view kLibrary = "Library/";
    std::vector<std::string> at_home, elsewhere;
    for (const NameOf& name : names) {
      // Junk is never backed up, and nobody misses it.
      if (is_junk(name.name)) continue;
      std::string path = path_of(txn, name);
      (path.starts_with(kLibrary) ? at_home : elsewhere).push_back(std::move(path));
    }
    return at_home.empty() ? elsewhere : at_home;
  }

  Catalog& catalog_;
  Pruned& pruned_;
};

}  // namespace

Result<Pruned> drop_without_copies(Catalog& catalog) {
  std::vector<ContentNo> without;
  Status failure;
  SHOEBOX_TRY(catalog.for_each_content([&](ContentNo number, const ContentRecord& content) {
    const Result<bool> there = has_bytes(catalog, number, content);
    if (!there) failure = there.status();
    if (there && !*there) without.push_back(number);
    return there.is_ok();
  }));
  SHOEBOX_TRY(failure);
  std::map<ContentNo, std::vector<PhotoId>> version_of;
  const std::string prefix = keys::table(keys::kVersion);
  SHOEBOX_TRY(catalog.scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    const keys::Parts parts = keys::split(key, 2);
    version_of[ContentNo(parts.second)].push_back(PhotoId(parts.first));
    return true;
  }));
  Pruned pruned;
  Pruning pruning(catalog, pruned);
  for (const ContentNo number : without) SHOEBOX_TRY(pruning.drop(number, version_of[number]));
  return pruned;
}

}  // namespace shoebox
