#include "store/policy_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <limits>

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

uint64_t BandwidthPlan::at(int minute_of_day) const {
  for (const Span& span : spans) {
    if (span.hours.contains(minute_of_day)) return span.bytes_s;
  }
  return bytes_s;
}

uint64_t BandwidthPlan::slowest_bytes_s() const {
  uint64_t least = bytes_s > 0 ? bytes_s : std::numeric_limits<uint64_t>::max();
  for (const Span& span : spans) least = std::min(least, span.bytes_s);
  return least;
}

Status add_to_plan(const std::string& text, BandwidthPlan& plan) {
  const size_t blank = text.find(' ');
  const bool timed = text.find(':') < blank;  // a rate holds no colon
  if (!timed) {
    SHOEBOX_ASSIGN(const uint64_t bytes_s, parse_bandwidth(text));
    if (plan.bytes_s > 0)
      return {Code::kInvalid, fmt::format("\"{}\": the rest of the day is told twice", text)};
    plan.bytes_s = bytes_s;
    return Status::ok();
  }
  BandwidthPlan::Span span;
  SHOEBOX_ASSIGN(span.hours, parse_hours(text.substr(0, blank)));
  if (blank == std::string::npos)
    return {Code::kInvalid, fmt::format("\"{}\" tells no bandwidth: write \"{} 2 MiB/s\"", text, text)};
  SHOEBOX_ASSIGN(span.bytes_s, parse_bandwidth(text.substr(blank + 1)));
  plan.spans.push_back(span);
  return Status::ok();
}

std::vector<std::string> plan_texts(const BandwidthPlan& plan) {
  std::vector<std::string> texts;
  for (const BandwidthPlan::Span& span : plan.spans)
    texts.push_back(hours_text(span.hours) + " " + bandwidth_text(span.bytes_s));
  if (plan.bytes_s > 0) texts.push_back(bandwidth_text(plan.bytes_s));
  return texts;
}

std::string bandwidth_text(uint64_t bytes_s) { return size_text(bytes_s) + "/s"; }

int local_minute_of_day(int64_t seconds_since_1970) {
  const time_t seconds = seconds_since_1970;
  struct tm local {};
  ::localtime_r(&seconds, &local);
  return local.tm_hour * 60 + local.tm_min;
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
