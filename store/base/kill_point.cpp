#include "store/base/kill_point.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <string>

namespace shoebox {
namespace kill_point_state {
namespace {

std::atomic<uint64_t> passages_left{1};

}  // namespace

void pass() {
  if (passages_left.fetch_sub(1) != 1) return;
  // So that a test knows where it died. No lock, no buffer: another thread may hold those of the log.
  const std::string line = fmt::format("killed at {}\n", kKillPoints[armed.load()].name);
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  ::raise(SIGKILL);
}

}  // namespace kill_point_state

Status arm_kill_point(const char* wanted) {
  if (wanted == nullptr || *wanted == '\0') return Status::ok();
  const std::string_view text = wanted;
  const size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  uint64_t passage = 1;
  if (colon != std::string_view::npos) {
    const std::string_view digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), passage);
    if (error != std::errc() || end != digits.data() + digits.size() || passage == 0) {
      return {Code::kInvalid,
              fmt::format("SHOEBOX_KILL_POINT={}: behind the colon stands which passage, from 1", text)};
    }
  }
  for (size_t i = 0; i < kKillPointCount; ++i) {
    if (kKillPoints[i].name != name) continue;
    kill_point_state::passages_left = passage;
    kill_point_state::armed = i;
    return Status::ok();
  }
  return {Code::kInvalid,
          fmt::format("SHOEBOX_KILL_POINT={}: no such point; store/base/kill_points.h lists them", text)};
}

}  // namespace shoebox
