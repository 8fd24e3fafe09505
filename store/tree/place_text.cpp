#include "store/tree/place_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <vector>

#include "store/tree/safe_name.h"

namespace shoebox {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr size_t kMostNames = 4;
constexpr int64_t kMicro = 1'000'000;

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const size_t slash = text.find('/');
    if (const std::string_view part = trimmed(text.substr(0, slash)); !part.empty()) parts.push_back(part);
    text.remove_prefix(slash == std::string_view::npos ? text.size() : slash + 1);
  }
  return parts;
}

// A decimal number and nothing else.
std::optional<double> decimal(std::string_view text) {
  if (text.empty() || text.find_first_not_of("-.0123456789") != std::string_view::npos) return {};
  double value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

// Two numbers with a comma between them, wherever they lie.
std::optional<Position> two_numbers(std::string_view text) {
  const size_t comma = text.find(',');
  if (comma == std::string_view::npos) return {};
  const auto latitude = decimal(trimmed(text.substr(0, comma)));
  const auto longitude = decimal(trimmed(text.substr(comma + 1)));
  if (!latitude || !longitude) return {};
  return Position{*latitude, *longitude};
}

bool on_earth(Position position) {
  return std::abs(position.latitude) <= 90 && std::abs(position.longitude) <= 180;
}

int64_t micro_degrees(double degrees) { return std::llround(degrees * static_cast<double>(kMicro)); }

std::string degrees_text(double degrees) {
  const int64_t micro = micro_degrees(degrees);
  return fmt::format("{}{}.{:06}", micro < 0 ? "-" : "", std::abs(micro) / kMicro, std::abs(micro) % kMicro);
}

Status invalid(std::string_view text, std::string_view why) {
  return {Code::kInvalid, fmt::format("{}: {}; write a place as Italy/Toscana/Arezzo or 43.467448, 11.885126",
                                      text.substr(0, 80), why)};
}

}  // namespace

std::string place_text(const PlaceNames& names) {
  std::string text;
  for (const std::string* name : {&names.country, &names.state, &names.city, &names.location}) {
    const std::string_view tidied = trimmed(*name);
    if (tidied.empty()) continue;
    if (!text.empty()) text.push_back('/');
    text += safe_name(normalized(tidied));
  }
  return text;
}

std::string position_text(Position position) {
  return degrees_text(position.latitude) + ", " + degrees_text(position.longitude);
}

std::optional<Position> parse_position(std::string_view text) {
  const auto position = two_numbers(text);
  return position && on_earth(*position) ? position : std::nullopt;
}

Result<std::string> parse_stated_place(std::string_view text) {
  if (text.empty()) return std::string();
  if (const auto position = two_numbers(text)) {
    if (!on_earth(*position)) return invalid(text, "no position on earth");
    return position_text(*position);
  }
  const std::vector<std::string_view> parts = split(text);
  if (parts.empty()) return invalid(text, "names nothing");
  if (parts.size() > kMostNames) return invalid(text, "over four names");
  std::string spelled;
  for (const std::string_view part : parts) {
    const std::string value = normalized(value_of_name(part));
    const std::string name = safe_name(value);
    if (value_of_name(name) != value) return invalid(text, "a name of it is over 255 bytes");
    if (!spelled.empty()) spelled.push_back('/');
    spelled += name;
  }
  return spelled;
}

PlaceNames place_names(std::string_view text) {
  std::vector<std::string> names;
  for (const std::string_view part : split(text)) names.push_back(value_of_name(part));
  names.resize(kMostNames);
  PlaceNames place;
  place.country = names[0];
  if (names[2].empty()) {
    place.city = names[1];
  } else {
    place.state = names[1];
    place.city = names[2];
    place.location = names[3];
  }
  return place;
}

std::string xmp_degrees(double degrees, char positive, char negative) {
  const int64_t micro = micro_degrees(degrees);
  const int64_t micro_minutes = std::abs(micro) % kMicro * 60;
  return fmt::format("{},{}.{:06}{}", std::abs(micro) / kMicro, micro_minutes / kMicro,
                     micro_minutes % kMicro, micro < 0 ? negative : positive);
}

}  // namespace shoebox
