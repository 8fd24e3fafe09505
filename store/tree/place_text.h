// A place as one text: "Italy/Toscana/Arezzo", "Italy/Rome", or "43.467448, 11.885126" (latitude, longitude
// in degrees, WGS 84).
//
// Names stand from the widest to the narrowest, up to four: country, state, city, place in it; what is not
// known is left out. Each is spelled as a folder's name is (safe_name.h): a '/' within one is '／'. Texts are
// untrusted. Pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

struct Position {
  double latitude = 0, longitude = 0;  // degrees; south and west are negative
};

// Empty where no name is known.
std::string place_text(const PlaceNames& names);
// Six decimals: a tenth of a metre.
std::string position_text(Position position);
// None: not the text of a position, or of none on earth.
std::optional<Position> parse_position(std::string_view text);

// The spelling above of what somebody wrote; empty for an empty text. kInvalid: over four names, one that is
// too long for a folder, none at all ("/"), or a position that is none on earth.
Result<std::string> parse_stated_place(std::string_view text);
// Which name is which in a text that parse_stated_place() gave: one is a country, two are country and city,
// three country, state and city.
PlaceNames place_names(std::string_view text);

// "43,28.046880N": degrees and minutes as XMP has them (Exif 2.3 in XMP). Equal where six decimals of the
// degrees are.
std::string xmp_degrees(double degrees, char positive, char negative);

}  // namespace shoebox
