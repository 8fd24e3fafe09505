// Where the picture was taken, and by which camera.
#include <cmath>
#include <cstdlib>

#include "store/decode/decoder/facts.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

std::optional<double> exif_degrees(const TagSet& tags, const char* key, const char* reference_key,
                                   char negative) {
  const std::vector<double> parts = tags.exif_rationals(key);
  if (parts.empty() || !std::isfinite(parts[0])) return {};
  double degrees = 0;
  double unit = 1;
  for (const double part : parts) {
    if (std::isfinite(part)) degrees += part / unit;
    unit *= 60;
    if (unit > 3600) break;
  }
  const std::string reference = tags.exif(reference_key);
  return !reference.empty() && (reference[0] & ~0x20) == negative ? -degrees : degrees;
}

// XMP: "50,5.375N", "50,5,22.5N", or plain degrees.
std::optional<double> xmp_degrees(const std::string& text) {
  if (text.empty()) return {};
  double degrees = 0;
  double unit = 1;
  const char* at = text.c_str();
  bool minus = *at == '-';
  for (int i = 0; i < 3; ++i) {
    char* end = nullptr;
    const double value = std::strtod(at, &end);
    if (end == at) {
      if (i == 0) return {};
      break;
    }
    degrees += std::abs(value) / unit;
    unit *= 60;
    at = end;
    if (*at != ',') break;
    ++at;
  }
  if (*at == 'S' || *at == 'W' || *at == 's' || *at == 'w') minus = true;
  return minus ? -degrees : degrees;
}

std::optional<Position> checked(std::optional<double> latitude, std::optional<double> longitude) {
  if (!latitude || !longitude) return {};
  if (!(std::abs(*latitude) <= 90) || !(std::abs(*longitude) <= 180)) return {};
  return Position{*latitude, *longitude};
}

// "+49.1989+016.6071+222.470/" (ISO 6709): degrees with a decimal point.
std::optional<Position> parse_iso6709(const std::string& text) {
  const size_t second = text.find_first_of("+-", 1);
  if (text.empty() || second == std::string::npos) return {};
  return checked(std::strtod(text.c_str(), nullptr), std::strtod(text.c_str() + second, nullptr));
}

}  // namespace

std::optional<Position> position_of(const TagSet& tags) {
  if (const auto position =
          checked(exif_degrees(tags, "Exif.GPSInfo.GPSLatitude", "Exif.GPSInfo.GPSLatitudeRef", 'S'),
                  exif_degrees(tags, "Exif.GPSInfo.GPSLongitude", "Exif.GPSInfo.GPSLongitudeRef", 'W'))) {
    return position;
  }
  if (const auto position = checked(xmp_degrees(tags.xmp("Xmp.exif.GPSLatitude")),
                                    xmp_degrees(tags.xmp("Xmp.exif.GPSLongitude")))) {
    return position;
  }
  for (const char* key : {"av.com.apple.quicktime.location.ISO6709", "av.location", "av.location-eng"}) {
    if (const auto position = parse_iso6709(tags.text(key))) return position;
  }
  return {};
}

PlaceNames place_of(const TagSet& tags) {
  const auto either = [&tags](const char* xmp, const char* iptc) {
    std::string text = tags.xmp(xmp);
    return text.empty() ? tags.iptc(iptc) : text;
  };
  PlaceNames place{.country = either("Xmp.photoshop.Country", "Iptc.Application2.CountryName"),
                   .state = either("Xmp.photoshop.State", "Iptc.Application2.ProvinceState"),
                   .city = either("Xmp.photoshop.City", "Iptc.Application2.City"),
                   .location = either("Xmp.iptc.Location", "Iptc.Application2.SubLocation")};
  if (!place.empty()) return place;
  tags.each_xmp("Xmp.iptcExt.LocationCreated", [&place](const std::string& key, const std::string& value) {
    const size_t index = key.find('[');  // of several the first
    if (index != std::string::npos && key.compare(index, 3, "[1]") != 0) return;
    const auto take = [&](const char* field, std::string& level) {
      if (level.empty() && key.ends_with(field)) level = value;
    };
    take(":CountryName", place.country);
    take(":ProvinceState", place.state);
    take(":City", place.city);
    take(":Sublocation", place.location);
  });
  return place;
}

void describe_camera(const TagSet& tags, MediaInfo& info) {
  const auto first_of = [](std::initializer_list<std::string> texts) {
    for (const std::string& text : texts) {
      if (!text.empty()) return text;
    }
    return std::string();
  };
  info.make = first_of({tags.exif("Exif.Image.Make"), tags.xmp("Xmp.tiff.Make"),
                        tags.text("av.com.apple.quicktime.make"), tags.text("av.make")});
  info.model = first_of({tags.exif("Exif.Image.Model"), tags.xmp("Xmp.tiff.Model"),
                         tags.text("av.com.apple.quicktime.model"), tags.text("av.model")});
  int64_t orientation = tags.exif_number("Exif.Image.Orientation").value_or(0);
  if (orientation == 0) orientation = std::strtol(tags.xmp("Xmp.tiff.Orientation").c_str(), nullptr, 10);
  if (orientation == 0) orientation = std::strtol(tags.text("av.orientation").c_str(), nullptr, 10);
  info.orientation = orientation >= 1 && orientation <= 8 ? static_cast<uint8_t>(orientation) : uint8_t{1};
}

}  // namespace shoebox::decoder
