#include "store/tree/content_refs.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "store/base/file_names.h"
#include "store/catalog/catalog.h"

namespace shoebox {
namespace {

// A photo goes when no inode carries it and none (in Trash, or open) holds its bytes; its own
// versions do not keep it.
Status forget_photo_if_unused(Transaction& txn, PhotoId photo) {
  SHOEBOX_ASSIGN(const auto record, txn.photo(photo));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(const auto inodes, txn.inodes_of_photo(photo));
  if (!inodes.empty()) return Status::ok();
  if (record->content) {
    SHOEBOX_ASSIGN(const auto holders, txn.inodes_of_content(record->content));
    if (!holders.empty()) return Status::ok();
  }
  SHOEBOX_ASSIGN(const auto versions, txn.versions(photo));
  SHOEBOX_TRY(txn.erase_photo(photo));
  for (const VersionRecord& version : versions) {
    txn.erase_version(photo, version.content);
    SHOEBOX_TRY(release_content(txn, version.content));
  }
  return Status::ok();
}

// "Trip/Day 1": the display values from below the view's root down to `directory`.
Result<std::string> value_of_directory(const CatalogReader& reader, InodeNo directory) {
  std::string value;
  for (InodeNo at = directory; at >= kFirstFreeInode;) {
    SHOEBOX_ASSIGN(const auto record, reader.inode(at));
    if (!record) break;
    value = value.empty() ? record->view_value : record->view_value + "/" + value;
    at = record->parent;
  }
  return value;
}

// Inodes that keep the old bytes when `photo` moves on become a photo of their own, with the
// statements that their own names make.
Result<PhotoId> split_off_others(Transaction& txn, PhotoId photo, const PhotoRecord& record,
                                 InodeNo leaving) {
  SHOEBOX_ASSIGN(auto inodes, txn.inodes_of_photo(photo));
  std::erase(inodes, leaving);
  if (inodes.empty()) return PhotoId{};
  PhotoRecord rest = record;
  // A favourite is one whatever its names are.
  std::erase_if(rest.statements, [](const auto& said) { return said.first.view != ViewId::kFavorites; });
  for (InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const auto names, txn.names_of(inode));
    for (const NameOf& name : names) {
      SHOEBOX_ASSIGN(const auto directory, txn.inode(name.directory));
      if (!directory) continue;
      SHOEBOX_ASSIGN(std::string value, value_of_directory(txn, name.directory));
      const auto statement = record.statements.find(ViewValue{directory->view, std::move(value)});
      if (statement != record.statements.end()) rest.statements.insert(*statement);
    }
  }
  const PhotoId own = txn.new_photo_id();
  txn.put_photo(own, rest);
  for (InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(auto twin, txn.inode(inode));
    if (!twin) continue;
    twin->photo = own;
    txn.put_inode(inode, *twin);
  }
  // What stands on remotes beside the old bytes stays with them: as of both, neither would know it as its
  // own.
  SHOEBOX_ASSIGN(const auto sidecars, txn.sidecars(photo));
  for (const auto& [remote, object] : sidecars) {
    txn.put_sidecar(own, remote, object);
    txn.erase_sidecar(photo, remote);
  }
  txn.look_at_sidecars(own);
  txn.look_at_sidecars(photo);
  return own;
}

// Whether old bytes are a photo's: found so, or, where the decoder has not seen them or cannot read
// them, so by their name. What is still being written is a state between, not a version.
bool is_photo_to_keep(const PhotoRecord& photo, const ContentRecord& bytes,
                      const std::vector<NameOf>& names) {
  switch (photo.info.kind) {
    case MediaKind::kPhoto:
    case MediaKind::kVideo: return true;
    case MediaKind::kOther: return false;
    case MediaKind::kUnknown:
    case MediaKind::kUndecodable:
      return is_immutable(bytes.state) &&
             (is_media_name(photo.original_name) ||
              std::any_of(names.begin(), names.end(), [](const NameOf& n) { return is_media_name(n.name); }));
  }
  return false;
}

// New bytes of what shall stay on this disk shall as well. The old ones, as a version, need not, unless other
// files have them.
Status pass_pin(Transaction& txn, ContentNo from, ContentNo to, bool others_have_it) {
  SHOEBOX_ASSIGN(auto old, txn.content(from));
  SHOEBOX_ASSIGN(auto fresh, txn.content(to));
  if (!old || !old->pinned || !fresh) return Status::ok();
  fresh->pinned = true;
  txn.put_content(to, *fresh);
  if (others_have_it) return Status::ok();
  old->pinned = false;
  txn.put_content(from, *old);
  return Status::ok();
}

// The bytes that a photo had last. It has none while its file is empty, as between a truncation and the write
// behind it; the former ones are then its latest version.
Result<ContentNo> last_bytes(const CatalogReader& reader, PhotoId photo, const PhotoRecord& record) {
  if (record.content) return record.content;
  SHOEBOX_ASSIGN(const auto versions, reader.versions(photo));
  const auto latest =
      std::max_element(versions.begin(), versions.end(), [](const VersionRecord& a, const VersionRecord& b) {
        return std::tie(a.replaced_s, a.content) < std::tie(b.replaced_s, b.content);
      });
  return latest == versions.end() ? ContentNo() : latest->content;
}

// The pin of what the photo had goes to what it gets. `twins`: other inodes keep the bytes that it has now.
Status pass_pin_of_photo(Transaction& txn, PhotoId photo, const PhotoRecord& record, ContentNo content,
                         bool twins) {
  SHOEBOX_ASSIGN(const ContentNo former, last_bytes(txn, photo, record));
  if (!former || former == content) return Status::ok();
  SHOEBOX_ASSIGN(const auto others, txn.inodes_of_content(former));
  return pass_pin(txn, former, content, twins || (!record.content && !others.empty()));
}

}  // namespace

Status retain_content(Transaction& txn, ContentNo content) {
  if (!content) return Status::ok();
  SHOEBOX_ASSIGN(auto record, txn.content(content));
  if (!record)
    return Status(Code::kDataLoss, fmt::format("content {} is named but not there; run fsck", content.value));
  ++record->references;
  txn.put_content(content, *record);
  return Status::ok();
}

Status release_content(Transaction& txn, ContentNo content) {
  if (!content) return Status::ok();
  SHOEBOX_ASSIGN(auto record, txn.content(content));
  if (!record) return Status::ok();
  SHOEBOX_ASSIGN(const auto inodes, txn.inodes_of_content(content));
  // Never below what the index shows: a count that is too low must not cost bytes.
  const uint32_t less_one = record->references > 0 ? record->references - 1 : 0;
  record->references = std::max(less_one, static_cast<uint32_t>(inodes.size()));
  SHOEBOX_ASSIGN(const auto photo, txn.photo_of_content(content));
  if (record->references > 0)
    txn.put_content(content, *record);
  else
    SHOEBOX_TRY(txn.erase_content(content));
  return photo ? forget_photo_if_unused(txn, *photo) : Status::ok();
}

Result<bool> held_by_version(const CatalogReader& reader, ContentNo content) {
  SHOEBOX_ASSIGN(const auto record, reader.content(content));
  if (!record) return false;
  SHOEBOX_ASSIGN(const auto inodes, reader.inodes_of_content(content));
  return record->references > inodes.size();
}

Status forget_photo(Transaction& txn, PhotoId photo) {
  return photo ? forget_photo_if_unused(txn, photo) : Status::ok();
}

Status keep_version(Transaction& txn, PhotoId photo, ContentNo content, std::string_view name,
                    const Timestamp& now) {
  SHOEBOX_ASSIGN(const auto versions, txn.versions(photo));
  const bool known = std::any_of(versions.begin(), versions.end(),
                                 [&](const VersionRecord& v) { return v.content == content; });
  txn.put_version(photo, VersionRecord{content, now.seconds, std::string(name)});
  if (known) return release_content(txn, content);
  SHOEBOX_ASSIGN(auto record, txn.content(content));
  if (record && record->references == 0) {
    record->references = 1;
    txn.put_content(content, *record);
  }
  return Status::ok();
}

Result<PhotoId> move_photo_to(Transaction& txn, PhotoId photo, InodeNo inode, ContentNo content) {
  SHOEBOX_ASSIGN(auto record, txn.photo(photo));
  if (!record || record->content == content) return PhotoId{};
  SHOEBOX_ASSIGN(const PhotoId rest, split_off_others(txn, photo, *record, inode));
  SHOEBOX_TRY(pass_pin_of_photo(txn, photo, *record, content, /*twins=*/static_cast<bool>(rest)));
  record->content = content;
  // Rows stay as they are until the decoder has seen the new bytes.
  record->info.kind = MediaKind::kUnknown;
  txn.put_photo(photo, *record);
  return rest;
}

Result<PhotoId> replace_content(Transaction& txn, InodeNo inode, InodeRecord& record, ContentNo content,
                                const Timestamp& now) {
  const ContentNo old = record.content;
  if (old == content) {
    txn.put_inode(inode, record);
    return PhotoId{};
  }
  record.content = content;
  txn.put_inode(inode, record);
  if (!record.photo) {
    SHOEBOX_TRY(pass_pin(txn, old, content, /*others_have_it=*/true));
    SHOEBOX_TRY(release_content(txn, old));
    return PhotoId{};
  }
  SHOEBOX_ASSIGN(const auto photo, txn.photo(record.photo));
  SHOEBOX_ASSIGN(const auto old_record, txn.content(old));
  SHOEBOX_ASSIGN(const auto names, txn.names_of(inode));
  const bool was_photo = photo && old_record && is_photo_to_keep(*photo, *old_record, names);
  SHOEBOX_ASSIGN(const PhotoId rest, move_photo_to(txn, record.photo, inode, content));
  if (!was_photo || !old_record || old_record->size == 0) {
    SHOEBOX_TRY(release_content(txn, old));
    return rest;
  }
  SHOEBOX_TRY(keep_version(txn, record.photo, old, names.empty() ? std::string() : names.front().name, now));
  return rest;
}

}  // namespace shoebox
