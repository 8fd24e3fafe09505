// How values of shoebox.toml are spelt: sizes, shares and durations.
#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <cstdlib>

#include "store/settings.h"

namespace shoebox {
namespace {

struct Quantity {
  double number = 0;
  std::string unit;  // lower case
};

// "1.5 GiB" -> 1.5, "gib". Nothing but digits, one point, spaces and letters or '%'.
std::optional<Quantity> parse_quantity(const std::string& text) {
  size_t at = 0;
  const auto skip_spaces = [&] {
    while (at < text.size() && text[at] == ' ') ++at;
  };
  skip_spaces();
  const size_t begin = at;
  bool point = false;
  while (at < text.size() &&
         (std::isdigit(static_cast<unsigned char>(text[at])) != 0 || (text[at] == '.' && !point))) {
    point = point || text[at] == '.';
    ++at;
  }
  if (at == begin || at - begin > 18 || text[begin] == '.') return std::nullopt;
  Quantity quantity;
  quantity.number = std::strtod(text.substr(begin, at - begin).c_str(), nullptr);
  skip_spaces();
  while (at < text.size() && text[at] != ' ') {
    quantity.unit.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(text[at]))));
    ++at;
  }
  skip_spaces();
  if (at != text.size()) return std::nullopt;
  return quantity;
}

std::optional<double> bytes_of_unit(const std::string& unit) {
  static constexpr const char* kLetters = "kmgtp";
  if (unit == "b") return 1;
  for (int i = 0; kLetters[i] != 0; ++i) {
    const std::string letter(1, kLetters[i]);
    // "50 GB" is what disks are sold by, "50 GiB" and the bare letter what tools count in.
    if (unit == letter + "b") return std::pow(1000.0, i + 1);
    if (unit == letter + "ib" || unit == letter) return std::pow(1024.0, i + 1);
  }
  return std::nullopt;
}

}  // namespace

uint64_t CacheLimit::in_bytes(uint64_t disk_total_bytes) const {
  if (percent == 0) return bytes;
  // In two steps: a disk of many petabytes must not overflow.
  return disk_total_bytes / 100 * percent + disk_total_bytes % 100 * percent / 100;
}

std::string size_text(uint64_t bytes) {
  struct Unit {
    const char* name;
    uint64_t bytes;
  };
  static constexpr Unit kUnits[] = {
      {"TiB", uint64_t{1} << 40}, {"TB", 1'000'000'000'000}, {"GiB", 1U << 30}, {"GB", 1'000'000'000},
      {"MiB", 1U << 20},          {"MB", 1'000'000},         {"KiB", 1024},     {"kB", 1000}};
  for (const Unit& unit : kUnits) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0)
      return fmt::format("{} {}", bytes / unit.bytes, unit.name);
  }
  return fmt::format("{} B", bytes);
}

Result<CacheLimit> parse_cache_limit(const std::string& text) {
  const Status bad(
      Code::kInvalid,
      fmt::format("\"{}\" is no size: write \"50 GiB\", or \"20%\" for a share of the disk", text));
  const std::optional<Quantity> quantity = parse_quantity(text);
  if (!quantity) return bad;
  CacheLimit limit;
  if (quantity->unit == "%") {
    if (quantity->number < 1 || quantity->number > 100 || quantity->number != std::floor(quantity->number)) {
      return Status(Code::kInvalid,
                    fmt::format("\"{}\": the share must be a whole number from 1% to 100%", text));
    }
    limit.percent = static_cast<uint32_t>(quantity->number);
    return limit;
  }
  const std::optional<double> unit = bytes_of_unit(quantity->unit);
  if (!unit) return bad;
  const double bytes = quantity->number * *unit;
  if (bytes > 1e18) return Status(Code::kInvalid, fmt::format("\"{}\" is more than any disk holds", text));
  limit.bytes = static_cast<uint64_t>(bytes);
  return limit;
}

Result<int64_t> parse_duration_s(const std::string& text) {
  const Status bad(Code::kInvalid,
                   fmt::format("\"{}\" is no duration: write \"30d\", \"12h\", \"15m\" or \"90s\"", text));
  const std::optional<Quantity> quantity = parse_quantity(text);
  if (!quantity || quantity->number != std::floor(quantity->number)) return bad;
  int64_t unit = 0;
  if (quantity->unit == "s") unit = 1;
  if (quantity->unit == "m" || quantity->unit == "min") unit = 60;
  if (quantity->unit == "h") unit = 3600;
  if (quantity->unit == "d") unit = 86400;
  if (quantity->unit == "w") unit = 7 * 86400;
  if (quantity->unit == "y") unit = 365 * 86400;
  if (unit == 0) return bad;
  if (quantity->number > 1e9)
    return Status(Code::kInvalid, fmt::format("\"{}\" is longer than anybody waits", text));
  return static_cast<int64_t>(quantity->number) * unit;
}

}  // namespace shoebox
