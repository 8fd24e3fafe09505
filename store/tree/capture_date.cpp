#include "store/tree/capture_date.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "store/tree/name_class.h"

namespace shoebox {
namespace {

constexpr int kFirstCameraYear = 1990;  // eight digits are a date only from digital cameras on
constexpr int kFirstPhotoYear = 1826;   // 2023-07-14 spelled out may be a scan of any photo
constexpr int64_t kDaySeconds = 86400;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

int days_in_month(int year, int month) {
  const auto last =
      std::chrono::year(year) / std::chrono::month(static_cast<unsigned>(month)) / std::chrono::last;
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

LocalDate from_tm(const std::tm& time) {
  return {.year = static_cast<int16_t>(std::clamp(time.tm_year + 1900, 0, 32767)),
          .month = static_cast<uint8_t>(time.tm_mon + 1),
          .day = static_cast<uint8_t>(time.tm_mday),
          .hour = static_cast<int8_t>(time.tm_hour),
          .minute = static_cast<int8_t>(time.tm_min),
          .second = static_cast<int8_t>(time.tm_sec)};
}

// Reads a file name from left to right. Nothing here looks past the end.
class Reader {
 public:
  explicit Reader(std::string_view text, size_t at = 0) : text_(text), at_(at) {}

  [[nodiscard]] char peek(size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  [[nodiscard]] size_t run() const {  // digits from here on
    size_t count = 0;
    while (is_digit(peek(count))) ++count;
    return count;
  }
  int number(size_t digits) {
    int value = 0;
    for (size_t i = 0; i < digits; ++i) value = value * 10 + (peek(i) - '0');
    at_ += digits;
    return value;
  }
  bool skip(std::string_view token) {
    if (text_.substr(std::min(at_, text_.size()), token.size()) != token) return false;
    at_ += token.size();
    return true;
  }
  bool skip_one_of(std::string_view characters) {
    if (peek() == '\0' || characters.find(peek()) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] size_t at() const { return at_; }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  std::string_view text_;
  size_t at_;
};

bool set_time(LocalDate& date, int hour, int minute, int second) {
  if (hour > 23 || minute > 59 || second > 59) return false;
  date.hour = static_cast<int8_t>(hour);
  date.minute = static_cast<int8_t>(minute);
  date.second = static_cast<int8_t>(second);
  return true;
}

// "10.11.12", "1.11.12 PM": parts of two digits with the same separator between them.
bool read_spaced_time(Reader& reader, LocalDate& date) {
  Reader r = reader;
  const size_t hour_digits = r.run();
  if (hour_digits != 1 && hour_digits != 2) return false;
  int hour = r.number(hour_digits);
  const char separator = r.peek();
  if (!r.skip_one_of(".-_:h") || r.run() != 2) return false;
  const int minute = r.number(2);
  int second = 0;
  if (r.peek() == separator || r.peek() == 'm') {
    Reader rest = r;
    rest.skip_one_of(".-_:m");
    if (rest.run() >= 2) {
      const bool exact = rest.run() == 2;
      if (!exact) return false;
      second = rest.number(2);
      r = rest;
    }
  }
  Reader half = r;
  if (!half.skip(" ")) half.skip("\u202F");  // macOS puts a narrow space before AM and PM
  const bool pm = half.skip("PM") || half.skip("pm");
  const bool am = !pm && (half.skip("AM") || half.skip("am"));
  if ((am || pm) && hour >= 1 && hour <= 12 && !is_letter(half.peek())) {
    hour = hour % 12 + (pm ? 12 : 0);
    r = half;
  } else if (hour_digits == 1) {
    return false;
  }
  if (!set_time(date, hour, minute, second)) return false;
  reader = r;
  return true;
}

// The time after a date: "101112", "101112345", " at 10.11.12", "-10-11-12"; none is fine.
void read_time(Reader& reader, LocalDate& date) {
  Reader r = reader;
  if (!r.skip(" at ") && !r.skip(", ") && !r.skip(" - ") && !r.skip_one_of(" _-T.")) return;
  const size_t digits = r.run();
  if (digits == 6 || digits == 8 || digits == 9) {  // with hundredths or milliseconds
    const int hour = r.number(2), minute = r.number(2), second = r.number(2);
    r.number(digits - 6);
    if (set_time(date, hour, minute, second)) reader = r;
  } else if (read_spaced_time(r, date)) {
    reader = r;
  }
}

// 20230714 or 20230714101112, with a time after it or not.
std::optional<LocalDate> read_compact(Reader& reader) {
  const size_t digits = reader.run();
  if (digits != 8 && digits != 14 && digits != 17) return std::nullopt;
  LocalDate date;
  date.year = static_cast<int16_t>(reader.number(4));
  date.month = static_cast<uint8_t>(reader.number(2));
  date.day = static_cast<uint8_t>(reader.number(2));
  if (date.year < kFirstCameraYear) return std::nullopt;
  if (digits > 8) {
    const int hour = reader.number(2), minute = reader.number(2), second = reader.number(2);
    reader.number(digits - 14);
    if (!set_time(date, hour, minute, second)) return std::nullopt;
  } else {
    read_time(reader, date);
  }
  return date;
}

// 2023-07-14, 2023_07_14 or 2023.07.14, with a time after it or not.
std::optional<LocalDate> read_dashed(Reader& reader) {
  if (reader.run() != 4) return std::nullopt;
  LocalDate date;
  date.year = static_cast<int16_t>(reader.number(4));
  const char separator = reader.peek();
  if (!reader.skip_one_of("-_.") || reader.run() != 2) return std::nullopt;
  date.month = static_cast<uint8_t>(reader.number(2));
  if (reader.peek() != separator) return std::nullopt;
  reader.skip_one_of("-_.");
  if (reader.run() != 2) return std::nullopt;
  date.day = static_cast<uint8_t>(reader.number(2));
  if (date.year < kFirstPhotoYear) return std::nullopt;
  read_time(reader, date);
  return date;
}

// "20230714-1011-4abc-…": eight digits that begin a UUID say nothing.
bool begins_uuid(std::string_view text, size_t at) {
  constexpr size_t kGroups[] = {8, 4, 4, 4, 12};
  for (size_t group = 0; group < std::size(kGroups); ++group) {
    if (group > 0 && (at >= text.size() || text[at++] != '-')) return false;
    for (size_t i = 0; i < kGroups[group]; ++i, ++at) {
      if (at >= text.size() || !is_hex(text[at])) return false;
    }
  }
  return true;
}

// Letters straight before the digits are a prefix (IMG20230714) unless they belong to a longer
// mix of letters and digits, such as a hash.
bool may_begin(std::string_view text, size_t at) {
  if (at == 0) return true;
  if (is_digit(text[at - 1])) return false;
  size_t letters = at;
  while (letters > 0 && is_letter(text[letters - 1])) --letters;
  if (letters == at) return true;
  return letters == 0 || !is_digit(text[letters - 1]);
}

// A date in UTC with a time, as local time where the photo was taken.
LocalDate to_local(const LocalDate& utc, const MediaInfo& info) {
  if (utc.hour < 0) return utc;
  std::tm time{};
  time.tm_year = utc.year - 1900;
  time.tm_mon = utc.month - 1;
  time.tm_mday = utc.day;
  time.tm_hour = utc.hour;
  time.tm_min = utc.minute;
  time.tm_sec = utc.second;
  std::time_t seconds = timegm(&time);
  bool converted = false;
  if (info.utc_offset_minutes) {
    seconds += std::time_t{*info.utc_offset_minutes} * 60;
    converted = gmtime_r(&seconds, &time) != nullptr;
  } else if (info.longitude) {
    seconds += std::lround(*info.longitude / 15) * 3600;  // 15 degrees an hour: right to the hour or two
    converted = gmtime_r(&seconds, &time) != nullptr;
  } else {
    converted = localtime_r(&seconds, &time) != nullptr;
  }
  return converted ? from_tm(time) : utc;
}

}  // namespace

bool is_possible(const LocalDate& date, const Timestamp& now) {
  if (date.year < 1 || date.month > 12) return false;
  if (date.month == 0 && date.day != 0) return false;
  if (date.day != 0 && date.day > days_in_month(date.year, date.month)) return false;
  if (date.hour > 23 || date.minute > 59 || date.second > 60) return false;
  // A day ahead covers every time zone there is.
  const std::time_t limit = now.seconds + kDaySeconds;
  std::tm time{};
  if (gmtime_r(&limit, &time) == nullptr) return true;
  return date <= from_tm(time);
}

std::optional<LocalDate> date_in_name(std::string_view name, const Timestamp& now) {
  const std::string_view stem = stem_of(name);
  std::optional<LocalDate> day_only;
  for (size_t at = 0; at < stem.size(); ++at) {
    if (!is_digit(stem[at]) || !may_begin(stem, at)) continue;
    Reader reader(stem, at);
    std::optional<LocalDate> date;
    if (reader.run() == 4) {
      date = read_dashed(reader);
    } else if (!begins_uuid(stem, at)) {
      date = read_compact(reader);
    }
    const char next = reader.peek();
    if (!date || is_digit(next) || is_letter(next) || !is_possible(*date, now)) continue;
    if (date->hour >= 0) return date;
    if (!day_only) day_only = date;
  }
  return day_only;
}

bool is_name_in_utc(std::string_view name) {
  // Copies and edits keep the prefix: PXL_20230714_101112345~2.jpg, PXL_20230714_101112345.MP.jpg.
  return name.starts_with("PXL_");
}

EffectiveDate effective_date(const MediaInfo& info, std::string_view original_name,
                             const std::optional<Timestamp>& set_mtime, const Timestamp& now) {
  if (info.date && is_possible(*info.date, now)) {
    // QuickTime clocks that were never set show their epoch, whatever zone it was converted to.
    const LocalDate& date = *info.date;
    const bool is_epoch = (date.year == 1904 && date.month == 1 && date.day == 1) ||
                          (date.year == 1903 && date.month == 12 && date.day == 31);
    if (info.kind != MediaKind::kVideo || !is_epoch) return {date, DateSource::kMetadata};
  }
  if (auto date = date_in_name(original_name, now)) {
    if (is_name_in_utc(original_name)) *date = to_local(*date, info);
    return {date, DateSource::kFileName};
  }
  if (set_mtime && set_mtime->seconds != 0) {  // 0: an archive that knew no time
    const std::time_t seconds = set_mtime->seconds;
    std::tm time{};
    if (localtime_r(&seconds, &time) != nullptr) {
      const LocalDate date = from_tm(time);
      if (is_possible(date, now)) return {date, DateSource::kMtime};
    }
  }
  return {};
}

}  // namespace shoebox
