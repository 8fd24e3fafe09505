#include "store/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/base/log_hold.h"
#include "store/base/mutex.h"

namespace shoebox::log {
namespace {

struct Line {
  spdlog::log_clock::time_point when;
  Level level = Level::kInfo;
  std::string text;
};

// A leaf, and held over writing a line: one sink at a time takes it.
Mutex mutex;
bool holding GUARDED_BY(mutex) = false;
std::vector<Line> held GUARDED_BY(mutex);

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarning: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::info;
}

void use(const std::shared_ptr<spdlog::sinks::sink>& sink) {
  const auto logger = std::make_shared<spdlog::logger>("shoebox", sink);
  logger->set_pattern("%Y-%m-%dT%H:%M:%S%z %l: %v");
  logger->flush_on(spdlog::level::info);
  const MutexLock lock(mutex);
  logger->set_level(spdlog::default_logger()->level());
  spdlog::set_default_logger(logger);
}

}  // namespace

void to_stderr() { use(std::make_shared<spdlog::sinks::stderr_sink_mt>()); }

void to_syslog(std::string_view ident) {
  use(std::make_shared<spdlog::sinks::syslog_sink_mt>(std::string(ident), LOG_PID, LOG_USER, false));
}

void set_level(Level level) {
  const MutexLock lock(mutex);
  spdlog::default_logger()->set_level(to_spdlog(level));
}

Hold::Hold() {
  const MutexLock lock(mutex);
  holding = true;
}

void Hold::end() {
  const MutexLock lock(mutex);
  holding = false;
  for (const Line& line : std::exchange(held, {}))
    spdlog::default_logger_raw()->log(line.when, {}, to_spdlog(line.level), line.text);
}

void write(Level level, std::string_view line) {
  const MutexLock lock(mutex);
  if (holding && level != Level::kError) {
    held.push_back({spdlog::log_clock::now(), level, std::string(line)});
    return;
  }
  spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace shoebox::log
