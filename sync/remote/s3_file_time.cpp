#include "sync/remote/s3_file_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace shoebox {
namespace {

constexpr int64_t kMost_s = 253'402'300'799;
constexpr int64_t kBillion = 1'000'000'000;
constexpr size_t kDigits = 9;

}  // namespace

std::string s3_file_time(Timestamp time) {
  if (time.nanoseconds == 0) return std::to_string(time.seconds);
  if (time.seconds >= 0) return fmt::format("{}.{:09}", time.seconds, time.nanoseconds);
  // Nanoseconds count forward, the text counts away from 1970.
  return fmt::format("-{}.{:09}", -(time.seconds + 1), kBillion - time.nanoseconds);
}

std::optional<Timestamp> parse_s3_file_time(std::string_view text) {
  const bool before = text.starts_with('-');
  if (before) text.remove_prefix(1);
  const std::string_view whole = text.substr(0, text.find('.'));
  std::string_view behind = text.substr(whole.size());
  if (!behind.empty()) behind.remove_prefix(1);
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), is_digit) ||
      !std::all_of(behind.begin(), behind.end(), is_digit))
    return std::nullopt;
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(whole.data(), whole.data() + whole.size(), seconds);
  if (error != std::errc() || seconds > kMost_s) return std::nullopt;
  int64_t nanoseconds = 0;
  for (size_t i = 0; i < kDigits; ++i)
    nanoseconds = nanoseconds * 10 + (i < behind.size() ? behind[i] - '0' : 0);
  if (!before) return Timestamp{seconds, static_cast<uint32_t>(nanoseconds)};
  if (nanoseconds == 0) return Timestamp{-seconds, 0};
  return Timestamp{-seconds - 1, static_cast<uint32_t>(kBillion - nanoseconds)};
}

}  // namespace shoebox
