#include "store/base/file_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace shoebox {
namespace {

constexpr size_t kMaxNameBytes = 255;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

template <size_t N>
bool contains(const std::array<std::string_view, N>& sorted, std::string_view value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

// Sorted, lower case. Raw formats by the extensions their makers use.
constexpr auto kPhotoExtensions = std::to_array<std::string_view>(
    {".3fr", ".apng", ".arw",  ".avif", ".bmp",  ".cap",  ".cr2",  ".cr3", ".crw", ".dcr",  ".dng",
     ".eip", ".erf",  ".fff",  ".gif",  ".gpr",  ".heic", ".heif", ".hif", ".iiq", ".insp", ".jfif",
     ".jp2", ".jpe",  ".jpeg", ".jpg",  ".jxl",  ".k25",  ".kdc",  ".mef", ".mos", ".mpo",  ".mrw",
     ".nef", ".nrw",  ".orf",  ".ori",  ".pef",  ".png",  ".psd",  ".raf", ".raw", ".rw2",  ".rwl",
     ".sr2", ".srf",  ".srw",  ".tif",  ".tiff", ".webp", ".x3f"});
constexpr auto kVideoExtensions = std::to_array<std::string_view>(
    {".3g2", ".3gp", ".avi", ".flv", ".insv", ".lrv", ".m2ts", ".m4v", ".mkv", ".mov", ".mp4", ".mpeg",
     ".mpg", ".mts", ".mxf", ".ogv", ".webm", ".wmv"});
static_assert(std::is_sorted(kPhotoExtensions.begin(), kPhotoExtensions.end()));
static_assert(std::is_sorted(kVideoExtensions.begin(), kVideoExtensions.end()));

// ".IMG_1.jpg.a8Xk2Q": what rsync and mkstemp callers write beside the real name.
bool looks_like_mkstemp(std::string_view name) {
  if (name.size() < 9 || name.front() != '.') return false;
  const size_t dot = name.rfind('.');
  if (dot == 0 || name.size() - dot != 7) return false;
  return std::all_of(name.begin() + static_cast<ptrdiff_t>(dot) + 1, name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

// What programs put behind the name of a file whose former bytes they keep.
constexpr auto kBackupEndings = std::to_array<std::string_view>({"_original", "~", ".bak"});

}  // namespace

std::string_view extension_of(std::string_view name) {
  const size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot);
}

std::string_view stem_of(std::string_view name) {
  return name.substr(0, name.size() - extension_of(name).size());
}

bool is_temporary(std::string_view name) {
  const std::string low = lower(name);
  for (std::string_view suffix : {".part", ".partial", ".crdownload", ".download", ".swp", ".tmp", ".temp",
                                  ".filepart", "_exiftool_tmp"})
    if (low.size() > suffix.size() && low.ends_with(suffix)) return true;
  return low.starts_with(".goutputstream-") || low.starts_with(".~tmp~") || looks_like_mkstemp(name);
}

bool is_junk(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.back() == '~') return true;
  if (is_temporary(name)) return true;
  const std::string low = lower(name);
  return low == "thumbs.db" || low == "ehthumbs.db" || low == "desktop.ini";
}

bool is_video_name(std::string_view name) { return contains(kVideoExtensions, lower(extension_of(name))); }

bool is_media_name(std::string_view name) {
  const std::string extension = lower(extension_of(name));
  return contains(kPhotoExtensions, extension) || contains(kVideoExtensions, extension);
}

std::optional<SidecarOf> sidecar_of(std::string_view name) {
  if (is_junk(name)) return std::nullopt;
  const std::string extension = lower(extension_of(name));
  const std::string_view stem = stem_of(name);
  const bool of_whole_name = is_media_name(stem);
  // JSON is a sidecar only beside a whole name, as Google Takeout writes it.
  if (extension == ".json") {
    std::string_view base = stem;
    if (lower(base).ends_with(".supplemental-metadata"))
      base.remove_suffix(std::string_view(".supplemental-metadata").size());
    if (!is_media_name(base)) return std::nullopt;
    return SidecarOf{std::string(base), true};
  }
  if (extension != ".xmp" && extension != ".aae" && extension != ".thm" && extension != ".pp3")
    return std::nullopt;
  return SidecarOf{std::string(stem), of_whole_name};
}

bool is_sidecar_of(std::string_view sidecar, std::string_view photo) {
  const auto of = sidecar_of(sidecar);
  if (!of || !is_media_name(photo)) return false;
  return of->whole_name ? of->name == photo : of->name == stem_of(photo);
}

std::string_view photo_of_backup_copy(std::string_view name) {
  for (const std::string_view ending : kBackupEndings) {
    if (!name.ends_with(ending)) continue;
    const std::string_view photo = name.substr(0, name.size() - ending.size());
    if (is_media_name(photo)) return photo;
  }
  return {};
}

std::vector<std::string> backup_copy_names(std::string_view name) {
  if (!is_media_name(name)) return {};
  std::vector<std::string> names;
  for (const std::string_view ending : kBackupEndings) names.push_back(fmt::format("{}{}", name, ending));
  names.push_back(fmt::format("{}.bak", stem_of(name)));
  return names;
}

std::string numbered_name(std::string_view name, unsigned number) {
  const std::string_view extension = extension_of(name);
  std::string stem(stem_of(name));
  const std::string tail = fmt::format(" ({}){}", number, extension);
  if (tail.size() >= kMaxNameBytes) return fmt::format("{} ({})", name.substr(0, 200), number);
  if (stem.size() + tail.size() > kMaxNameBytes) {
    size_t keep = kMaxNameBytes - tail.size();
    while (keep > 0 && (static_cast<unsigned char>(stem[keep]) & 0xC0) == 0x80) --keep;
    stem.resize(keep);
  }
  return stem + tail;
}

}  // namespace shoebox
