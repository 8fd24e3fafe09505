#include "store/tree/date_text.h"

#include <fmt/format.h>

#include <algorithm>

namespace shoebox {

std::string date_text(const LocalDate& date) {
  std::string text = fmt::format("{:04}", date.year);
  if (date.month > 0) text += fmt::format("-{:02}", date.month);
  if (date.month > 0 && date.day > 0) text += fmt::format("-{:02}", date.day);
  if (date.day > 0 && date.hour >= 0 && date.minute >= 0)
    text += fmt::format("T{:02}:{:02}:{:02}", date.hour, date.minute, std::max<int>(date.second, 0));
  return text;
}

}  // namespace shoebox
