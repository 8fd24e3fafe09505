// Typed reads of the catalog: the same for the committed state and inside a transaction.

#include <algorithm>

#include "store/base/coding.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

// Reads the row under `key` and decodes it.
template <typename T>
Result<std::optional<T>> read(const CatalogReader& reader, const std::string& key,
                              Result<T> (*decode)(std::string_view)) {
  SHOEBOX_ASSIGN(const std::optional<std::string> bytes, reader.get(key));
  if (!bytes) return std::optional<T>();
  Result<T> record = decode(*bytes);
  if (!record) return record.status();
  return std::optional<T>(std::move(*record));
}

template <typename IdType>
Result<std::optional<IdType>> read_id(const CatalogReader& reader, const std::string& key) {
  SHOEBOX_ASSIGN(const std::optional<uint64_t> number, read<uint64_t>(reader, key, keys::decode_number));
  if (!number) return std::optional<IdType>();
  return std::optional<IdType>(IdType(*number));
}

Status damaged_key(std::string_view table) {
  return {Code::kDataLoss, "catalog key of a " + std::string(table) + ": damaged; run shoebox fsck"};
}

// Scans `prefix`; fn gets key and value and may fail.
template <typename Fn>
Status scan_rows(const CatalogReader& reader, const std::string& prefix, const std::string& from, Fn fn) {
  Status failure;
  SHOEBOX_TRY(reader.scan(prefix, from, [&](std::string_view key, std::string_view value) {
    Result<bool> go_on = fn(key, value);
    if (!go_on) failure = go_on.status();
    return go_on && *go_on;
  }));
  return failure;
}

// The second number of each key under `prefix`.
template <typename IdType>
Result<std::vector<IdType>> second_numbers(const CatalogReader& reader, const std::string& prefix) {
  std::vector<IdType> numbers;
  SHOEBOX_TRY(scan_rows(reader, prefix, prefix, [&](std::string_view key, std::string_view) -> Result<bool> {
    const keys::Parts parts = keys::split(key, 2);
    if (!parts.ok) return damaged_key("reference");
    numbers.push_back(IdType(parts.second));
    return true;
  }));
  return numbers;
}

// Decodes each record of a table whose key is one number.
template <typename IdType, typename T>
Status for_each_record(const CatalogReader& reader, keys::Table table, Result<T> (*decode)(std::string_view),
                       const std::function<bool(IdType, const T&)>& fn) {
  const std::string prefix = keys::table(table);
  return scan_rows(reader, prefix, prefix, [&](std::string_view key, std::string_view value) -> Result<bool> {
    const keys::Parts parts = keys::split(key, 1);
    if (!parts.ok || !parts.rest.empty()) return damaged_key("record");
    Result<T> record = decode(value);
    if (!record) return record.status();
    return fn(IdType(parts.first), *record);
  });
}

}  // namespace

Result<std::optional<InodeRecord>> CatalogReader::inode(InodeNo number) const {
  return read(*this, keys::inode(number), decode_inode);
}

Result<std::optional<DentryRecord>> CatalogReader::dentry(InodeNo directory, std::string_view name) const {
  return read(*this, keys::dentry(directory, name), decode_dentry);
}

Status CatalogReader::for_each_entry(InodeNo directory, std::string_view after,
                                     const std::function<bool(const DirEntry&)>& fn) const {
  std::string from = keys::dentry(directory, after);
  if (!after.empty()) from.push_back('\0');  // the first key greater than `after`
  return scan_rows(*this, keys::dentries(directory), from,
                   [&](std::string_view key, std::string_view value) -> Result<bool> {
                     SHOEBOX_ASSIGN(DentryRecord record, decode_dentry(value));
                     return fn(DirEntry{std::string(keys::split(key, 1).rest), record});
                   });
}

Result<bool> CatalogReader::has_entries(InodeNo directory) const {
  bool found = false;
  const std::string prefix = keys::dentries(directory);
  SHOEBOX_TRY(scan(prefix, prefix, [&](std::string_view, std::string_view) {
    found = true;
    return false;
  }));
  return found;
}

Result<std::optional<std::string>> CatalogReader::folded_match(InodeNo directory,
                                                               std::string_view name) const {
  SHOEBOX_ASSIGN(const std::optional<std::string> exact, get(keys::dentry(directory, name)));
  if (exact) return std::optional<std::string>(std::string(name));
  std::optional<std::string> match;
  const std::string prefix = keys::folded_names(directory, keys::fold(name));
  SHOEBOX_TRY(scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    match = std::string(key.substr(prefix.size()));
    return false;
  }));
  return match;
}

Result<std::vector<NameOf>> CatalogReader::names_of(InodeNo inode) const {
  std::vector<NameOf> names;
  const std::string prefix = keys::names(inode);
  SHOEBOX_TRY(scan_rows(*this, prefix, prefix, [&](std::string_view key, std::string_view) -> Result<bool> {
    const keys::Parts parts = keys::split(key, 2);
    if (!parts.ok) return damaged_key("name");
    names.push_back({InodeNo(parts.second), std::string(parts.rest)});
    return true;
  }));
  return names;
}

Result<std::optional<std::string>> CatalogReader::xattr(InodeNo inode, std::string_view name) const {
  return get(keys::xattr(inode, name));
}

Result<std::vector<std::string>> CatalogReader::xattr_names(InodeNo inode) const {
  std::vector<std::string> names;
  const std::string prefix = keys::xattr(inode, "");
  SHOEBOX_TRY(scan(prefix, prefix, [&](std::string_view key, std::string_view) {
    names.emplace_back(key.substr(prefix.size()));
    return true;
  }));
  return names;
}

Result<std::optional<ContentRecord>> CatalogReader::content(ContentNo number) const {
  return read(*this, keys::content(number), decode_content);
}

Result<std::vector<ContentHash>> CatalogReader::block_hashes(ContentNo number) const {
  std::vector<ContentHash> blocks;
  SHOEBOX_ASSIGN(const std::optional<std::string> bytes, get(keys::blocks(number)));
  if (!bytes) return blocks;
  constexpr size_t kHash = sizeof(ContentHash::bytes);
  if (bytes->size() % kHash != 0) {
    return Status(Code::kDataLoss, "catalog block hashes: damaged; run shoebox fsck");
  }
  blocks.resize(bytes->size() / kHash);
  for (size_t i = 0; i < blocks.size(); ++i) {
    bytes->copy(reinterpret_cast<char*>(blocks[i].bytes.data()), kHash, i * kHash);
  }
  return blocks;
}

Result<std::optional<ContentNo>> CatalogReader::content_by_hash(const ContentHash& sha256) const {
  return read_id<ContentNo>(*this, keys::hash(sha256));
}

Result<std::vector<InodeNo>> CatalogReader::inodes_of_content(ContentNo number) const {
  return second_numbers<InodeNo>(*this, keys::content_inodes(number));
}

Result<std::optional<PhotoRecord>> CatalogReader::photo(PhotoId id) const {
  return read(*this, keys::photo(id), decode_photo);
}

Result<std::optional<PhotoId>> CatalogReader::photo_of_content(ContentNo number) const {
  return read_id<PhotoId>(*this, keys::content_photo(number));
}

Result<std::vector<InodeNo>> CatalogReader::inodes_of_photo(PhotoId id) const {
  return second_numbers<InodeNo>(*this, keys::photo_inodes(id));
}

Result<std::optional<InodeNo>> CatalogReader::view_directory(ViewId view, std::string_view value) const {
  return read_id<InodeNo>(*this, keys::view_directory(view, value));
}

Result<std::vector<UploadJob>> CatalogReader::jobs_of_content(ContentNo number) const {
  std::vector<UploadJob> jobs;
  const std::string prefix = keys::job(number, "");
  SHOEBOX_TRY(scan_rows(*this, prefix, prefix, [&](std::string_view, std::string_view value) -> Result<bool> {
    SHOEBOX_ASSIGN(UploadJob job, decode_upload_job(value));
    jobs.push_back(std::move(job));
    return true;
  }));
  return jobs;
}

Result<bool> CatalogReader::is_known_damaged(ContentNo number) const {
  SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, jobs_of_content(number));
  return std::any_of(jobs.begin(), jobs.end(), [](const UploadJob& job) { return job.damaged; });
}

Result<std::optional<RemoteCopy>> CatalogReader::copy(ContentNo number, std::string_view remote) const {
  return read(*this, keys::copy(number, remote), decode_remote_copy);
}

Result<std::vector<std::pair<std::string, RemoteCopy>>> CatalogReader::copies(ContentNo number) const {
  std::vector<std::pair<std::string, RemoteCopy>> copies;
  const std::string prefix = keys::copy(number, "");
  SHOEBOX_TRY(
      scan_rows(*this, prefix, prefix, [&](std::string_view key, std::string_view value) -> Result<bool> {
        SHOEBOX_ASSIGN(RemoteCopy copy, decode_remote_copy(value));
        copies.emplace_back(std::string(key.substr(prefix.size())), std::move(copy));
        return true;
      }));
  return copies;
}

Result<std::optional<ContentNo>> CatalogReader::content_of_remote_key(std::string_view remote,
                                                                      std::string_view key) const {
  return read_id<ContentNo>(*this, keys::remote_key(remote, key));
}

Result<std::vector<std::pair<ContentNo, std::string>>> CatalogReader::spellings_of_remote_key(
    std::string_view remote, std::string_view key) const {
  std::vector<std::pair<ContentNo, std::string>> found;
  const std::string prefix = keys::folded_keys(remote, key);
  SHOEBOX_TRY(
      scan_rows(*this, prefix, prefix, [&](std::string_view row, std::string_view value) -> Result<bool> {
        SHOEBOX_ASSIGN(const uint64_t content, keys::decode_number(value));
        found.emplace_back(ContentNo(content), std::string(row.substr(prefix.size())));
        return true;
      }));
  return found;
}

Result<std::optional<TidyRecord>> CatalogReader::tidy(ContentNo number, std::string_view remote) const {
  return read(*this, keys::tidy(number, remote), decode_tidy);
}

Result<std::optional<LooseObject>> CatalogReader::loose(std::string_view remote, std::string_view key) const {
  return read(*this, keys::loose(remote, key), decode_loose);
}

Result<std::optional<TrashRecord>> CatalogReader::trash(InodeNo inode) const {
  return read(*this, keys::trash(inode), decode_trash);
}

Result<std::vector<VersionRecord>> CatalogReader::versions(PhotoId photo) const {
  std::vector<VersionRecord> versions;
  const std::string prefix = keys::versions(photo);
  SHOEBOX_TRY(scan_rows(*this, prefix, prefix, [&](std::string_view, std::string_view value) -> Result<bool> {
    SHOEBOX_ASSIGN(VersionRecord version, decode_version(value));
    versions.push_back(std::move(version));
    return true;
  }));
  return versions;
}

Result<std::optional<std::string>> CatalogReader::meta(std::string_view name) const {
  return get(keys::meta(name));
}

Status CatalogReader::for_each_inode(const std::function<bool(InodeNo, const InodeRecord&)>& fn) const {
  return for_each_record(*this, keys::kInode, decode_inode, fn);
}

Status CatalogReader::for_each_content(const std::function<bool(ContentNo, const ContentRecord&)>& fn) const {
  return for_each_record(*this, keys::kContent, decode_content, fn);
}

Status CatalogReader::for_each_photo(const std::function<bool(PhotoId, const PhotoRecord&)>& fn) const {
  return for_each_record(*this, keys::kPhoto, decode_photo, fn);
}

Status CatalogReader::for_each_trash(const std::function<bool(InodeNo, const TrashRecord&)>& fn) const {
  return for_each_record(*this, keys::kTrash, decode_trash, fn);
}

Status CatalogReader::for_each_tidy(std::string_view remote, ContentNo after,
                                    const std::function<bool(ContentNo)>& fn) const {
  const std::string prefix = keys::remote_tidies(remote);
  return scan_rows(*this, prefix, keys::remote_tidy(remote, ContentNo(after.value + 1)),
                   [&](std::string_view key, std::string_view) -> Result<bool> {
                     Decoder in(key.substr(prefix.size()));
                     const ContentNo content(in.be64());
                     if (!in.done()) return damaged_key("key to be tidied");
                     return fn(content);
                   });
}

Status CatalogReader::for_each_loose(
    std::string_view remote, std::string_view after,
    const std::function<bool(std::string_view, const LooseObject&)>& fn) const {
  const std::string prefix = keys::loose_objects(remote);
  const std::string from = after.empty() ? prefix : keys::loose(remote, after) + '\0';
  return scan_rows(*this, prefix, from, [&](std::string_view key, std::string_view value) -> Result<bool> {
    SHOEBOX_ASSIGN(const LooseObject object, decode_loose(value));
    return fn(key.substr(prefix.size()), object);
  });
}

Result<std::optional<SidecarObject>> CatalogReader::sidecar(PhotoId photo, std::string_view remote) const {
  return read(*this, keys::sidecar(photo, remote), decode_sidecar);
}

Result<std::vector<std::pair<std::string, SidecarObject>>> CatalogReader::sidecars(PhotoId photo) const {
  std::vector<std::pair<std::string, SidecarObject>> all;
  const std::string prefix = keys::sidecars(photo);
  SHOEBOX_TRY(
      scan_rows(*this, prefix, prefix, [&](std::string_view key, std::string_view value) -> Result<bool> {
        SHOEBOX_ASSIGN(SidecarObject object, decode_sidecar(value));
        all.emplace_back(key.substr(prefix.size()), std::move(object));
        return true;
      }));
  return all;
}

Result<std::optional<TidyRecord>> CatalogReader::sidecar_mark(std::string_view remote, PhotoId photo) const {
  return read(*this, keys::remote_sidecar(remote, photo), decode_tidy);
}

Status CatalogReader::for_each_sidecar_mark(std::string_view remote, PhotoId after,
                                            const std::function<bool(PhotoId, const TidyRecord&)>& fn) const {
  const std::string prefix = keys::remote_sidecars(remote);
  return scan_rows(*this, prefix, keys::remote_sidecar(remote, PhotoId(after.value + 1)),
                   [&](std::string_view key, std::string_view value) -> Result<bool> {
                     Decoder in(key.substr(prefix.size()));
                     const PhotoId photo(in.be64());
                     if (!in.done()) return damaged_key("sidecar to be sent");
                     SHOEBOX_ASSIGN(const TidyRecord record, decode_tidy(value));
                     return fn(photo, record);
                   });
}

Status CatalogReader::for_each_moved_folder(const std::function<bool(InodeNo, uint64_t)>& fn) const {
  const std::string prefix = keys::table(keys::kMovedFolder);
  return scan_rows(*this, prefix, prefix, [&](std::string_view key, std::string_view value) -> Result<bool> {
    SHOEBOX_ASSIGN(const uint64_t move, keys::decode_number(value));
    return fn(InodeNo(keys::split(key, 1).first), move);
  });
}

Status CatalogReader::for_each_job(std::string_view remote, ContentNo after,
                                   const std::function<bool(const UploadJob&)>& fn) const {
  const std::string prefix = keys::remote_jobs(remote);
  return scan_rows(*this, prefix, keys::remote_job(remote, ContentNo(after.value + 1)),
                   [&](std::string_view key, std::string_view) -> Result<bool> {
                     Decoder in(key.substr(prefix.size()));
                     const ContentNo content(in.be64());
                     if (!in.done()) return damaged_key("queued upload");
                     SHOEBOX_ASSIGN(const std::optional<UploadJob> job,
                                    read(*this, keys::job(content, remote), decode_upload_job));
                     return !job || fn(*job);  // gone since the scan began
                   });
}

}  // namespace shoebox
