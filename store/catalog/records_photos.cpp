// The records of photos: what files say of themselves, and what people said about them.
#include "store/catalog/record_fields.h"

namespace shoebox {
namespace {

constexpr uint8_t kMediaVersion =
    3;  // of the records with a MediaInfo in them; 2: caption, sidecars; 3: places

constexpr auto kDateFields = [](auto& io, auto& date) {
  io.signed_number(date.year);
  io.byte(date.month);
  io.byte(date.day);
  io.byte(date.hour);
  io.byte(date.minute);
  io.byte(date.second);
  io.expect(date.month <= 12 && date.day <= 31);
};

constexpr auto kRealField = [](auto& io, auto& number) { io.real(number); };

constexpr auto kMediaFields = [](auto& io, auto& media) {
  io.enumeration(media.kind, MediaKind::kUnknown, MediaKind::kUndecodable);
  io.string(media.mime);
  io.optional(media.date, kDateFields);
  io.optional(media.utc_offset_minutes, [](auto& each, auto& minutes) { each.signed_number(minutes); });
  io.list(media.people, records::kStringField);
  io.list(media.tags, records::kStringField);
  io.optional(media.latitude, kRealField);
  io.optional(media.longitude, kRealField);
  io.string(media.make);
  io.string(media.model);
  io.number(media.width);
  io.number(media.height);
  io.byte(media.orientation);
  io.real(media.duration_s);
  io.byte(media.rating);
  if (io.version() < 2) return;
  io.flag(media.date_is_original);
  io.string(media.caption);
  if (io.version() < 3) return;
  io.string(media.place.country);
  io.string(media.place.state);
  io.string(media.place.city);
  io.string(media.place.location);
};

constexpr auto kPhotoFields = [](auto& io, auto& photo) {
  io.id(photo.content);
  kMediaFields(io, photo.info);
  io.enumeration(photo.date_source, DateSource::kNone, DateSource::kMtime);
  io.optional(photo.date, kDateFields);
  io.optional(photo.stated_date, kDateFields);
  io.map(photo.statements, records::kViewValueFields, [](auto& each, auto& statement) {
    each.enumeration(statement, Statement::kAsserted, Statement::kDenied);
  });
  io.flag(photo.homed);
  io.string(photo.original_name);
  if (io.version() < 2) return;
  io.optional(photo.file_info, kMediaFields);
  io.map(
      photo.sidecars, [](auto& each, auto& content) { each.id(content); }, kMediaFields);
  if (io.version() < 3) return;
  io.optional(photo.stated_place, records::kStringField);
};

}  // namespace

std::string encode(const PhotoRecord& record) { return records::write(kMediaVersion, record, kPhotoFields); }
Result<PhotoRecord> decode_photo(std::string_view bytes) {
  return records::read<PhotoRecord>(bytes, "photo", kMediaVersion, kPhotoFields);
}

std::string encode(const MediaInfo& info) { return records::write(kMediaVersion, info, kMediaFields); }
Result<MediaInfo> decode_media_info(std::string_view bytes) {
  return records::read<MediaInfo>(bytes, "media description", kMediaVersion, kMediaFields);
}

}  // namespace shoebox
