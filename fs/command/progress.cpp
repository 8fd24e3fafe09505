#include "fs/command/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace shoebox {
namespace {

constexpr std::chrono::milliseconds kRedrawEvery{100};
constexpr std::chrono::seconds kLineEvery{5};
constexpr unsigned kBarColumns = 24;
constexpr unsigned kUsualColumns = 80;

// Cuts to `columns` characters without tearing one (bytes 10xxxxxx go on with the one before).
std::string cut(std::string_view text, size_t columns) {
  size_t at = 0;
  size_t seen = 0;
  while (at < text.size()) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (starts && seen++ == columns) break;
    ++at;
  }
  return std::string(text.substr(0, at));
}

}  // namespace

std::string human_bytes(uint64_t bytes) {
  static constexpr const char* kUnits[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
  if (bytes < 1024) return fmt::format("{} B", bytes);
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  // 1023.95 would round to "1024.0 KiB".
  while (value >= 1023.95 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

std::string local_time(int64_t seconds) {
  const std::time_t time = seconds;
  std::tm broken{};
  if (::localtime_r(&time, &broken) == nullptr) return "?";
  char text[32];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &broken));
}

std::string counted(uint64_t count, std::string_view noun) {
  if (count == 1) return fmt::format("1 {}", noun);
  if (noun.ends_with("py") || noun.ends_with("ry"))
    return fmt::format("{} {}ies", count, noun.substr(0, noun.size() - 1));
  return fmt::format("{} {}s", count, noun);
}

Progress::Progress(Style style, unsigned width, const Clock& clock,
                   std::function<void(std::string_view)> write)
    : style_(style), width_(std::max(width, 20U)), clock_(clock), write_(std::move(write)) {
  // What is over at once needs no line in a log.
  if (style_ == Style::kLines) drawn_ = clock_.steady();
}

Progress::~Progress() { clear(); }

std::string Progress::bar(uint64_t done, uint64_t total, std::string_view text) const {
  if (total == 0) return cut(text, width_ - 1);
  const uint64_t within = std::min(done, total);
  const double share = static_cast<double>(within) / static_cast<double>(total);
  const auto filled = static_cast<unsigned>(share * kBarColumns);
  const std::string head = fmt::format("[{}{}] {:3d}% ", std::string(filled, '#'),
                                       std::string(kBarColumns - filled, '.'), static_cast<int>(share * 100));
  // A full last column makes some terminals wrap.
  return cut(head + std::string(text), width_ - 1);
}

void Progress::update(uint64_t done, uint64_t total, std::string_view text) {
  if (style_ == Style::kSilent) return;
  const Clock::Steady now = clock_.steady();
  const bool last = total != 0 && done >= total;
  const auto every = style_ == Style::kBar
                         ? std::chrono::duration_cast<std::chrono::nanoseconds>(kRedrawEvery)
                         : std::chrono::duration_cast<std::chrono::nanoseconds>(kLineEvery);
  if (drawn_ && now - *drawn_ < every && !(last && style_ == Style::kBar)) return;
  drawn_ = now;
  if (style_ == Style::kLines) {
    const uint64_t percent = total == 0 ? 0 : std::min<uint64_t>(100, done * 100 / total);
    write_(total == 0 ? fmt::format("{}\n", text) : fmt::format("{}% {}\n", percent, text));
    return;
  }
  std::string next = bar(done, total, text);
  if (next == shown_) return;
  write_("\r\x1b[K" + next);
  shown_ = std::move(next);
}

void Progress::note(std::string_view line) {
  if (style_ == Style::kSilent) return;
  clear();
  write_(fmt::format("{}\n", line));
  if (style_ == Style::kBar) drawn_.reset();
}

void Progress::clear() {
  if (shown_.empty()) return;
  write_("\r\x1b[K");
  shown_.clear();
}

Progress progress_on_stderr(bool json, const Clock& clock) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1;
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return {json       ? Progress::Style::kSilent
          : terminal ? Progress::Style::kBar
                     : Progress::Style::kLines,
          known ? size.ws_col : kUsualColumns, clock,
          [](std::string_view text) { std::fwrite(text.data(), 1, text.size(), stderr); }};
}

nlohmann::json interim(uint64_t done, uint64_t total, std::string_view text) {
  return {{"done", done}, {"total", total}, {"text", text}};
}

nlohmann::json interim_note(std::string_view line) { return {{"note", line}}; }

void draw(const nlohmann::json& interim, Progress& progress) {
  if (const auto note = interim.find("note"); note != interim.end() && note->is_string()) {
    progress.note(note->get<std::string>());
    return;
  }
  progress.update(interim.value("done", uint64_t{0}), interim.value("total", uint64_t{0}),
                  interim.value("text", ""));
}

}  // namespace shoebox
