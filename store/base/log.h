// One line for an event an owner could act on, with id, size and cause; nothing per read.
// Thread-safe. Goes to stderr, or to syslog once the process is a daemon.
#pragma once

#include <fmt/format.h>

#include <string_view>

namespace shoebox::log {

enum class Level { kDebug, kInfo, kWarning, kError };

// Where lines go from now on; call while there is one thread.
void to_stderr();
void to_syslog(std::string_view ident);
void set_level(Level level);

void write(Level level, std::string_view line);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace shoebox::log
