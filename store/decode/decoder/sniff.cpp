#include "store/decode/decoder/sniff.h"

#include <algorithm>

#include "store/decode/decoder/bytes.h"

namespace shoebox::decoder {
namespace {

struct RawExtension {
  std::string_view extension;
  std::string_view mime;
};
// RAW formats that look like plain TIFF from outside, and those told apart here by name only.
constexpr RawExtension kRawExtensions[] = {
    {"cr2", "image/x-canon-cr2"},
    {"nef", "image/x-nikon-nef"},
    {"nrw", "image/x-nikon-nrw"},
    {"arw", "image/x-sony-arw"},
    {"sr2", "image/x-sony-sr2"},
    {"srf", "image/x-sony-srf"},
    {"dng", "image/x-adobe-dng"},
    {"pef", "image/x-pentax-pef"},
    {"srw", "image/x-samsung-srw"},
    {"iiq", "image/x-raw"},
    {"3fr", "image/x-hasselblad-3fr"},
    {"fff", "image/x-hasselblad-fff"},
    {"kdc", "image/x-kodak-kdc"},
    {"dcr", "image/x-kodak-dcr"},
    {"erf", "image/x-epson-erf"},
    {"mef", "image/x-mamiya-mef"},
    {"mos", "image/x-raw"},
    {"rwl", "image/x-leica-rwl"},
};
constexpr std::string_view kMediaExtensions[] = {
    "jpg", "jpeg", "jpe", "png",  "gif", "webp", "tif", "tiff", "heic", "heif", "hif", "avif",
    "jxl", "jp2",  "bmp", "psd",  "cr2", "cr3",  "crw", "nef",  "nrw",  "arw",  "sr2", "srf",
    "dng", "raf",  "orf", "rw2",  "rwl", "mrw",  "pef", "srw",  "x3f",  "iiq",  "3fr", "fff",
    "kdc", "dcr",  "erf", "mef",  "mos", "mp4",  "mov", "m4v",  "mkv",  "webm", "avi", "wmv",
    "mpg", "mpeg", "mts", "m2ts", "3gp", "3g2",  "ogv", "flv",  "insv", "360",
};

std::string extension_of(std::string_view name) {
  const size_t dot = name.find_last_of("./");
  if (dot == std::string_view::npos || name[dot] == '/') return {};
  std::string out(name.substr(dot + 1));
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c); });
  return out;
}

Sniffed photo(Format format, std::string_view mime) { return {format, MediaKind::kPhoto, std::string(mime)}; }
Sniffed video(std::string_view mime) { return {Format::kVideo, MediaKind::kVideo, std::string(mime)}; }

Sniffed tiff(std::string_view head, const std::string& extension) {
  if (head.substr(8, 2) == "CR") return photo(Format::kTiff, "image/x-canon-cr2");
  for (const RawExtension& raw : kRawExtensions) {
    if (raw.extension == extension) return photo(Format::kTiff, raw.mime);
  }
  return photo(Format::kTiff, "image/tiff");
}

bool has_brand(std::string_view head, std::initializer_list<std::string_view> brands) {
  const size_t end = std::min<size_t>(be(head, 0, 4), std::min<size_t>(head.size(), 256));
  for (size_t at = 8; at + 4 <= end; at += 4) {
    if (at == 12) continue;  // the minor version
    if (std::find(brands.begin(), brands.end(), head.substr(at, 4)) != brands.end()) return true;
  }
  return false;
}

// Files that begin with an "ftyp" box.
Sniffed iso_media(std::string_view head) {
  const std::string_view major = head.substr(8, 4);
  if (major == "crx ") return photo(Format::kCr3, "image/x-canon-cr3");
  if (major == "avif" || major == "avis") return photo(Format::kHeif, "image/avif");
  if (has_brand(head, {"avif", "avis"})) return photo(Format::kHeif, "image/avif");
  if (has_brand(head, {"heic", "heix", "heim", "heis", "hevc", "hevx"}))
    return photo(Format::kHeif, "image/heic");
  if (has_brand(head, {"mif1", "mif2", "msf1", "jpeg", "avci", "avcs", "miaf", "1pic"}))
    return photo(Format::kHeif, "image/heif");
  if (major == "qt  ") return video("video/quicktime");
  if (major.starts_with("M4A") || major == "M4B " || major == "M4P ") return {};
  if (major.starts_with("3g")) return video("video/3gpp");
  return video("video/mp4");
}

Sniffed by_magic(std::string_view head, const std::string& extension) {
  const auto starts = [head](std::string_view magic) { return head.starts_with(magic); };
  using namespace std::string_view_literals;
  if (starts("\xff\xd8\xff"sv)) return photo(Format::kJpeg, "image/jpeg");
  if (starts("\x89PNG\r\n\x1a\n"sv)) return photo(Format::kPng, "image/png");
  if (starts("GIF87a"sv) || starts("GIF89a"sv)) return photo(Format::kGif, "image/gif");
  if (starts("RIFF"sv)) {
    if (head.substr(8, 4) == "WEBP") return photo(Format::kWebp, "image/webp");
    if (head.substr(8, 4) == "AVI ") return video("video/x-msvideo");
    return {};
  }
  if (starts("II\x1a\0\0\0HEAPCCDR"sv)) return photo(Format::kRaw, "image/x-canon-crw");
  if (starts("IIU\0"sv)) return photo(Format::kRaw, "image/x-panasonic-rw2");
  if (starts("IIRO"sv) || starts("IIRS"sv) || starts("MMOR"sv))
    return photo(Format::kRaw, "image/x-olympus-orf");
  if (starts("II*\0"sv) || starts("MM\0*"sv)) return tiff(head, extension);
  if (starts("II+\0"sv) || starts("MM\0+"sv)) return photo(Format::kTiff, "image/tiff");
  if (starts("FUJIFILMCCD-RAW"sv)) return photo(Format::kRaw, "image/x-fuji-raf");
  if (starts("\0MRM"sv)) return photo(Format::kRaw, "image/x-minolta-mrw");
  if (starts("FOVb"sv)) return photo(Format::kRaw, "image/x-sigma-x3f");
  if (starts("\0\0\0\x0cJXL \r\n\x87\n"sv)) return photo(Format::kJxl, "image/jxl");
  if (starts("\xff\x0a"sv)) return photo(Format::kJxl, "image/jxl");
  if (starts("\0\0\0\x0cjP  \r\n\x87\n"sv) || starts("\xff\x4f\xff\x51"sv))
    return photo(Format::kJp2, "image/jp2");
  if (starts("BM"sv) && le(head, 14, 4) >= 12 && le(head, 14, 4) <= 124)
    return photo(Format::kBmp, "image/bmp");
  if (starts("8BPS\0\1"sv)) return photo(Format::kPsd, "image/vnd.adobe.photoshop");
  if (head.substr(4 < head.size() ? 4 : head.size(), 4) == "ftyp" && head.size() >= 16)
    return iso_media(head);
  if (starts("\x1a\x45\xdf\xa3"sv)) {
    return video(head.substr(0, 64).find("webm") != std::string_view::npos ? "video/webm"
                                                                           : "video/x-matroska");
  }
  if (starts("\x30\x26\xb2\x75\x8e\x66\xcf\x11"sv)) return video("video/x-ms-asf");
  if (starts("\0\0\1\xba"sv) || starts("\0\0\1\xb3"sv)) return video("video/mpeg");
  if (starts("FLV\1"sv)) return video("video/x-flv");
  if (starts("OggS"sv) && extension == "ogv") return video("video/ogg");
  // QuickTime from before "ftyp".
  for (const std::string_view box : {"moov"sv, "mdat"sv, "wide"sv, "skip"sv, "free"sv, "pnot"sv}) {
    if (part(head, 4, 4) == box && (extension == "mov" || extension == "qt" || extension == "mp4"))
      return video("video/quicktime");
  }
  if ((head.size() > 188 * 2 && head[0] == 0x47 && head[188] == 0x47 && head[376] == 0x47) ||
      (head.size() > 196 * 2 && head[4] == 0x47 && head[196] == 0x47 && head[388] == 0x47)) {
    return video("video/mp2t");
  }
  return {};
}

}  // namespace

Sniffed sniff(std::string_view head, std::string_view name) {
  const std::string extension = extension_of(name);
  Sniffed found = by_magic(head, extension);
  if (found.format != Format::kNone) return found;
  const bool media_name = std::find(std::begin(kMediaExtensions), std::end(kMediaExtensions), extension) !=
                          std::end(kMediaExtensions);
  // RAW of makers who wrote no magic: the name says so, an embedded preview must prove it.
  if (!head.empty() && (extension == "raw" || extension == "kdc" || extension == "mos")) {
    found.format = Format::kRaw;
    found.mime = "image/x-raw";
    found.kind = MediaKind::kPhoto;
    return found;
  }
  if (extension == "xmp") return {Format::kXmp, MediaKind::kOther, "application/rdf+xml"};
  found.kind = media_name ? MediaKind::kUndecodable : MediaKind::kOther;
  found.mime = "application/octet-stream";
  return found;
}

}  // namespace shoebox::decoder
