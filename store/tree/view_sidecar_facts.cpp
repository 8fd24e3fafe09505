// When XMP sidecars are read, and when what they said no longer counts.
//
// A photo's record lists the sidecars beside its names by their bytes, with what each says once it
// is read. The list is made anew in the transaction that changes a name or the bytes.

#include <algorithm>

#include "store/tree/person_names.h"
#include "store/tree/sidecar_facts.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_sidecars.h"

namespace shoebox {

namespace {

// The bytes of the sidecars beside the photo's names.
Result<std::set<ContentNo>> sidecars_of(const CatalogReader& reader, const ViewRows& view_rows,
                                        PhotoId photo) {
  SHOEBOX_ASSIGN(const std::vector<Row> rows, view_rows.of_photo(reader, photo));
  std::set<ContentNo> standing;
  for (const Row& row : rows) {
    if (row.in_trash()) continue;
    SHOEBOX_ASSIGN(auto beside, xmp_beside(reader, row.directory, row.name));
    standing.merge(beside);
  }
  return standing;
}

}  // namespace

Result<bool> ViewEngine::note_sidecars(Transaction& txn, PhotoId photo, PhotoRecord& record) const {
  SHOEBOX_ASSIGN(const std::set<ContentNo> standing, sidecars_of(txn, rows_, photo));
  bool changed =
      std::erase_if(record.sidecars, [&](const auto& entry) { return !standing.contains(entry.first); }) > 0;
  for (const ContentNo content : standing) {
    if (!record.sidecars.try_emplace(content).second) continue;
    changed = true;
    // Bytes that are still being written are read once they are sealed.
    SHOEBOX_ASSIGN(const auto bytes, txn.content(content));
    if (bytes && bytes->state == ContentState::kSealed)
      txn.after_commit([this, content] { decode_wanted_(content); });
  }
  return changed;
}

Status ViewEngine::heed_sidecars(Transaction& txn, PhotoId photo) const {
  SHOEBOX_ASSIGN(const auto record, txn.photo(photo));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(const std::set<ContentNo> standing, sidecars_of(txn, rows_, photo));
  const bool same =
      std::equal(record->sidecars.begin(), record->sidecars.end(), standing.begin(), standing.end(),
                 [](const auto& noted, ContentNo content) { return noted.first == content; });
  return same ? Status::ok() : refresh(txn, photo);
}

Status ViewEngine::sidecar_said(Transaction& txn, InodeNo directory, std::string_view name) const {
  if (!is_xmp_name(name)) return Status::ok();
  SHOEBOX_ASSIGN(const auto photos, photos_of_sidecar(txn, directory, name));
  for (const PhotoId photo : photos) SHOEBOX_TRY(heed_sidecars(txn, photo));
  return Status::ok();
}

Status ViewEngine::sidecar_written(Transaction& txn, InodeNo inode) const {
  SHOEBOX_ASSIGN(const auto names, txn.names_of(inode));
  for (const NameOf& name : names) SHOEBOX_TRY(sidecar_said(txn, name.directory, name.name));
  return Status::ok();
}

Result<std::string> ViewEngine::sidecar_wanted(const CatalogReader& reader, ContentNo content) const {
  SHOEBOX_ASSIGN(const auto inodes, reader.inodes_of_content(content));
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const auto names, reader.names_of(inode));
    for (const NameOf& name : names) {
      if (!is_xmp_name(name.name)) continue;
      SHOEBOX_ASSIGN(const auto photos, photos_of_sidecar(reader, name.directory, name.name));
      for (const PhotoId photo : photos) {
        SHOEBOX_ASSIGN(const auto record, reader.photo(photo));
        if (!record) continue;
        const auto entry = record->sidecars.find(content);
        if (entry != record->sidecars.end() && entry->second.kind == MediaKind::kUnknown) return name.name;
      }
    }
  }
  return std::string();
}

Status ViewEngine::sidecar_read(Transaction& txn, ContentNo content, const MediaInfo& facts) const {
  std::set<PhotoId> photos;
  SHOEBOX_ASSIGN(const auto inodes, txn.inodes_of_content(content));
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const auto names, txn.names_of(inode));
    for (const NameOf& name : names) {
      if (!is_xmp_name(name.name)) continue;
      SHOEBOX_ASSIGN(auto beside, photos_of_sidecar(txn, name.directory, name.name));
      photos.merge(beside);
    }
  }
  for (const PhotoId photo : photos) {
    SHOEBOX_ASSIGN(auto record, txn.photo(photo));
    if (!record) continue;
    const auto entry = record->sidecars.find(content);
    if (entry == record->sidecars.end()) continue;
    entry->second = facts;
    tidy(entry->second.people);
    SHOEBOX_TRY(use_present_names(txn, entry->second.people));
    apply_sidecars(*record);
    if (record->info.kind != MediaKind::kUnknown) SHOEBOX_TRY(settle(txn, photo, *record));
    txn.put_photo(photo, *record);
    SHOEBOX_TRY(refresh(txn, photo));
  }
  return Status::ok();
}

}  // namespace shoebox
