#include "store/tree/name_class.h"

#include <sys/stat.h>

#include <algorithm>

#include "store/catalog/catalog.h"

namespace shoebox {

NameClass classify_name(std::string_view name) {
  if (is_junk(name)) return NameClass::kJunk;
  if (is_sidecar(name)) return NameClass::kSidecar;
  return is_media_name(name) ? NameClass::kMedia : NameClass::kOther;
}

Result<bool> is_backup_copy(const CatalogReader& reader, InodeNo directory, std::string_view name) {
  const std::string_view photo = photo_of_backup_copy(name);
  if (photo.empty()) return false;
  SHOEBOX_ASSIGN(const auto beside, reader.dentry(directory, photo));
  return beside && S_ISREG(beside->type);
}

bool shows_in_views(const PhotoRecord& photo) {
  switch (photo.info.kind) {
    case MediaKind::kPhoto:
    case MediaKind::kVideo: return true;
    case MediaKind::kUndecodable: return classify_name(photo.original_name) == NameClass::kMedia;
    case MediaKind::kUnknown:
    case MediaKind::kOther: return false;
  }
  return false;
}

Result<bool> counts_as_video(const CatalogReader& reader, PhotoId id, const PhotoRecord& photo) {
  if (photo.info.kind == MediaKind::kVideo) return true;
  if (photo.info.kind == MediaKind::kPhoto) return false;
  if (is_video_name(photo.original_name)) return true;
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_photo(id));
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const std::vector<NameOf> names, reader.names_of(inode));
    const bool any =
        std::any_of(names.begin(), names.end(), [](const NameOf& name) { return is_video_name(name.name); });
    if (any) return true;
  }
  return false;
}

SidecarForm sidecar_form(std::string_view sidecar, std::string_view photo) {
  const auto of = sidecar_of(sidecar);
  if (!of) return SidecarForm::kNone;
  if (of->name == photo) return SidecarForm::kWhole;
  return !of->whole_name && of->name == stem_of(photo) ? SidecarForm::kStem : SidecarForm::kNone;
}

std::string sidecar_name(std::string_view sidecar, SidecarForm form, std::string_view photo) {
  const auto of = sidecar_of(sidecar);
  std::string result(form == SidecarForm::kWhole ? photo : stem_of(photo));
  // ".xmp", or ".supplemental-metadata.json" of Google's.
  result.append(of ? sidecar.substr(of->name.size()) : extension_of(sidecar));
  return result;
}

}  // namespace shoebox
