#include "store/versions.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/catalog/catalog.h"
#include "store/files.h"
#include "store/importer.h"
#include "store/library.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

Result<FileVersion> describe(const CatalogReader& reader, ContentNo content, int64_t time_s) {
  FileVersion version;
  version.content = content;
  version.time_s = time_s;
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, reader.content(content));
  if (record) {
    version.size = record->size;
    version.local = record->residence == Residence::kLocal;
  }
  SHOEBOX_ASSIGN(const auto copies, reader.copies(content));
  for (const auto& [remote, copy] : copies) version.remotes.push_back(remote);
  return version;
}

bool holds(const std::vector<VersionRecord>& versions, ContentNo content) {
  return std::any_of(versions.begin(), versions.end(),
                     [&](const VersionRecord& v) { return v.content == content; });
}

// replace_content() keeps only what the decoder knows to be a photo's; here the present bytes stay
// whatever they are: whoever brings back an older version may want to go forward again.
Status keep_present(Transaction& txn, PhotoId photo, InodeNo file, ContentNo present, const Timestamp& now) {
  if (!present) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<VersionRecord> versions, txn.versions(photo));
  if (holds(versions, present)) return release_content(txn, present);
  SHOEBOX_ASSIGN(const std::vector<NameOf> names, txn.names_of(file));
  return keep_version(txn, photo, present, names.empty() ? std::string() : names.front().name, now);
}

}  // namespace

Result<std::vector<FileVersion>> versions_of(const CatalogReader& reader, InodeNo file) {
  std::vector<FileVersion> all;
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, reader.inode(file));
  if (!inode) return Status(Code::kNotFound, fmt::format("inode {}: is gone", file.value));
  if (inode->content) {
    SHOEBOX_ASSIGN(FileVersion present, describe(reader, inode->content, inode->mtime.seconds));
    present.current = true;
    all.push_back(std::move(present));
  }
  if (!inode->photo) return all;
  SHOEBOX_ASSIGN(std::vector<VersionRecord> older, reader.versions(inode->photo));
  std::stable_sort(older.begin(), older.end(), [](const VersionRecord& a, const VersionRecord& b) {
    return a.replaced_s != b.replaced_s ? a.replaced_s > b.replaced_s : a.content > b.content;
  });
  for (const VersionRecord& version : older) {
    if (version.content == inode->content) continue;
    SHOEBOX_ASSIGN(FileVersion described, describe(reader, version.content, version.replaced_s));
    all.push_back(std::move(described));
  }
  return all;
}

namespace {

Status put_version(Library& library, InodeNo file, ContentNo version) {
  const Timestamp now = library.clock().now();
  const std::unique_ptr<Transaction> txn = library.catalog().begin();
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, txn->inode(file));
  if (!inode) return {Code::kNotFound, "the file is gone"};
  if (inode->content == version) return {Code::kExists, "these are the bytes that the file has"};
  SHOEBOX_ASSIGN(const std::vector<VersionRecord> versions, txn->versions(inode->photo));
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> wanted, txn->content(version));
  if (!inode->photo || !holds(versions, version) || !wanted) {
    return {Code::kNotFound,
            fmt::format("it has no version {}; shoebox versions tells which it has", version.value)};
  }
  if (!is_immutable(wanted->state)) {
    return {Code::kBusy, "its bytes are still being hashed: try again in a moment"};
  }
  const ContentNo present = inode->content;
  SHOEBOX_TRY(retain_content(*txn, present));
  txn->erase_version(inode->photo, version);  // its hold on the bytes passes to the file
  txn->put_content(version, *wanted);         // whoever queues uploads looks at it
  InodeRecord changed = *inode;
  changed.size = wanted->size;
  changed.mtime = changed.ctime = now;
  SHOEBOX_TRY(library.tree().replace_content(*txn, file, changed, version));
  SHOEBOX_TRY(keep_present(*txn, inode->photo, file, present, now));
  return txn->commit();
}

}  // namespace

Status restore_version(Library& library, InodeNo file, ContentNo version) {
  SHOEBOX_TRY(library.files().replace(file, [&] { return put_version(library, file, version); }));
  SHOEBOX_TRY(library.catalog().sync());
  library.importer().enqueue(version);
  return Status::ok();
}

}  // namespace shoebox
