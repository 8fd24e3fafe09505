#include "fs/views/dates_layout.h"

#include <fmt/format.h>

#include <chrono>

namespace shoebox {
namespace {

// Text of one field of a date; empty when it is not known.
std::string field_text(char field, const LocalDate& date) {
  switch (field) {
    case 'Y': return date.year > 0 ? fmt::format("{:04}", date.year) : "";
    case 'm': return date.month > 0 ? fmt::format("{:02}", date.month) : "";
    default: return date.day > 0 ? fmt::format("{:02}", date.day) : "";
  }
}

// Takes exactly `digits` digits off the front of `text`.
std::optional<int> take_number(std::string_view& text, size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (const char c : text.substr(0, digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(digits);
  return value > 0 ? std::optional(value) : std::nullopt;
}

// Enters a field; false when an outer folder said something else.
template <typename T>
bool agree(T& field, int value) {
  if (field != 0 && field != value) return false;
  field = static_cast<T>(value);
  return true;
}

bool read_folder(std::string_view layout, std::string_view text, LocalDate& date) {
  for (size_t at = 0; at < layout.size(); ++at) {
    if (layout[at] != '%') {
      if (text.empty() || text.front() != layout[at]) return false;
      text.remove_prefix(1);
      continue;
    }
    const char field = layout[++at];
    const auto value = take_number(text, field == 'Y' ? 4 : 2);
    if (!value) return false;
    const bool agreed = field == 'Y'   ? agree(date.year, *value)
                        : field == 'm' ? agree(date.month, *value)
                                       : agree(date.day, *value);
    if (!agreed) return false;
  }
  return text.empty();
}

bool is_real(const LocalDate& date) {
  if (date.year < 1 || date.month > 12) return false;
  if (date.day == 0) return true;
  if (date.month == 0) return false;
  return std::chrono::year_month_day(std::chrono::year(date.year), std::chrono::month(date.month),
                                     std::chrono::day(date.day))
      .ok();
}

}  // namespace

Result<DatesLayout> DatesLayout::parse(std::string_view layout) {
  const auto bad = [&](std::string_view why) {
    return Status(Code::kInvalid,
                  fmt::format("dates layout \"{}\": {}, write something like %Y/%m", layout, why));
  };
  DatesLayout result;
  std::string_view rest = layout;
  while (true) {
    const size_t slash = rest.find('/');
    const std::string folder(rest.substr(0, slash));
    bool has_field = false;
    for (size_t at = 0; at < folder.size(); ++at) {
      if (folder[at] != '%') continue;
      const char field = at + 1 < folder.size() ? folder[at + 1] : '\0';
      if (field != 'Y' && field != 'm' && field != 'd') return bad("only %Y, %m and %d are known");
      has_field = true;
      ++at;
    }
    if (!has_field) return bad("each folder needs %Y, %m or %d");
    result.folders_.push_back(folder);
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  if (result.folders_.front().find("%Y") == std::string::npos) return bad("the first folder needs %Y");
  return result;
}

DatesLayout DatesLayout::standard() {
  DatesLayout layout;
  layout.folders_ = {"%Y", "%m"};
  return layout;
}

ViewPath DatesLayout::path_of(const LocalDate& date) const {
  ViewPath path;
  for (const std::string& folder : folders_) {
    std::string name;
    for (size_t at = 0; at < folder.size(); ++at) {
      if (folder[at] != '%') {
        name.push_back(folder[at]);
        continue;
      }
      const std::string text = field_text(folder[++at], date);
      if (text.empty()) return path;
      name.append(text);
    }
    path.push_back(std::move(name));
  }
  return path;
}

std::optional<LocalDate> DatesLayout::date_of(const ViewPath& path) const {
  if (path.empty() || path.size() > folders_.size()) return std::nullopt;
  LocalDate date;
  for (size_t i = 0; i < path.size(); ++i) {
    if (!read_folder(folders_[i], path[i], date)) return std::nullopt;
  }
  return is_real(date) ? std::optional(date) : std::nullopt;
}

}  // namespace shoebox
