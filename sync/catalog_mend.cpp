#include "sync/catalog_mend.h"

#include <sys/stat.h>

#include <set>

#include "store/base/hash.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/content/block_set.h"
#include "store/tree/tree.h"
#include "sync/adopt_path.h"

namespace shoebox {
namespace {

constexpr std::string_view kLibraryFolder = "Library/";
constexpr std::string_view kOwnFolder = ".shoebox/";
constexpr std::string_view kVersionsFolder = ".shoebox/versions/";
constexpr std::string_view kShortFolder = ".shoebox/short/";

bool may_be_original(std::string_view key) {
  return !key.starts_with(kOwnFolder) || key.starts_with(kVersionsFolder) || key.starts_with(kShortFolder);
}

// The folder at a path below the mount point, made where it is missing.
Result<InodeNo> folder_at(Tree& tree, const std::string& path) {
  const auto there = tree.resolve(path);
  if (there) return there->number;
  const size_t slash = path.rfind('/');
  if (there.code() != Code::kNotFound || slash == std::string::npos) return there.status();
  SHOEBOX_ASSIGN(const InodeNo parent, folder_at(tree, path.substr(0, slash)));
  SHOEBOX_ASSIGN(const Entry made, tree.mkdir(parent, path.substr(slash + 1), 0755, Caller::command()));
  return made.number;
}

}  // namespace

Status CatalogMend::load_sidecars() {
  Status failed;
  const std::string prefix = keys::table(keys::kSidecar);
  SHOEBOX_TRY(deps_.catalog.scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
    if (keys::split(key, 1).rest != remote_.name()) return true;
    Result<SidecarObject> object = decode_sidecar(value);
    if (object)
      sidecars_[object->key] = std::move(*object);
    else
      failed = object.status();
    return failed.is_ok();
  }));
  return failed;
}

bool CatalogMend::knows_sidecar(const RemoteObject& object) const {
  const auto known = sidecars_.find(object.key);
  return known != sidecars_.end() && !object.etag.empty() && known->second.etag == object.etag &&
         known->second.size == object.size;
}

// How the listing differs from the catalog.
struct CatalogMend::Listed {
  std::map<std::string, ContentNo> missing;                    // copies, by their keys
  std::vector<std::pair<ContentNo, RemoteObject>> other_etag;  // of the same size
  std::multimap<uint64_t, RemoteObject> unknown;               // by size
};

Result<CatalogMend::Listed> CatalogMend::compare(const AdoptFetch& fetch) const {
  Listed found;
  Status failed;
  SHOEBOX_TRY(deps_.catalog.for_each_content([&](ContentNo number, const ContentRecord& record) {
    if (record.state != ContentState::kSealed) return true;  // the key of what was adopted stays
    const auto copy = deps_.catalog.copy(number, remote_.name());
    if (!copy) failed = copy.status();
    if (copy && *copy) found.missing.emplace((*copy)->key, number);
    return failed.is_ok();
  }));
  SHOEBOX_TRY(failed);
  SHOEBOX_TRY(list_pages(fetch, "", [&](const ListPage& page) -> Status {
    for (const RemoteObject& object : page.objects) {
      const auto known = found.missing.find(object.key);
      if (known == found.missing.end()) {
        SHOEBOX_ASSIGN(const auto holder, deps_.catalog.content_of_remote_key(remote_.name(), object.key));
        if (!holder && object.size > 0 && may_be_original(object.key))
          found.unknown.emplace(object.size, object);
        continue;
      }
      SHOEBOX_ASSIGN(const auto copy, deps_.catalog.copy(known->second, remote_.name()));
      if (copy && copy->size == object.size && copy->etag != object.etag)
        found.other_etag.emplace_back(known->second, object);
      found.missing.erase(known);
    }
    return Status::ok();
  }));
  return found;
}

// What stands between the ends is checked whenever it is read.
Result<bool> CatalogMend::has_bytes_of(const AdoptFetch& fetch, const RemoteObject& object,
                                       ContentNo content) const {
  SHOEBOX_ASSIGN(const std::vector<ContentHash> hashes, deps_.catalog.block_hashes(content));
  if (object.size == 0 || hashes.size() != block_count(object.size)) return false;
  for (const uint64_t index : std::set<uint64_t>{0, hashes.size() - 1}) {
    const Result<std::string> bytes = fetch.bytes(object, block_range(index, object.size));
    const bool other = !bytes && (bytes.code() == Code::kNotFound || bytes.code() == Code::kConflict ||
                                  bytes.code() == Code::kDataLoss);
    if (other) return false;
    if (!bytes) return bytes.status();
    if (sha256(*bytes) != hashes[index]) return false;
  }
  return true;
}

// Not every server lists all that it has.
Result<bool> CatalogMend::is_gone(const AdoptFetch& fetch, const std::string& key) const {
  const Status there =
      repeated(fetch, 0, [&](const RequestContext& context) { return remote_.stat(key, context).status(); });
  if (!there && there.code() != Code::kNotFound) return there;
  return !there;
}

Result<uint64_t> CatalogMend::follow_copies(const AdoptFetch& fetch) const {
  SHOEBOX_ASSIGN(Listed listed, compare(fetch));
  for (const auto& [content, object] : listed.other_etag) {
    // A server that was moved: the bytes are right. Others are an edit, and adopted as such.
    SHOEBOX_ASSIGN(const bool same, has_bytes_of(fetch, object, content));
    SHOEBOX_ASSIGN(const auto copy, deps_.catalog.copy(content, remote_.name()));
    if (same && copy) SHOEBOX_TRY(put_copy(content, *copy, object));
  }
  uint64_t moved = 0;
  for (const auto& [key, content] : listed.missing) {
    SHOEBOX_ASSIGN(const auto copy, deps_.catalog.copy(content, remote_.name()));
    if (!copy) continue;
    const auto [first, end] = listed.unknown.equal_range(copy->size);
    for (auto object = first; object != end; ++object) {
      SHOEBOX_ASSIGN(const bool same, has_bytes_of(fetch, object->second, content));
      if (!same) continue;
      SHOEBOX_ASSIGN(const bool gone, is_gone(fetch, key));
      if (!gone) break;
      SHOEBOX_ASSIGN(const bool followed, follow(content, *copy, object->second));
      if (!followed) continue;
      ++moved;
      listed.unknown.erase(object);
      break;
    }
  }
  return moved;
}

// The name first: a run that is broken off in between finds the copy missing again.
Result<bool> CatalogMend::follow(ContentNo content, const RemoteCopy& former,
                                 const RemoteObject& object) const {
  if (!object.key.starts_with(kVersionsFolder)) {
    SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, deps_.catalog.inodes_of_content(content));
    // What only a version holds goes one day: an original that has a name must not be taken for that.
    if (inodes.empty()) return false;
    for (const InodeNo number : inodes) {
      SHOEBOX_ASSIGN(const auto trashed, deps_.catalog.trash(number));
      if (trashed) SHOEBOX_TRY(deps_.tree.trash_restore(number, Caller::command()));
    }
    if (inodes.size() == 1) SHOEBOX_TRY(follow_name(inodes.front(), former.key, object.key));
  }
  SHOEBOX_TRY(put_copy(content, former, object));
  return true;
}

// The file whose path was the key: its object is elsewhere because it is.
Status CatalogMend::follow_name(InodeNo number, const std::string& former_key, const std::string& key) const {
  const AdoptedPath filed = adopted_path(key, kLibraryFolder.substr(0, kLibraryFolder.size() - 1));
  if (!key.starts_with(kLibraryFolder) || filed.not_adopted || filed.respelled || filed.path != key)
    return Status::ok();
  const auto path = deps_.tree.path_of(number);
  const auto taken = deps_.tree.resolve(filed.path);
  if (!path || *path != former_key || taken || taken.code() != Code::kNotFound) return Status::ok();
  const size_t from = path->rfind('/'), to = key.rfind('/');
  SHOEBOX_ASSIGN(const InodeNo from_folder, folder_at(deps_.tree, path->substr(0, from)));
  const Result<InodeNo> folder = folder_at(deps_.tree, key.substr(0, to));
  if (folder.code() == Code::kNotDirectory) return Status::ok();
  if (!folder) return folder.status();
  return deps_.tree.rename(from_folder, path->substr(from + 1), *folder, key.substr(to + 1),
                           RenameMode::kNoReplace, Caller::command());
}

Status CatalogMend::put_copy(ContentNo content, const RemoteCopy& former, const RemoteObject& object) const {
  const std::unique_ptr<Transaction> txn = deps_.catalog.begin();
  RemoteCopy copy = former;
  copy.key = object.key;
  copy.etag = object.etag;
  copy.confirmed_s = deps_.clock.now().seconds;
  txn->put_copy(content, remote_.name(), copy);
  txn->put_tidy(content, remote_.name(), {});
  return txn->commit();
}

Result<bool> set_statements(Tree& tree, const CatalogReader& catalog, InodeNo number,
                            const OwnerStatements& said) {
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, catalog.inode(number));
  if (!inode || !inode->photo) return false;
  SHOEBOX_ASSIGN(const OwnerStatements stated, owner_statements(catalog, inode->photo));
  const auto spelled = parse_xmp_sidecar(xmp_sidecar(stated));
  const OwnerStatements now = spelled.value_or(OwnerStatements());
  if (now == said) return false;
  SHOEBOX_TRY(tree.change_statements(number, now, said));
  return true;
}

// By the bytes it was written for, wherever they are by now; by its key where these were not read yet.
Result<InodeNo> CatalogMend::photo_of(const SaidThere& there) const {
  if (!there.original.is_zero()) {
    SHOEBOX_ASSIGN(const auto content, deps_.catalog.content_by_hash(there.original));
    if (content) {
      SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, deps_.catalog.inodes_of_content(*content));
      if (!inodes.empty()) return inodes.front();
    }
  }
  const auto file = deps_.tree.resolve(there.path);
  if (!file && file.code() != Code::kNotFound && file.code() != Code::kNotDirectory) return file.status();
  if (!file || !S_ISREG(file->inode.mode)) return InodeNo();
  SHOEBOX_ASSIGN(const auto content, deps_.catalog.content(file->inode.content));
  const bool another = content && content->state == ContentState::kSealed && !there.original.is_zero() &&
                       content->sha256 != there.original;
  return another ? InodeNo() : file->number;
}

Result<CatalogMend::Said> CatalogMend::say(const SaidThere& there) const {
  SHOEBOX_ASSIGN(const InodeNo number, photo_of(there));
  if (!number) return Said::kNoPhoto;
  SHOEBOX_ASSIGN(const bool is_new, set_statements(deps_.tree, deps_.catalog, number, there.said));
  SHOEBOX_ASSIGN(const auto inode, deps_.catalog.inode(number));
  if (inode && inode->photo) {
    // The one that we would write: it is known from now on, and is not sent again.
    SHOEBOX_ASSIGN(const std::string ours, xmp_sidecar_of(deps_.catalog, inode->photo));
    if (sha256(ours) == there.object.sha256) {
      const std::unique_ptr<Transaction> txn = deps_.catalog.begin();
      txn->put_sidecar(inode->photo, remote_.name(), there.object);
      SHOEBOX_TRY(txn->commit());
    }
  }
  return is_new ? Said::kNew : Said::kKnown;
}

}  // namespace shoebox
