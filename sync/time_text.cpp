#include "sync/time_text.h"

#include <ctime>

namespace shoebox {

std::string time_text(int64_t when_s) {
  const auto seconds = static_cast<time_t>(when_s);
  struct tm parts {};
  char text[32] = "";
  if (::localtime_r(&seconds, &parts) != nullptr) std::strftime(text, sizeof text, "%F %T", &parts);
  return text;
}

}  // namespace shoebox
