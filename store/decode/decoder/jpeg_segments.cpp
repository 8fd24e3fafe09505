// JPEG: APP1 (EXIF, XMP, extended XMP), APP13 (IPTC) and the frame header.
#include <functional>
#include <map>

#include "store/decode/decoder/bytes.h"
#include "store/decode/decoder/containers.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view kExif = "Exif\0"sv;  // a second NUL or 0xff follows
constexpr std::string_view kXmp = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::string_view kExtendedXmp = "http://ns.adobe.com/xmp/extension/\0"sv;
constexpr std::string_view kPhotoshop = "Photoshop 3.0\0"sv;
constexpr uint64_t kMaxExtendedXmp = 16 << 20;

// Calls fn(marker, payload) for each segment before the picture data; fn returns false to stop.
void each_segment(std::string_view jpeg, const std::function<bool(uint8_t, std::string_view)>& fn) {
  size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    if (static_cast<uint8_t>(jpeg[at]) != 0xff) {
      ++at;  // bytes that belong to no segment: look for the next marker
      continue;
    }
    const auto marker = static_cast<uint8_t>(jpeg[at + 1]);
    if (marker == 0xff || marker == 0x00 || marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker == 0xff ? 1 : 2;
      continue;
    }
    if (marker == 0xd9 || marker == 0xda) return;  // end of image, start of scan
    const uint64_t length = be(jpeg, at + 2, 2);
    if (length < 2) return;
    if (!fn(marker, part(jpeg, at + 4, length - 2))) return;
    at += 2 + length;
  }
}

bool is_frame_header(uint8_t marker) {
  return marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
}

// Parts of extended XMP, each with its place in the whole.
class ExtendedXmp {
 public:
  void add(std::string_view payload) {
    const std::string_view guid = part(payload, 0, 32);
    const uint64_t total = be(payload, 32, 4);
    const uint64_t offset = be(payload, 36, 4);
    const std::string_view data = part(payload, 40);
    if (guid.size() < 32 || total > kMaxExtendedXmp || offset + data.size() > total) return;
    std::string& whole = packets_[std::string(guid)];
    if (whole.size() < total) whole.resize(total, ' ');
    whole.replace(offset, data.size(), data);
  }
  void give(TagSet& tags) const {
    for (const auto& [guid, packet] : packets_) tags.add_xmp(packet);
  }

 private:
  std::map<std::string, std::string> packets_;
};

}  // namespace

void read_jpeg(std::string_view file, TagSet& tags) {
  ExtendedXmp extended;
  std::string photoshop;
  each_segment(file, [&](uint8_t marker, std::string_view payload) {
    if (marker == 0xe1 && payload.starts_with(kExif)) {
      tags.add_exif(part(payload, 6));
    } else if (marker == 0xe1 && payload.starts_with(kXmp)) {
      tags.add_xmp(part(payload, kXmp.size()));
    } else if (marker == 0xe1 && payload.starts_with(kExtendedXmp)) {
      extended.add(part(payload, kExtendedXmp.size()));
    } else if (marker == 0xed && payload.starts_with(kPhotoshop)) {
      photoshop += part(payload, kPhotoshop.size());
    } else if (is_frame_header(marker) && tags.width == 0) {
      tags.height = static_cast<uint32_t>(be(payload, 1, 2));
      tags.width = static_cast<uint32_t>(be(payload, 3, 2));
    }
    return true;
  });
  extended.give(tags);
  tags.add_photoshop(photoshop);
}

JpegSize jpeg_size(std::string_view jpeg) {
  JpegSize size;
  each_segment(jpeg, [&](uint8_t marker, std::string_view payload) {
    if (!is_frame_header(marker)) return true;
    size = {static_cast<uint32_t>(be(payload, 3, 2)), static_cast<uint32_t>(be(payload, 1, 2))};
    return false;
  });
  return size;
}

}  // namespace shoebox::decoder
