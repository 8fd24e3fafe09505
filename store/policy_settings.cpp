#include "store/policy_settings.h"

#include <fmt/format.h>

#include "store/settings.h"

namespace shoebox {
namespace {

constexpr int kMinutesPerDay = 24 * 60;

// "7:05" -> 425; 24:00 is the end of the day.
std::optional<int> minute_of_day(std::string_view text) {
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon < 1 || colon > 2 || text.size() != colon + 3)
    return std::nullopt;
  int parts[2] = {0, 0};
  for (size_t i = 0; i < text.size(); ++i) {
    if (i == colon) continue;
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    int& part = parts[i > colon ? 1 : 0];
    part = part * 10 + (text[i] - '0');
  }
  const int minute = parts[0] * 60 + parts[1];
  if (parts[1] > 59 || minute > kMinutesPerDay) return std::nullopt;
  return minute;
}

}  // namespace

bool HourWindow::contains(int minute) const {
  if (from_minute < to_minute) return minute >= from_minute && minute < to_minute;
  return minute >= from_minute || minute < to_minute;
}

Result<HourWindow> parse_hours(const std::string& text) {
  const size_t dash = text.find('-');
  if (dash != std::string::npos) {
    const auto from = minute_of_day(std::string_view(text).substr(0, dash));
    const auto to = minute_of_day(std::string_view(text).substr(dash + 1));
    if (from && to && *from < kMinutesPerDay && *from != *to) return HourWindow{*from, *to};
  }
  return Status(Code::kInvalid, fmt::format("\"{}\" is no span of a day: write \"22:00-07:00\"", text));
}

std::string hours_text(const HourWindow& window) {
  return fmt::format("{:02}:{:02}-{:02}:{:02}", window.from_minute / 60, window.from_minute % 60,
                     window.to_minute / 60, window.to_minute % 60);
}

Result<uint64_t> parse_bandwidth(const std::string& text) {
  const Status bad(Code::kInvalid, fmt::format("\"{}\" is no bandwidth: write \"2 MiB/s\"", text));
  const size_t slash = text.find('/');
  if (slash == std::string::npos || text.substr(slash + 1) != "s") return bad;
  const Result<CacheLimit> size = parse_cache_limit(text.substr(0, slash));
  // Less than this never ends: a photo would take hours, and remotes close connections as idle.
  constexpr uint64_t kLeastBytesPerS = 1024;
  if (!size || size->percent != 0 || size->bytes < kLeastBytesPerS) return bad;
  return size->bytes;
}

}  // namespace shoebox
