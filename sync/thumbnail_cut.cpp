#include "sync/thumbnail_cut.h"

#include <algorithm>

#include "store/base/coding.h"
#include "store/catalog/backup_segment.h"
#include "store/catalog/keys.h"
#include "store/thumbnail_id.h"
#include "store/thumbnails/thumbnails.h"

namespace shoebox {
namespace {

constexpr uint32_t kSizePx = 256;  // enough to look through; the larger ones are made again
constexpr size_t kSegmentBytes = 4 << 20;
// As uploads: then the decoder is taken not to come.
constexpr int64_t kDecodeGraceS = 600;
constexpr char kTable = 'T';

enum class Readiness { kNothing, kWaits, kReady };

// Whether a thumbnail of this content can be expected.
Result<Readiness> readiness(const CatalogReader& reader, ContentNo number, const ContentRecord& content,
                            int64_t now_s) {
  const bool young = content.changed_s + kDecodeGraceS > now_s && content.changed_s <= now_s;
  if (!is_immutable(content.state)) return young ? Readiness::kWaits : Readiness::kNothing;
  SHOEBOX_ASSIGN(const std::optional<PhotoId> id, reader.photo_of_content(number));
  if (!id) return Readiness::kNothing;
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, reader.photo(*id));
  if (!photo) return Readiness::kNothing;
  const MediaKind kind = photo->info.kind;
  if (kind == MediaKind::kUnknown) return young ? Readiness::kWaits : Readiness::kNothing;
  return kind == MediaKind::kPhoto || kind == MediaKind::kVideo ? Readiness::kReady : Readiness::kNothing;
}

}  // namespace

std::string thumbnail_key(const ContentHash& sha256, uint32_t size_px) {
  std::string key(1, kTable);
  key.append(sha256.view());
  put_be32(key, size_px);
  return key;
}

Status parse_thumbnail_key(std::string_view key, ContentHash& sha256, uint32_t& size_px) {
  Decoder in(key);
  const uint8_t table = in.u8();
  const std::string_view hash = in.bytes(sha256.bytes.size());
  size_px = in.be32();
  if (!in.done() || table != kTable) return {Code::kDataLoss, "backup segment: a key is no thumbnail's"};
  std::copy(hash.begin(), hash.end(), sha256.bytes.begin());
  return Status::ok();
}

Result<bool> cut_thumbnails(const CatalogMoment& moment, const Thumbnails& thumbnails,
                            const ThumbnailRange& range, const backup::SegmentSink& sink) {
  backup::SegmentWriter writer(backup::SegmentWriter::kPictures);
  uint64_t begin = range.after;
  uint64_t last = range.after;
  uint64_t cut_bytes = 0;
  bool more = false;
  const auto cut = [&]() -> Status {
    if (writer.rows() == 0) return Status::ok();
    const uint64_t rows = writer.rows();
    SHOEBOX_ASSIGN(const std::string file, writer.finish());
    backup::Segment segment = describe(backup::SegmentKind::kThumbnails, file, rows);
    segment.from = std::exchange(begin, last);
    segment.to = last;
    cut_bytes += file.size();
    return sink(segment, file);
  };
  const auto look = [&](ContentNo number, const ContentRecord& content) -> Result<bool> {
    if (cut_bytes >= range.most_bytes) {
      more = true;
      return false;
    }
    SHOEBOX_ASSIGN(const Readiness ready, readiness(moment, number, content, range.now_s));
    if (ready == Readiness::kWaits) return false;
    if (ready == Readiness::kReady) {
      const ContentHash id = thumbnail_id(number, content);
      SHOEBOX_ASSIGN(const std::optional<std::string> jpeg, thumbnails.get(id, kSizePx));
      if (jpeg) writer.put(thumbnail_key(id, kSizePx), *jpeg);
    }
    last = number.value;
    if (writer.raw_bytes() >= kSegmentBytes) SHOEBOX_TRY(cut());
    return true;
  };
  Status failure;
  const std::string table = keys::table(keys::kContent);
  SHOEBOX_TRY(moment.scan(table, keys::content(ContentNo(range.after + 1)),
                          [&](std::string_view key, std::string_view value) {
                            const Result<ContentRecord> content = decode_content(value);
                            if (!content) return true;  // fsck tells
                            const Result<bool> go_on = look(ContentNo(keys::split(key, 1).first), *content);
                            if (!go_on) failure = go_on.status();
                            return go_on && *go_on;
                          }));
  SHOEBOX_TRY(failure);
  SHOEBOX_TRY(cut());
  return more;
}

}  // namespace shoebox
