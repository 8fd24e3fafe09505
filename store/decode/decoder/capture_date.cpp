// The date of capture, in the order that the design takes from ExifTool's tags.
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <chrono>

#include "store/decode/decoder/facts.h"
#include "store/decode/decoder/tag_set.h"

namespace shoebox::decoder {
namespace {

// Takes text apart from the left.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  // Exactly `digits` digits.
  std::optional<int> number(size_t digits) {
    int value = 0;
    if (rest_.size() < digits) return {};
    for (size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return {};
      value = value * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  // One or two digits.
  std::optional<int> short_number() {
    if (const auto two = number(2)) return two;
    return number(1);
  }
  bool one_of(std::string_view characters) {
    if (rest_.empty() || characters.find(rest_.front()) == std::string_view::npos) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip(std::string_view characters) {
    while (one_of(characters)) {
    }
  }
  void skip_digits() { skip("0123456789"); }
  std::string_view word() {
    size_t length = 0;
    while (length < rest_.size() && std::isalpha(static_cast<unsigned char>(rest_[length]))) ++length;
    const std::string_view out = rest_.substr(0, length);
    rest_.remove_prefix(length);
    return out;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::optional<int16_t> parse_zone(Scanner& in) {
  in.skip(" ");
  if (in.one_of("Zz") || in.rest() == "GMT" || in.rest() == "UTC") return int16_t{0};
  const bool west = in.rest().starts_with('-');
  if (!in.one_of("+-")) return {};
  const auto hours = in.number(2);
  in.one_of(":");
  const auto minutes = in.number(2);
  if (!hours || *hours > 15 || minutes.value_or(0) > 59) return {};
  const int offset = *hours * 60 + minutes.value_or(0);
  return static_cast<int16_t>(west ? -offset : offset);
}

bool possible(const LocalDate& date) {
  if (date.year < 1 || date.month > 12) return false;
  if (date.month == 0) return true;
  const std::chrono::year_month_day_last last{std::chrono::year{date.year} / std::chrono::month{date.month} /
                                              std::chrono::last};
  return date.day <= static_cast<unsigned>(last.day());
}

// Hour, minute and second; a time that cannot be leaves the date without one.
void parse_time(Scanner& in, CaptureDate& out) {
  const auto hour = in.short_number();
  if (!hour || !in.one_of(":") || *hour > 23) return;
  const auto minute = in.number(2);
  if (!minute || *minute > 59) return;
  out.local.hour = static_cast<int8_t>(*hour);
  out.local.minute = static_cast<int8_t>(*minute);
  if (in.one_of(":.")) {
    const auto second = in.number(2);
    if (second && *second <= 60) out.local.second = static_cast<int8_t>(*second);
    if (in.one_of(".,")) in.skip_digits();
  }
  out.utc_offset_minutes = parse_zone(in);
}

uint8_t month_of(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths = {"jan", "feb", "mar", "apr", "may", "jun",
                                                               "jul", "aug", "sep", "oct", "nov", "dec"};
  std::string low(word.substr(0, 3));
  std::transform(low.begin(), low.end(), low.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto found = std::find(kMonths.begin(), kMonths.end(), low);
  return found == kMonths.end() ? 0 : static_cast<uint8_t>(found - kMonths.begin() + 1);
}

// "Tue, 13 Feb 2007 06:34:38 +0100" and "TUE OCT 27 12:14:00 2009".
std::optional<CaptureDate> parse_worded(std::string_view text) {
  Scanner in(text);
  CaptureDate out;
  std::string_view word = in.word();
  in.skip(", ");
  if (month_of(word) == 0 && !word.empty()) word = in.word();
  in.skip(", ");
  const auto day = in.short_number();
  if (!day) return {};
  in.skip(", -");
  if (word.empty()) word = in.word();
  out.local.month = month_of(word);
  out.local.day = static_cast<uint8_t>(*day);
  in.skip(", -");
  const auto year = in.number(4);
  in.skip(" ");
  parse_time(in, out);
  in.skip(" ");
  const auto late_year = year ? year : in.number(4);
  if (!late_year || out.local.month == 0) return {};
  out.local.year = static_cast<int16_t>(*late_year);
  return possible(out.local) ? std::optional(out) : std::nullopt;
}

// Seconds since 1970 of a local time, as if it were UTC.
int64_t seconds_of(const LocalDate& date) {
  using namespace std::chrono;
  const sys_days day{year{date.year} / month{std::max<unsigned>(1, date.month)} /
                     std::max<unsigned>(1, date.day)};
  return duration_cast<seconds>(day.time_since_epoch()).count() + std::max<int>(0, date.hour) * 3600 +
         std::max<int>(0, date.minute) * 60 + std::max<int>(0, date.second);
}

class Search {
 public:
  Search(const TagSet& tags, int64_t now_s) : tags_(tags), now_s_(now_s) {}

  // Takes the date if none was found before and this one can be.
  void offer(std::string_view text, std::string_view zone = {}) {
    if (found_ || text.empty()) return;
    std::optional<CaptureDate> date = parse_date(text);
    if (!date) return;
    constexpr int64_t kWidestZone_s = 14 * 3600;
    if (seconds_of(date->local) > now_s_ + kWidestZone_s) return;
    if (!date->utc_offset_minutes && !zone.empty()) {
      Scanner in(zone);
      date->utc_offset_minutes = parse_zone(in);
    }
    found_ = date;
  }
  // A clock in UTC: of QuickTime, Matroska.
  void offer_utc(std::string_view text) {
    if (found_ || text.starts_with("1904-01-01")) return;  // QuickTime's zero: never set
    offer(text, "Z");
    if (found_ && !found_->utc_offset_minutes) found_->utc_offset_minutes = 0;
  }
  void offer_exif(const char* key, std::initializer_list<const char*> zone_keys) {
    if (found_) return;
    std::string zone;
    for (const char* zone_key : zone_keys) {
      if (zone.empty()) zone = tags_.exif(zone_key);
    }
    offer(tags_.exif(key), zone);
  }
  void offer_iptc(const char* day_key, const char* time_key) {
    if (found_) return;
    const std::string day = tags_.iptc(day_key);
    if (!day.empty()) offer(day + " " + tags_.iptc(time_key));
  }
  // What was offered so far means capture.
  void end_of_originals() {
    if (found_) found_->is_original = true;
  }
  [[nodiscard]] const std::optional<CaptureDate>& found() const { return found_; }

 private:
  const TagSet& tags_;
  int64_t now_s_;
  std::optional<CaptureDate> found_;
};

}  // namespace

std::optional<CaptureDate> parse_date(std::string_view text) {
  Scanner in(text);
  in.skip(" ");
  CaptureDate out;
  const auto year = in.number(4);
  if (!year) return parse_worded(in.rest());
  out.local.year = static_cast<int16_t>(*year);
  const bool compact = !in.rest().empty() && std::isdigit(static_cast<unsigned char>(in.rest().front()));
  const auto separator = [&] { return compact || in.one_of(":-/."); };
  if (separator()) {
    const auto month = compact ? in.number(2) : in.short_number();
    out.local.month = static_cast<uint8_t>(month.value_or(0));
    if (month && separator()) {
      const auto day = compact ? in.number(2) : in.short_number();
      out.local.day = static_cast<uint8_t>(day.value_or(0));
      if (day && in.one_of(" T")) {
        in.skip(" ");
        parse_time(in, out);
      }
    }
  }
  return possible(out.local) ? std::optional(out) : std::nullopt;
}

std::optional<CaptureDate> capture_date(const TagSet& tags, int64_t now_s) {
  Search search(tags, now_s);
  search.offer_exif("Exif.Photo.DateTimeOriginal", {"Exif.Photo.OffsetTimeOriginal", "Exif.Photo.0x9011",
                                                    "Exif.Photo.OffsetTime", "Exif.Photo.0x9010"});
  search.offer(tags.xmp("Xmp.exif.DateTimeOriginal"));
  search.offer(tags.xmp("Xmp.photoshop.DateCreated"));
  search.offer(tags.text("av.com.apple.quicktime.creationdate"));
  search.offer_iptc("Iptc.Application2.DateCreated", "Iptc.Application2.TimeCreated");
  search.end_of_originals();
  search.offer_exif("Exif.Photo.DateTimeDigitized", {"Exif.Photo.OffsetTimeDigitized", "Exif.Photo.0x9012",
                                                     "Exif.Photo.OffsetTime", "Exif.Photo.0x9010"});
  search.offer(tags.xmp("Xmp.xmp.CreateDate"));
  search.offer_iptc("Iptc.Application2.DigitizationDate", "Iptc.Application2.DigitizationTime");
  search.offer(tags.text("png.CreationTime"));
  search.offer_utc(tags.text("av.creation_time_utc"));
  search.offer(tags.text("av.creation_time_local"));
  if (!search.found()) {
    search.offer(tags.exif("Exif.Image.DateTimeOriginal"));
    search.offer(tags.text("maker.DateTimeOriginal"));
    search.end_of_originals();
  }
  return search.found();
}

}  // namespace shoebox::decoder
