// What the metadata of a file says about the photo: each function answers one question from a TagSet.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/catalog/records.h"

namespace shoebox::decoder {

class TagSet;

struct CaptureDate {
  LocalDate local;
  std::optional<int16_t> utc_offset_minutes;
  bool is_original = false;  // from a tag that means capture, not digitizing or writing
};
// "2023:07:14 10:11:12.5+02:00", "2023-07-14T10:11:12Z", "2023-07", "20230714",
// "Tue, 13 Feb 2007 06:34:38 +0100". None: no date, or one that cannot be (year 0, 31 February).
std::optional<CaptureDate> parse_date(std::string_view text);
// Local time at capture. Dates after `now_s` (seconds since 1970, UTC) and a zone's width do not count.
std::optional<CaptureDate> capture_date(const TagSet& tags, int64_t now_s);

// Names in MWG and Microsoft face regions, IPTC PersonInImage (with and without details), and
// digiKam's and Lightroom's tags below "People". In the order found, each once.
std::vector<std::string> people_of(const TagSet& tags);
// Keywords; hierarchies joined by '/'. A flat keyword that is only a part of a hierarchy is left out.
std::vector<std::string> tags_of(const TagSet& tags);
int8_t rating_of(const TagSet& tags);  // -1: none
// What somebody wrote about the picture; empty where there is nothing, or only a camera's own text.
std::string caption_of(const TagSet& tags);

struct Position {
  double latitude = 0, longitude = 0;
};
std::optional<Position> position_of(const TagSet& tags);
// The names that IPTC has for where it was taken: each in XMP, else in the older binary form; where there is
// none of them, those of the Extension's LocationCreated.
PlaceNames place_of(const TagSet& tags);

// Make, model, orientation.
void describe_camera(const TagSet& tags, MediaInfo& info);

}  // namespace shoebox::decoder
