// Containers of ISO boxes: HEIF and AVIF, CR3, JPEG XL, MP4 and MOV. Reads box headers and the few
// payloads that hold metadata; never the media data.
#include <functional>
#include <map>

#include "store/decode/decoder/bytes.h"
#include "store/decode/decoder/containers.h"
#include "store/decode/decoder/source_file.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

using namespace std::string_view_literals;
constexpr std::string_view kCanonUuid = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48"sv;
constexpr std::string_view kXmpUuid = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac"sv;
constexpr std::string_view kPreviewUuid =
    "\xea\xf4\x2b\x5e\x1c\x98\x4b\x88\xb9\xfb\xb7\xdc\x40\x6e\x4d\x16"sv;
constexpr uint64_t kMaxPayload = 16 << 20;
constexpr int kMaxBoxes = 4096;

struct Box {
  std::string type;
  std::string uuid;
  uint64_t begin = 0, end = 0;  // of the payload
};

// fn returns false to stop.
void each_box(const SourceFile& file, uint64_t at, uint64_t end, const std::function<bool(const Box&)>& fn) {
  end = std::min(end, file.size());
  for (int count = 0; count < kMaxBoxes && at + 8 <= end; ++count) {
    const std::string head = file.read(at, 32);
    uint64_t size = be(head, 0, 4);
    Box box{.type = head.substr(4, 4), .uuid = {}, .begin = at + 8, .end = 0};
    if (size == 1) {
      size = be(head, 8, 8);
      box.begin += 8;
    } else if (size == 0) {
      size = end - at;
    }
    if (box.type == "uuid") {
      box.uuid = std::string(part(head, box.begin - at, 16));
      box.begin += 16;
    }
    if (size < box.begin - at) return;
    box.end = size > end - at ? end : at + size;
    if (box.begin > box.end || !fn(box)) return;
    at = box.end;
  }
}

std::string payload(const SourceFile& file, const Box& box) {
  return box.end - box.begin > kMaxPayload ? std::string() : file.read(box.begin, box.end - box.begin);
}

// An Exif item or box: offset of the TIFF header, then the header's surroundings.
void add_exif_item(std::string_view item, TagSet& tags) {
  const std::string_view tiff = part(item, 4 + be(item, 0, 4));
  tags.add_exif(tiff.starts_with("Exif\0\0"sv) ? part(tiff, 6) : tiff);
}

// --- HEIF: items and where they lie

struct Item {
  std::string type;
  std::string content_type;
  std::vector<std::pair<uint64_t, uint64_t>> extents;  // offset, length
  bool in_idat = false;
};
using Items = std::map<uint32_t, Item>;

void read_item_infos(const SourceFile& file, const Box& iinf, Items& items) {
  const bool wide = be(file.read(iinf.begin, 1), 0, 1) != 0;
  each_box(file, iinf.begin + (wide ? 8 : 6), iinf.end, [&](const Box& infe) {
    if (infe.type != "infe") return true;
    const std::string data = file.read(infe.begin, std::min<uint64_t>(infe.end - infe.begin, 512));
    const uint64_t version = be(data, 0, 1);
    if (version < 2) return true;
    const size_t id_bytes = version == 2 ? 2 : 4;
    Item& item = items[static_cast<uint32_t>(be(data, 4, id_bytes))];
    item.type = std::string(part(data, 4 + id_bytes + 2, 4));
    const size_t name = 4 + id_bytes + 6;
    const size_t name_end = data.find('\0', name);
    if (item.type == "mime" && name_end != std::string::npos) {
      item.content_type = data.substr(name_end + 1, data.find('\0', name_end + 1) - name_end - 1);
    }
    return items.size() < kMaxBoxes;
  });
}

void read_item_locations(std::string_view iloc, Items& items) {
  const uint64_t version = be(iloc, 0, 1);
  const size_t offset_bytes = be(iloc, 4, 1) >> 4, length_bytes = be(iloc, 4, 1) & 15;
  const size_t base_bytes = be(iloc, 5, 1) >> 4, index_bytes = version == 0 ? 0 : be(iloc, 5, 1) & 15;
  const size_t id_bytes = version < 2 ? 2 : 4;
  if (offset_bytes > 8 || length_bytes > 8 || base_bytes > 8 || index_bytes > 8) return;
  const uint64_t count = be(iloc, 6, id_bytes);
  size_t at = 6 + id_bytes;
  for (uint64_t i = 0; i < count && at < iloc.size(); ++i) {
    const auto id = static_cast<uint32_t>(be(iloc, at, id_bytes));
    at += id_bytes;
    const uint64_t method = version == 0 ? 0 : be(iloc, at, 2) & 15;
    at += version == 0 ? 0 : 2;
    at += 2;  // data reference: this file
    const uint64_t base = be(iloc, at, base_bytes);
    at += base_bytes;
    const uint64_t extents = be(iloc, at, 2);
    at += 2;
    const auto found = items.find(id);
    for (uint64_t k = 0; k < extents && at < iloc.size(); ++k) {
      at += index_bytes;
      const uint64_t offset = base + be(iloc, at, offset_bytes);
      const uint64_t length = be(iloc, at + offset_bytes, length_bytes);
      at += offset_bytes + length_bytes;
      if (found != items.end() && found->second.extents.size() < 64)
        found->second.extents.emplace_back(offset, length);
    }
    if (found != items.end()) found->second.in_idat = method == 1;
  }
}

void read_heif_meta(const SourceFile& file, const Box& meta, TagSet& tags) {
  Items items;
  std::string iloc;
  Box idat;
  each_box(file, meta.begin + 4, meta.end, [&](const Box& box) {
    if (box.type == "iinf") read_item_infos(file, box, items);
    if (box.type == "iloc") iloc = payload(file, box);
    if (box.type == "idat") idat = box;
    return true;
  });
  read_item_locations(iloc, items);
  for (const auto& [id, item] : items) {
    const bool xmp = item.type == "mime" && item.content_type == "application/rdf+xml";
    if (item.type != "Exif" && !xmp) continue;
    std::string data;
    for (const auto& [offset, length] : item.extents) {
      if (length > kMaxPayload || data.size() + length > kMaxPayload) break;
      data += file.read(item.in_idat ? idat.begin + offset : offset, length);
    }
    if (xmp) {
      tags.add_xmp(data);
    } else {
      add_exif_item(data, tags);
    }
  }
}

// --- CR3

// CMT2 and CMT4 are TIFFs whose first directory is the Exif or GPS one. A directory that points at it
// by `tag` is put in front, so that its entries get their proper names.
std::string under_tag(std::string tiff, uint16_t tag) {
  if (tiff.size() < 8) return {};
  const bool little = tiff[0] == 'I';
  const auto put = [&](uint64_t value, int width) {
    for (int i = 0; i < width; ++i)
      tiff.push_back(static_cast<char>(value >> 8 * (little ? i : width - 1 - i)));
  };
  if (tiff.size() % 2 != 0) tiff.push_back('\0');
  const uint64_t old_first = little ? le(tiff, 4, 4) : be(tiff, 4, 4);
  const size_t directory = tiff.size();
  put(1, 2);
  put(tag, 2);
  put(4, 2);  // LONG
  put(1, 4);
  put(old_first, 4);
  put(0, 4);
  const size_t header = tiff.size();
  put(directory, 4);
  tiff.replace(4, 4, tiff.substr(header));
  tiff.resize(header);
  return tiff;
}

void read_canon(const SourceFile& file, const Box& canon, TagSet& tags) {
  each_box(file, canon.begin, canon.end, [&](const Box& box) {
    if (box.type == "CMT1") tags.add_exif(payload(file, box));
    if (box.type == "CMT2") tags.add_exif(under_tag(payload(file, box), 0x8769));
    if (box.type == "CMT4") tags.add_exif(under_tag(payload(file, box), 0x8825));
    return true;
  });
}

// --- movies

void read_movie(const SourceFile& file, const Box& moov, TagSet& tags) {
  each_box(file, moov.begin, moov.end, [&](const Box& box) {
    if (box.uuid == kCanonUuid) read_canon(file, box, tags);
    if (box.uuid == kXmpUuid) tags.add_xmp(payload(file, box));
    if (box.type == "udta") {
      each_box(file, box.begin, box.end, [&](const Box& user) {
        if (user.type == "XMP_") tags.add_xmp(payload(file, user));
        return true;
      });
    }
    return true;
  });
}

}  // namespace

void read_boxes(const SourceFile& file, TagSet& tags) {
  each_box(file, 0, file.size(), [&](const Box& box) {
    if (box.type == "meta") read_heif_meta(file, box, tags);
    if (box.type == "moov") read_movie(file, box, tags);
    if (box.uuid == kXmpUuid) tags.add_xmp(payload(file, box));
    if (box.type == "Exif") add_exif_item(payload(file, box), tags);
    if (box.type == "xml ") tags.add_xmp(payload(file, box));
    return true;
  });
}

std::string cr3_preview(const SourceFile& file) {
  std::string jpeg;
  each_box(file, 0, file.size(), [&](const Box& box) {
    if (box.uuid != kPreviewUuid) return true;
    // 8 bytes, then the box PRVW: version, size and length before the JPEG.
    each_box(file, box.begin + 8, box.end, [&](const Box& preview) {
      if (preview.type != "PRVW") return true;
      const std::string data = payload(file, preview);
      const size_t start = std::string_view(data).find("\xff\xd8\xff"sv);
      if (start != std::string::npos) jpeg = data.substr(start);
      return false;
    });
    return false;
  });
  return jpeg;
}

}  // namespace shoebox::decoder
