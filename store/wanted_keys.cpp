#include "store/wanted_keys.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "store/tree/tree_paths.h"
#include "store/upload_key.h"

namespace shoebox {
namespace {

constexpr std::string_view kVersionsFolder = ".shoebox/versions/";
constexpr std::string_view kShortFolder = ".shoebox/short/";

// Which name of a content counts: the lowest rank.
enum Rank : int { kInLibrary, kInView, kJunkName, kLetGo };

struct Paths {
  Rank rank = kLetGo;
  std::vector<std::string> paths;  // all of that rank; for kLetGo where it once was
};

Status add_names(const CatalogReader& reader, InodeNo inode, Paths& found) {
  const auto add = [&](Rank rank, std::string path) {
    if (rank > found.rank) return;
    if (rank < found.rank) found.paths.clear();
    found.rank = rank;
    found.paths.push_back(std::move(path));
  };
  SHOEBOX_ASSIGN(const std::vector<NameOf> names, reader.names_of(inode));
  for (const NameOf& name : names) {
    SHOEBOX_ASSIGN(const auto directory, reader.inode(name.directory));
    if (!directory || directory->view == ViewId::kTrash || directory->view == ViewId::kTrashAlias) continue;
    const Rank rank = is_junk(name.name)                    ? kJunkName
                      : directory->view == ViewId::kLibrary ? kInLibrary
                                                            : kInView;
    if (rank > found.rank) continue;
    auto path = path_of_name(reader, name);
    if (path) add(rank, std::move(*path));
    if (!path && path.code() != Code::kNotFound) return path.status();
  }
  if (found.rank != kLetGo) return Status::ok();
  SHOEBOX_ASSIGN(const auto trash, reader.trash(inode));
  if (trash) found.paths.push_back(trash->path);
  return Status::ok();
}

// The path that a key was made from, as far as it tells.
std::string path_of_key(std::string_view key, const ContentHash& sha256) {
  if (key.starts_with(kShortFolder)) return {};
  std::string path(key);
  const std::string mark = "~" + sha256.hex().substr(0, 8);
  if (const size_t at = path.rfind(mark); at != std::string::npos) path.erase(at, mark.size());
  return path;
}

}  // namespace

Result<std::vector<std::string>> wanted_keys(const CatalogReader& reader, ContentNo content,
                                             const ContentHash& sha256, std::string_view current,
                                             const KeyLimits& limits) {
  Paths found;
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_content(content));
  for (const InodeNo inode : inodes) SHOEBOX_TRY(add_names(reader, inode, found));
  std::string first;
  if (found.rank == kLetGo) {
    const bool stands_well = current.starts_with(kVersionsFolder) || current.starts_with(kShortFolder);
    if (stands_well) return std::vector<std::string>{std::string(current)};
    std::string path = found.paths.empty() ? path_of_key(current, sha256) : found.paths.front();
    first = version_key(path, sha256, limits);
  } else {
    for (const std::string& path : found.paths) {
      std::string key = upload_key(path, sha256, limits);
      if (key == current) return std::vector<std::string>{std::move(key)};
      // On a remote that ignores case or Unicode forms both spellings name one object: copying it to the
      // other and removing the old one would remove the only one.
      if (limits.folds != KeyLimits::Folds::kNo && keys::fold(key) == keys::fold(current)) {
        return std::vector<std::string>{std::string(current)};
      }
      if (first.empty()) first = std::move(key);
    }
  }
  // Equal bytes twice, as two contents: the number tells them apart.
  return std::vector<std::string>{first, upload_key_beside(first, sha256, limits),
                                  fmt::format("{}{}-{}", kShortFolder, sha256.hex(), content.value)};
}

Result<std::optional<KeyHolder>> other_holder(const CatalogReader& reader, std::string_view remote,
                                              std::string_view key, ContentNo content,
                                              const KeyLimits& limits) {
  SHOEBOX_ASSIGN(const auto holder, reader.content_of_remote_key(remote, key));
  if (holder && *holder != content) return std::optional(KeyHolder{*holder, std::string(key)});
  if (limits.folds == KeyLimits::Folds::kNo) return std::optional<KeyHolder>();
  SHOEBOX_ASSIGN(const auto spellings, reader.spellings_of_remote_key(remote, key));
  for (const auto& [other, spelling] : spellings) {
    if (other && other != content) return std::optional(KeyHolder{other, spelling});
  }
  return std::optional<KeyHolder>();
}

Result<std::optional<LooseAt>> loose_in_the_way(const CatalogReader& reader, std::string_view remote,
                                                std::string_view key, ContentNo content,
                                                const KeyLimits& limits) {
  SHOEBOX_ASSIGN(auto exact, reader.loose(remote, key));
  if (exact && (exact->maker != content || exact->keep))
    return std::optional(LooseAt{std::move(*exact), std::string(key)});
  if (limits.folds == KeyLimits::Folds::kNo) return std::optional<LooseAt>();
  SHOEBOX_ASSIGN(const auto spellings, reader.spellings_of_remote_key(remote, key));
  for (const auto& [holder, spelling] : spellings) {
    if (holder || spelling == key) continue;
    SHOEBOX_ASSIGN(auto object, reader.loose(remote, spelling));
    if (object && (object->maker != content || object->keep))
      return std::optional(LooseAt{std::move(*object), spelling});
  }
  return std::optional<LooseAt>();
}

Result<bool> lies_where_found(const CatalogReader& reader, std::string_view remote, ContentNo content,
                              std::string_view key) {
  SHOEBOX_ASSIGN(const auto copy, reader.copy(content, remote));
  if (!copy || copy->key != key) return false;
  SHOEBOX_ASSIGN(const auto record, reader.content(content));
  if (record && record->state == ContentState::kAdopted) return true;
  if (copy->adopted_path.empty()) return false;
  Paths found;
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_content(content));
  for (const InodeNo inode : inodes) SHOEBOX_TRY(add_names(reader, inode, found));
  return found.rank == kInLibrary &&
         std::find(found.paths.begin(), found.paths.end(), copy->adopted_path) != found.paths.end();
}

Result<bool> belongs_at(const CatalogReader& reader, std::string_view remote, ContentNo content,
                        std::string_view key, const KeyLimits& limits) {
  KeyLimits known = limits;  // what may be in the way is no reason to stay beside it
  if (known.folds == KeyLimits::Folds::kMaybe) known.folds = KeyLimits::Folds::kNo;
  SHOEBOX_ASSIGN(const auto record, reader.content(content));
  if (!record) return false;
  SHOEBOX_ASSIGN(const bool stays, lies_where_found(reader, remote, content, key));
  if (stays) return true;
  SHOEBOX_ASSIGN(const auto wanted, wanted_keys(reader, content, record->sha256, key, limits));
  for (const std::string& better : wanted) {
    if (better == key) return true;
    SHOEBOX_ASSIGN(const auto holder, other_holder(reader, remote, better, content, known));
    if (!holder) {
      SHOEBOX_ASSIGN(const auto loose, loose_in_the_way(reader, remote, better, content, known));
      if (loose && loose->object.keep) continue;  // somebody's object
      return false;
    }
    SHOEBOX_ASSIGN(const auto other, reader.content(holder->content));
    if (!other) return false;
    SHOEBOX_ASSIGN(const bool other_stays, lies_where_found(reader, remote, holder->content, holder->key));
    if (other_stays) continue;
    SHOEBOX_ASSIGN(const auto of_other,
                   wanted_keys(reader, holder->content, other->sha256, holder->key, limits));
    if (of_other.front() != holder->key) return false;  // it will leave
  }
  return false;
}

}  // namespace shoebox
