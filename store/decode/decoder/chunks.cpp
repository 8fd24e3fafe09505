// Containers of chunks: PNG, WebP (RIFF), and the heads of PSD and BMP.
#include <string>

#include "store/decode/decoder/bytes.h"
#include "store/decode/decoder/containers.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

using namespace std::string_view_literals;

void read_png_text(std::string_view chunk, TagSet& tags) {
  const size_t end = chunk.find('\0');
  if (end == std::string_view::npos) return;
  if (chunk.substr(0, end) == "Creation Time")
    tags.add_text("png.CreationTime", clean_text(part(chunk, end + 1)));
}

// keyword, NUL, compressed?, method, language, NUL, translated keyword, NUL, text.
void read_png_international_text(std::string_view chunk, TagSet& tags) {
  const size_t end = chunk.find('\0');
  if (end == std::string_view::npos || be(chunk, end + 1, 1) != 0) return;  // Exiv2 reads compressed XMP
  const size_t language = chunk.find('\0', end + 3);
  const size_t translated = language == std::string_view::npos ? language : chunk.find('\0', language + 1);
  if (translated == std::string_view::npos) return;
  const std::string_view keyword = chunk.substr(0, end);
  const std::string_view text = part(chunk, translated + 1);
  if (keyword == "XML:com.adobe.xmp") tags.add_xmp(text);
  if (keyword == "Creation Time") tags.add_text("png.CreationTime", clean_text(text));
}

}  // namespace

void read_png(std::string_view file, TagSet& tags) {
  size_t at = 8;
  while (at + 12 <= file.size()) {
    const uint64_t length = be(file, at, 4);
    const std::string_view type = part(file, at + 4, 4);
    const std::string_view data = part(file, at + 8, length);
    if (type == "IHDR") {
      tags.width = static_cast<uint32_t>(be(data, 0, 4));
      tags.height = static_cast<uint32_t>(be(data, 4, 4));
    } else if (type == "eXIf") {
      tags.add_exif(data.starts_with("Exif\0\0"sv) ? part(data, 6) : data);
    } else if (type == "tEXt") {
      read_png_text(data, tags);
    } else if (type == "iTXt") {
      read_png_international_text(data, tags);
    } else if (type == "IEND") {
      break;
    }
    at += 12 + length;
  }
  const uint32_t width = tags.width, height = tags.height;
  tags.add_image(file);  // "Raw profile type ..." and what is compressed
  tags.width = width;
  tags.height = height;
}

void read_webp(std::string_view file, TagSet& tags) {
  size_t at = 12;
  while (at + 8 <= file.size()) {
    const std::string_view type = part(file, at, 4);
    const uint64_t length = le(file, at + 4, 4);
    const std::string_view data = part(file, at + 8, length);
    if (type == "EXIF") tags.add_exif(data.starts_with("Exif\0\0"sv) ? part(data, 6) : data);
    if (type == "XMP ") tags.add_xmp(data);
    if (type == "VP8X") {
      tags.width = static_cast<uint32_t>(le(data, 4, 3) + 1);
      tags.height = static_cast<uint32_t>(le(data, 7, 3) + 1);
    }
    at += 8 + ((length + 1) & ~uint64_t{1});
  }
}

void read_bmp(std::string_view file, TagSet& tags) {
  const bool old = le(file, 14, 4) == 12;  // OS/2: 16-bit sizes
  tags.width = static_cast<uint32_t>(le(file, 18, old ? 2 : 4));
  const auto height = static_cast<int32_t>(le(file, old ? 20 : 22, old ? 2 : 4));  // negative: top row first
  tags.height = static_cast<uint32_t>(height < 0 ? -static_cast<int64_t>(height) : height);
}

void read_psd(std::string_view file, TagSet& tags) {
  tags.height = static_cast<uint32_t>(be(file, 14, 4));
  tags.width = static_cast<uint32_t>(be(file, 18, 4));
  const uint64_t colours = be(file, 26, 4);
  const uint64_t resources = 30 + colours;
  tags.add_photoshop(part(file, resources + 4, be(file, resources, 4)));
}

}  // namespace shoebox::decoder
