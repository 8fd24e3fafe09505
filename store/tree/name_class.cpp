#include "store/tree/name_class.h"

#include <algorithm>
#include <array>

namespace shoebox {
namespace {

// Sorted, for binary search. Raw formats by the extensions their makers use.
constexpr auto kMediaExtensions = std::to_array<std::string_view>(
    {"3fr",  "3g2",  "3gp",  "arw", "avi",  "avif", "bmp",  "cap", "cr2",  "cr3", "crw", "dcr",  "dng",
     "eip",  "erf",  "fff",  "flv", "gif",  "gpr",  "heic", "heif", "hif", "iiq", "insp", "insv", "jfif",
     "jp2",  "jpe",  "jpeg", "jpg", "jxl",  "k25",  "kdc",  "lrv", "m2ts", "m4v", "mef", "mkv",  "mos",
     "mov",  "mp4",  "mpeg", "mpg", "mpo",  "mrw",  "mts",  "mxf", "nef",  "nrw", "ogv", "orf",  "ori",
     "pef",  "png",  "psd",  "raf", "raw",  "rw2",  "rwl",  "sr2", "srf",  "srw", "tif", "tiff", "webm",
     "webp", "wmv",  "x3f"});

// Endings by which programs mark a file that is not finished or not the real one.
constexpr auto kTemporaryExtensions =
    std::to_array<std::string_view>({"crdownload", "download", "filepart", "part", "partial", "swp", "tmp"});

// Files that desktops write into every folder they show.
constexpr auto kDesktopFiles = std::to_array<std::string_view>({"desktop.ini", "ehthumbs.db", "thumbs.db"});

constexpr auto kSidecarExtensions = std::to_array<std::string_view>({"aae", "thm", "xmp"});

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

template <size_t N>
bool contains(const std::array<std::string_view, N>& sorted, std::string_view text) {
  return std::binary_search(sorted.begin(), sorted.end(), text);
}

}  // namespace

std::string_view extension_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return name.substr(dot);
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.size() - extension_of(name).size());
}

NameClass classify_name(std::string_view name) {
  static_assert(std::ranges::is_sorted(kMediaExtensions) && std::ranges::is_sorted(kTemporaryExtensions));
  if (name.empty() || name.front() == '.' || name.back() == '~') return NameClass::kJunk;
  if (contains(kDesktopFiles, lower(name))) return NameClass::kJunk;
  std::string extension = lower(extension_of(name));
  if (extension.size() < 2) return NameClass::kOther;
  extension.erase(0, 1);
  if (contains(kTemporaryExtensions, extension)) return NameClass::kJunk;
  if (contains(kSidecarExtensions, extension)) return NameClass::kSidecar;
  if (contains(kMediaExtensions, extension)) return NameClass::kMedia;
  return NameClass::kOther;
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

SidecarForm sidecar_form(std::string_view sidecar, std::string_view photo) {
  if (classify_name(sidecar) != NameClass::kSidecar) return SidecarForm::kNone;
  const std::string_view base = stem_of(sidecar);
  if (base == photo) return SidecarForm::kWhole;
  if (base == stem_of(photo)) return SidecarForm::kStem;
  return SidecarForm::kNone;
}

std::string sidecar_name(std::string_view sidecar, SidecarForm form, std::string_view photo) {
  std::string result(form == SidecarForm::kWhole ? photo : stem_of(photo));
  result.append(extension_of(sidecar));
  return result;
}

}  // namespace shoebox
