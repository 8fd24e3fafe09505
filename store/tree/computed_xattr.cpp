#include "store/tree/computed_xattr.h"

#include <fmt/format.h>

#include "store/content/content_store.h"
#include "store/tree/date_text.h"
#include "store/tree/place_text.h"

namespace shoebox {
namespace {

Status no_attribute(std::string_view name) { return {Code::kNoAttribute, fmt::format("{}: not set", name)}; }

// The most that eviction leaves, in whole pages at both ends of the tail: more than that on the disk
// means that somebody read a part of it.
uint64_t kept_after_eviction(uint64_t size) {
  constexpr uint64_t kPageBytes = 4096;
  return size <= kKeepWholeBytes ? size : kHeadBytes + kTailBytes + 2 * kPageBytes;
}

Result<std::string> state_of(const TreeCore& core, const CatalogReader& reader, ContentNo number,
                             const ContentRecord& content) {
  SHOEBOX_ASSIGN(const auto jobs, reader.jobs_of_content(number));
  if (content.state == ContentState::kStaging || !jobs.empty()) return std::string("pending");
  if (content.residence == Residence::kLocal) return std::string("local");
  // Another machine has it, and did not send it yet.
  SHOEBOX_ASSIGN(const auto copies, reader.copies(number));
  if (copies.empty()) return std::string("pending");
  if (!core.local_bytes) return std::string("remote");
  SHOEBOX_ASSIGN(const uint64_t local, core.local_bytes(number));
  return std::string(local > kept_after_eviction(content.size) ? "partial" : "remote");
}

// Also of a file in Trash, whose inode carries none.
Result<std::optional<PhotoRecord>> photo_record(const CatalogReader& reader, InodeNo number,
                                                const InodeRecord& inode) {
  PhotoId photo = inode.photo;
  if (!photo) {
    SHOEBOX_ASSIGN(const auto trash, reader.trash(number));
    if (trash) photo = trash->photo;
  }
  if (!photo) return std::optional<PhotoRecord>();
  return reader.photo(photo);
}

std::string lines(const std::set<std::string>& values) { return fmt::format("{}", fmt::join(values, "\n")); }

// What somebody said, else the names that the file and its sidecars tell, else the position.
std::string place_of(const PhotoRecord& photo) {
  if (photo.stated_place) return *photo.stated_place;
  std::string text = place_text(photo.info.place);
  if (text.empty() && photo.info.latitude && photo.info.longitude)
    text = position_text({*photo.info.latitude, *photo.info.longitude});
  return text;
}

}  // namespace

std::set<std::string> values_in_view(const PhotoRecord& photo, ViewId view) {
  std::set<std::string> values;
  if (view == ViewId::kPeople) {
    for (const std::string& person : photo.info.people)
      if (!photo.statements.contains({view, person})) values.insert(person);
  }
  for (const auto& [value, statement] : photo.statements)
    if (value.view == view && statement == Statement::kAsserted) values.insert(value.value);
  return values;
}

bool is_favorite(const PhotoRecord& photo) {
  const auto said = photo.statements.find({ViewId::kFavorites, {}});
  return said != photo.statements.end() && said->second == Statement::kAsserted;
}

Result<std::string> computed_xattr(const TreeCore& core, const CatalogReader& reader, InodeNo number,
                                   std::string_view name) {
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(reader, number));
  const std::string_view key = name.substr(kComputedPrefix.size());
  if (key == "sha256" || key == "state" || key == "copies" || key == "pin") {
    if (!inode.content) return no_attribute(name);
    SHOEBOX_ASSIGN(const auto content, reader.content(inode.content));
    if (!content) return no_attribute(name);
    if (key == "state") return state_of(core, reader, inode.content, *content);
    if (key == "pin") return std::string(content->pinned ? "1" : "0");
    if (key == "copies") {
      SHOEBOX_ASSIGN(const auto copies, reader.copies(inode.content));
      return fmt::format("{}", copies.size());
    }
    if (content->state != ContentState::kSealed) return no_attribute(name);
    return content->sha256.hex();
  }
  SHOEBOX_ASSIGN(const auto photo, photo_record(reader, number, inode));
  if (!photo) return no_attribute(name);
  std::string text;
  if (key == "date") {
    const auto& date = photo->stated_date ? photo->stated_date : photo->date;
    if (date) text = date_text(*date);
  } else if (key == "people") {
    text = lines(values_in_view(*photo, ViewId::kPeople));
  } else if (key == "albums") {
    text = lines(values_in_view(*photo, ViewId::kAlbums));
  } else if (key == "favorite") {
    text = is_favorite(*photo) ? "1" : "0";
  } else if (key == "place") {
    text = place_of(*photo);
  }
  if (text.empty()) return no_attribute(name);
  return text;
}

Result<std::optional<std::string>> described_xattr(const CatalogReader& reader, InodeNo number,
                                                   std::string_view name) {
  SHOEBOX_ASSIGN(const InodeRecord inode, need_inode(reader, number));
  SHOEBOX_ASSIGN(const auto photo, photo_record(reader, number, inode));
  if (!photo) return std::optional<std::string>();
  std::string text;
  if (name == "user.xdg.tags") text = fmt::format("{}", fmt::join(photo->info.tags, ","));
  if (name == "user.xdg.comment") text = photo->info.caption;
  // Baloo counts half stars.
  if (name == "user.baloo.rating" && photo->info.rating >= 0) text = std::to_string(photo->info.rating * 2);
  return text.empty() ? std::optional<std::string>() : std::optional(std::move(text));
}

}  // namespace shoebox
