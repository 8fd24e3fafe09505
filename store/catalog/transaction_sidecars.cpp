// What a batch means for the sidecars on remotes: of a photo about which something was said, or whose copy
// stands somewhere else now, each is to be looked at. The rows that say so are part of the batch.

#include <algorithm>
#include <array>

#include "store/catalog/catalog_state.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

// Attributes by which an owner says something; they stand on all inodes of a photo.
constexpr std::array<std::string_view, 3> kSayingAttributes = {"user.xdg.tags", "user.xdg.comment",
                                                               "user.baloo.rating"};
constexpr std::string_view kExtension = ".xmp";

Result<bool> says_something(const CatalogReader& reader, PhotoId id) {
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, reader.photo(id));
  if (!photo) return false;
  if (photo->stated_date || photo->stated_place || !photo->statements.empty()) return true;
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_photo(id));
  if (inodes.empty()) return false;
  for (const std::string_view name : kSayingAttributes) {
    SHOEBOX_ASSIGN(const auto value, reader.xattr(inodes.front(), name));
    if (value) return true;
  }
  return false;
}

}  // namespace

void Transaction::put_sidecar(PhotoId photo, std::string_view remote, const SidecarObject& object) {
  state_->put(keys::sidecar(photo, remote), encode(object));
}

void Transaction::erase_sidecar(PhotoId photo, std::string_view remote) {
  state_->erase(keys::sidecar(photo, remote));
}

void Transaction::put_sidecar_mark(std::string_view remote, PhotoId photo, const TidyRecord& record) {
  state_->put(keys::remote_sidecar(remote, photo), encode(record));
  state_->change.sidecars = true;
}

void Transaction::erase_sidecar_mark(std::string_view remote, PhotoId photo) {
  state_->erase(keys::remote_sidecar(remote, photo));
  state_->change.sidecars = true;
}

void Transaction::look_at_sidecars(PhotoId photo) { state_->told.insert(photo); }

void Transaction::look_at_attribute(InodeNo number, std::string_view name) {
  if (std::find(kSayingAttributes.begin(), kSayingAttributes.end(), name) == kSayingAttributes.end()) return;
  const auto record = inode(number);
  if (!record) return state_->fail(record.status());
  if (*record && (*record)->photo) state_->told.insert((*record)->photo);
}

void Transaction::look_at_sidecar_of(ContentNo content) {
  const auto photo = photo_of_content(content);
  if (!photo) return state_->fail(photo.status());
  if (*photo) state_->told.insert(**photo);
}

// A sidecar stands beside the copy of its photo; not where the owner's own sidecar stands.
void Transaction::look_at_sidecar_of_copy(ContentNo content, std::string_view remote, std::string_view key) {
  look_at_sidecar_of(content);
  if (!key.ends_with(kExtension)) return;
  const auto original = content_of_remote_key(remote, key.substr(0, key.size() - kExtension.size()));
  if (!original) return state_->fail(original.status());
  if (*original) look_at_sidecar_of(**original);
}

// Of photos about which nobody said anything nothing is noted: an import of thousands costs nothing here.
Status Transaction::note_for_sidecars() {
  for (const PhotoId id : state_->told) {
    std::set<std::string> remotes;
    SHOEBOX_ASSIGN(const auto standing, sidecars(id));
    for (const auto& [remote, object] : standing) remotes.insert(remote);
    SHOEBOX_ASSIGN(const std::optional<PhotoRecord> record, photo(id));
    if (record) {
      SHOEBOX_ASSIGN(const auto all_copies, copies(record->content));
      bool says = false;
      if (!all_copies.empty()) {
        SHOEBOX_ASSIGN(says, says_something(*this, id));
      }
      for (const auto& [remote, copy] : all_copies) {
        if (says) remotes.insert(remote);
      }
    }
    for (const std::string& remote : remotes) put_sidecar_mark(remote, id, {});
  }
  return Status::ok();
}

}  // namespace shoebox
