#include "store/base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>
#include <syslog.h>

#include <memory>
#include <string>

namespace shoebox::log {
namespace {

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
  logger->set_level(spdlog::default_logger()->level());
  spdlog::set_default_logger(logger);
}

}  // namespace

void to_stderr() { use(std::make_shared<spdlog::sinks::stderr_sink_mt>()); }

void to_syslog(std::string_view ident) {
  use(std::make_shared<spdlog::sinks::syslog_sink_mt>(std::string(ident), LOG_PID, LOG_USER, false));
}

void set_level(Level level) { spdlog::default_logger()->set_level(to_spdlog(level)); }

void write(Level level, std::string_view line) {
  spdlog::default_logger_raw()->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace shoebox::log
