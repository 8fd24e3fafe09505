#include "sync/remote/remote_marker.h"

#include <fmt/format.h>

#include <charconv>

namespace shoebox {

std::string_view remote_marker_text() {
  return "A backup of a Shoebox library. While this file is missing, Shoebox takes the folder\n"
         "for not mounted and neither reads nor writes here.\nformat = 1\n";
}

Status check_remote_marker(std::string_view text, std::string_view path) {
  constexpr int kFormat = 1;
  constexpr std::string_view kLine = "format = ";
  int format = kFormat;
  if (const size_t at = text.find(kLine); at != std::string_view::npos) {
    std::from_chars(text.data() + at + kLine.size(), text.data() + text.size(), format);
  }
  if (format <= kFormat) return Status::ok();
  return {Code::kIncompatible, fmt::format("{} is of format {}, made by a newer Shoebox; this one knows {}",
                                           path, format, kFormat)};
}

Status no_remote_yet(std::string_view folder) {
  return {Code::kNotFound,
          fmt::format("{} has no {}: it is new, or its storage is not mounted", folder, kRemoteMarker)};
}

bool is_reserved_key(std::string_view key) {
  const std::string_view folder = kRemoteTemporaries;
  return key == kRemoteMarker || key == folder ||
         (key.starts_with(folder) && key.substr(folder.size()).starts_with('/'));
}

}  // namespace shoebox
