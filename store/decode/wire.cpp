#include "store/decode/wire.h"

#include <fmt/format.h>

#include <cmath>

#include "store/base/coding.h"

namespace shoebox::wire {
namespace {

constexpr uint8_t kHasDate = 1;
constexpr uint8_t kHasOffset = 2;
constexpr uint8_t kHasPosition = 4;
constexpr uint8_t kDateIsOriginal = 8;

Status malformed(std::string_view what) {
  return {Code::kDataLoss, fmt::format("reply of shoebox-decoder is malformed: {}", what)};
}

bool read_text(Decoder& in, size_t max_bytes, std::string& out) {
  const std::string_view text = in.string();
  if (!in.ok() || text.size() > max_bytes || !is_utf8(text)) return false;
  out = text;
  return true;
}

bool read_names(Decoder& in, std::vector<std::string>& out) {
  const uint64_t count = in.varint();
  if (!in.ok() || count > kMaxNames) return false;
  out.resize(count);
  for (std::string& name : out) {
    if (!read_text(in, kMaxNameBytes, name) || name.empty()) return false;
  }
  return true;
}

void put_names(std::string& out, const std::vector<std::string>& names) {
  const size_t count = std::min(names.size(), kMaxNames);
  put_varint(out, count);
  for (size_t i = 0; i < count; ++i) put_string(out, clip_utf8(names[i], kMaxNameBytes));
}

bool read_date(Decoder& in, LocalDate& date) {
  const int64_t year = in.svarint();
  const int64_t parts[] = {in.svarint(), in.svarint(), in.svarint(), in.svarint(), in.svarint()};
  if (!in.ok() || year < 1 || year > 9999) return false;
  if (parts[0] < 0 || parts[0] > 12 || parts[1] < 0 || parts[1] > 31) return false;
  if (parts[2] < -1 || parts[2] > 23 || parts[3] < -1 || parts[3] > 59) return false;
  if (parts[4] < -1 || parts[4] > 60) return false;
  date = {static_cast<int16_t>(year),    static_cast<uint8_t>(parts[0]), static_cast<uint8_t>(parts[1]),
          static_cast<int8_t>(parts[2]), static_cast<int8_t>(parts[3]),  static_cast<int8_t>(parts[4])};
  return true;
}

void put_date(std::string& out, const LocalDate& date) {
  for (const int part :
       {int{date.year}, int{date.month}, int{date.day}, int{date.hour}, int{date.minute}, int{date.second}}) {
    put_svarint(out, part);
  }
}

Status read_info(Decoder& in, MediaInfo& info) {
  const uint8_t kind = in.u8();
  if (kind < static_cast<uint8_t>(MediaKind::kPhoto) ||
      kind > static_cast<uint8_t>(MediaKind::kUndecodable)) {
    return malformed("kind");
  }
  info.kind = static_cast<MediaKind>(kind);
  if (!read_text(in, kMaxFieldBytes, info.mime)) return malformed("mime");
  const uint8_t present = in.u8();
  if (present & kHasDate) {
    LocalDate date;
    if (!read_date(in, date)) return malformed("date");
    info.date = date;
    info.date_is_original = (present & kDateIsOriginal) != 0;
  }
  if (present & kHasOffset) {
    const int64_t minutes = in.svarint();
    if (minutes < -24 * 60 || minutes > 24 * 60) return malformed("offset");
    info.utc_offset_minutes = static_cast<int16_t>(minutes);
  }
  if (present & kHasPosition) {
    const double latitude = in.f64();
    const double longitude = in.f64();
    // Written so that NaN fails.
    if (!(std::abs(latitude) <= 90) || !(std::abs(longitude) <= 180)) return malformed("position");
    info.latitude = latitude;
    info.longitude = longitude;
  }
  if (!read_names(in, info.people)) return malformed("people");
  if (!read_names(in, info.tags)) return malformed("tags");
  if (!read_text(in, kMaxFieldBytes, info.make) || !read_text(in, kMaxFieldBytes, info.model)) {
    return malformed("camera");
  }
  info.width = in.be32();
  info.height = in.be32();
  info.orientation = in.u8();
  if (info.orientation < 1 || info.orientation > 8) return malformed("orientation");
  info.duration_s = in.f64();
  if (!(info.duration_s >= 0 && info.duration_s < 1e9)) return malformed("duration");
  const int64_t rating = in.svarint();
  if (rating < -1 || rating > 5) return malformed("rating");
  info.rating = static_cast<int8_t>(rating);
  if (!read_text(in, kMaxCaptionBytes, info.caption)) return malformed("caption");
  PlaceNames& place = info.place;
  for (std::string* level : {&place.country, &place.state, &place.city, &place.location})
    if (!read_text(in, kMaxNameBytes, *level)) return malformed("place");
  return Status::ok();
}

}  // namespace

std::string encode_ready() { return {'R', static_cast<char>(kVersion)}; }

Status parse_ready(std::string_view bytes) {
  if (bytes.size() != 2 || bytes[0] != 'R') return malformed("greeting");
  if (static_cast<uint8_t>(bytes[1]) != kVersion) {
    return {Code::kIncompatible,
            fmt::format("shoebox-decoder speaks version {} of the wire, not {}: install both from one build",
                        static_cast<uint8_t>(bytes[1]), kVersion)};
  }
  return Status::ok();
}

std::string encode(const Request& request) {
  std::string out;
  put_u8(out, kVersion);
  put_string(out, std::string_view(request.name).substr(0, kMaxNameBytes));
  put_varint(out, request.hole.begin);
  put_varint(out, request.hole.end);
  return out;
}

Result<Request> parse_request(std::string_view bytes) {
  Decoder in(bytes);
  const uint8_t version = in.u8();
  Request request;
  request.name = in.string();
  request.hole.begin = in.varint();
  request.hole.end = in.varint();
  if (!in.done() || version != kVersion) return {Code::kInvalid, "request to shoebox-decoder is malformed"};
  return request;
}

std::string encode(const DecodedMedia& media) {
  const MediaInfo& info = media.info;
  const bool position = info.latitude && info.longitude;
  std::string out;
  put_u8(out, kVersion);
  put_u8(out, static_cast<uint8_t>(info.kind));
  put_string(out, clip_utf8(info.mime, kMaxFieldBytes));
  put_u8(out, static_cast<uint8_t>((info.date ? kHasDate : 0) | (info.utc_offset_minutes ? kHasOffset : 0) |
                                   (position ? kHasPosition : 0) |
                                   (info.date && info.date_is_original ? kDateIsOriginal : 0)));
  if (info.date) put_date(out, *info.date);
  if (info.utc_offset_minutes) put_svarint(out, *info.utc_offset_minutes);
  if (position) {
    put_double(out, *info.latitude);
    put_double(out, *info.longitude);
  }
  put_names(out, info.people);
  put_names(out, info.tags);
  put_string(out, clip_utf8(info.make, kMaxFieldBytes));
  put_string(out, clip_utf8(info.model, kMaxFieldBytes));
  put_be32(out, info.width);
  put_be32(out, info.height);
  put_u8(out, info.orientation);
  put_double(out, info.duration_s);
  put_svarint(out, info.rating);
  put_string(out, clip_utf8(info.caption, kMaxCaptionBytes));
  const PlaceNames& place = info.place;
  for (const std::string* level : {&place.country, &place.state, &place.city, &place.location})
    put_string(out, clip_utf8(*level, kMaxNameBytes));
  put_varint(out, media.thumbnails.size());
  for (const Thumbnail& thumbnail : media.thumbnails) {
    put_be32(out, thumbnail.size_px);
    put_string(out, thumbnail.jpeg);
  }
  return out;
}

Result<DecodedMedia> parse_reply(std::string_view bytes) {
  Decoder in(bytes);
  if (in.u8() != kVersion) return malformed("version");
  DecodedMedia media;
  SHOEBOX_TRY(read_info(in, media.info));
  const uint64_t count = in.varint();
  if (!in.ok() || count > kMaxThumbnails) return malformed("thumbnails");
  for (uint64_t i = 0; i < count; ++i) {
    Thumbnail thumbnail;
    thumbnail.size_px = in.be32();
    const std::string_view jpeg = in.string();
    const bool known_size = thumbnail.size_px == 256 || thumbnail.size_px == 1024;
    if (!in.ok() || !known_size || jpeg.size() > kMaxThumbnailBytes || !jpeg.starts_with("\xff\xd8\xff")) {
      return malformed("thumbnail");
    }
    thumbnail.jpeg = jpeg;
    media.thumbnails.push_back(std::move(thumbnail));
  }
  if (!in.done()) return malformed("length");
  return media;
}

bool is_utf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80                   ? 1
                          : lead >= 0xc2 && lead < 0xe0 ? 2
                          : lead >= 0xe0 && lead < 0xf0 ? 3
                          : lead >= 0xf0 && lead < 0xf5 ? 4
                                                        : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t value = length == 1 ? lead : lead & (0x7fU >> length);
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<uint8_t>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      value = value << 6 | (next & 0x3f);
    }
    if (length == 3 && (value < 0x800 || (value >= 0xd800 && value < 0xe000))) return false;
    if (length == 4 && (value < 0x10000 || value > 0x10ffff)) return false;
    i += length;
  }
  return true;
}

std::string_view clip_utf8(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<uint8_t>(text[bytes]) & 0xc0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

}  // namespace shoebox::wire
