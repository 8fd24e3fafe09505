#include "store/decode/decoder/decode.h"

#include <chrono>
#include <utility>

#include "store/decode/decoder/containers.h"
#include "store/decode/decoder/facts.h"
#include "store/decode/decoder/image.h"
#include "store/decode/decoder/raw_preview.h"
#include "store/decode/decoder/sniff.h"
#include "store/decode/decoder/source_file.h"
#include "store/decode/decoder/tag_set.h"
#include "store/decode/decoder/video.h"
#include "store/decode/wire.h"

namespace shoebox::decoder {
namespace {

constexpr size_t kHeadBytes = 4096;
constexpr uint32_t kSmallThumbnailPx = 256;

void read_metadata(Format format, SourceFile& file, TagSet& tags) {
  const size_t there = file.is_part() ? static_cast<size_t>(file.hole().begin) : std::string_view::npos;
  switch (format) {
    case Format::kJpeg: read_jpeg(file.map(), tags); break;
    case Format::kPng: read_png(file.map(), tags); break;
    case Format::kWebp: read_webp(file.map(), tags); break;
    case Format::kPsd: read_psd(file.map(), tags); break;
    case Format::kTiff:
    case Format::kJp2: tags.add_image(file.map()); break;
    case Format::kRaw:
      tags.add_image(file.map());
      // Formats that Exiv2 does not know: the camera's own JPEG inside carries the same EXIF.
      if (tags.empty()) read_jpeg(embedded_jpeg(file.map().substr(0, there)), tags);
      break;
    case Format::kHeif:
    case Format::kCr3:
    case Format::kJxl:
    case Format::kVideo: read_boxes(file, tags); break;
    case Format::kBmp: read_bmp(file.map(), tags); break;
    case Format::kXmp: {
      const std::string_view packet = file.map();
      if (packet.size() <= wire::kMaxSidecarBytes) tags.add_xmp(packet);
      break;
    }
    case Format::kGif:
    case Format::kNone: break;
  }
}

void describe(const TagSet& tags, MediaInfo& info) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  if (const auto date = capture_date(tags, std::chrono::duration_cast<std::chrono::seconds>(now).count())) {
    info.date = date->local;
    info.utc_offset_minutes = date->utc_offset_minutes;
    info.date_is_original = date->is_original;
  }
  info.people = people_of(tags);
  info.tags = tags_of(tags);
  info.rating = rating_of(tags);
  info.caption = caption_of(tags);
  if (const auto position = position_of(tags)) {
    info.latitude = position->latitude;
    info.longitude = position->longitude;
  }
  info.place = place_of(tags);
  describe_camera(tags, info);
}

std::vector<Thumbnail> raw_thumbnails(SourceFile& file, Format format, int orientation) {
  PictureSize ignored{1, 1};  // of the preview, not of the photo
  std::string preview = format == Format::kCr3 ? cr3_preview(file) : raw_preview(file.map());
  if (!preview.empty()) {
    if (auto thumbnails = thumbnails_of(preview, orientation, ignored); !thumbnails.empty())
      return thumbnails;
  }
  const std::string_view embedded = embedded_jpeg(file.map());
  return embedded.empty() ? std::vector<Thumbnail>() : thumbnails_of(embedded, orientation, ignored);
}

// Of a file that is not all there: the one that the camera put into the metadata. It is small.
std::vector<Thumbnail> thumbnails_of_part(const TagSet& tags, int orientation) {
  const std::string jpeg = tags.thumbnail();
  // One that reaches into what is not there ends in zeros.
  if (!jpeg.ends_with("\xff\xd9")) return {};
  PictureSize size{1, 1};  // of the thumbnail, not of the photo
  std::vector<Thumbnail> thumbnails = thumbnails_of(jpeg, orientation, size);
  std::erase_if(thumbnails, [](const Thumbnail& one) { return one.size_px > kSmallThumbnailPx; });
  return thumbnails;
}

std::vector<Thumbnail> photo_thumbnails(const Sniffed& sniffed, SourceFile& file, const MediaInfo& info,
                                        PictureSize& size) {
  switch (sniffed.format) {
    case Format::kRaw:
    case Format::kCr3: return raw_thumbnails(file, sniffed.format, info.orientation);
    case Format::kTiff: {
      // Inside, RAW files are TIFFs whose first picture is often a stamp.
      if (sniffed.mime != "image/tiff") {
        if (auto thumbnails = raw_thumbnails(file, sniffed.format, info.orientation); !thumbnails.empty())
          return thumbnails;
      }
      return thumbnails_of(file.map(), 0, size);
    }
    case Format::kBmp:
    case Format::kPsd: return still_by_libav(file, sniffed.format == Format::kPsd, info.orientation);
    default: return thumbnails_of(file.map(), 0, size);
  }
}

void decode_photo(const Sniffed& sniffed, SourceFile& file, DecodedMedia& media) {
  TagSet tags;
  read_metadata(sniffed.format, file, tags);
  describe(tags, media.info);
  PictureSize size{tags.width, tags.height};
  media.thumbnails = file.is_part() ? thumbnails_of_part(tags, media.info.orientation)
                                    : photo_thumbnails(sniffed, file, media.info, size);
  // Some say their size in words only.
  const bool stamp = sniffed.format == Format::kTiff && size.width <= 1;
  if (size.width == 0 || stamp) {
    size.width = static_cast<uint32_t>(tags.exif_number("Exif.Photo.PixelXDimension").value_or(0));
    size.height = static_cast<uint32_t>(tags.exif_number("Exif.Photo.PixelYDimension").value_or(0));
  }
  // libheif turns the picture before it tells its size.
  if (sniffed.format == Format::kHeif && media.info.orientation >= 5) std::swap(size.width, size.height);
  media.info.width = size.width;
  media.info.height = size.height;
  // Neither a picture nor a word about it.
  if (media.thumbnails.empty() && tags.empty() && !file.is_part()) media.info.kind = MediaKind::kUndecodable;
}

void decode_sidecar(SourceFile& file, MediaInfo& info) {
  TagSet tags;
  read_metadata(Format::kXmp, file, tags);
  describe(tags, info);
}

void decode_video(SourceFile& file, const std::string& name, DecodedMedia& media) {
  TagSet tags;
  read_metadata(Format::kVideo, file, tags);
  VideoFacts facts = read_video(file, name, tags);
  describe(tags, media.info);
  media.info.width = facts.width;
  media.info.height = facts.height;
  if (facts.duration_s < 1e9) media.info.duration_s = facts.duration_s;
  media.thumbnails = std::move(facts.thumbnails);
  if (file.is_part()) return;  // what was not found may stand where nothing is
  if (!facts.opened && tags.empty()) media.info.kind = MediaKind::kUndecodable;
  if (facts.opened && !facts.has_video) media.info.kind = MediaKind::kOther;
}

}  // namespace

bool start_libraries() {
  start_exiv2();
  start_libav();
  return start_vips();
}

DecodedMedia decode(int fd, const std::string& name, ByteRange hole) {
  DecodedMedia media;
  media.info.kind = MediaKind::kUndecodable;
  Result<SourceFile> opened = SourceFile::open(fd, hole);
  if (!opened.is_ok()) return media;
  SourceFile& file = opened.value();
  const Sniffed sniffed = sniff(file.read(0, kHeadBytes), name);
  media.info.kind = sniffed.kind;
  media.info.mime = sniffed.mime;
  if (sniffed.format == Format::kNone) return media;
  try {
    if (sniffed.format == Format::kXmp) {
      decode_sidecar(file, media.info);
    } else if (sniffed.format == Format::kVideo) {
      decode_video(file, name, media);
    } else {
      decode_photo(sniffed, file, media);
    }
  } catch (const std::exception&) {
    // Out of memory, mostly. What was found before stays.
    media.thumbnails.clear();
    if (!media.info.date && media.info.people.empty() && media.info.kind != MediaKind::kOther &&
        !file.is_part())
      media.info.kind = MediaKind::kUndecodable;
  }
  return media;
}

}  // namespace shoebox::decoder
