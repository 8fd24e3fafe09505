// Progress as a person sees it: one line that redraws itself on a terminal, a plain line now and
// then into a pipe or a log, nothing at all with --json.
//
// Used by one thread, that of the command.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/clock.h"

namespace shoebox {

// "1.5 GiB", "312 B".
std::string human_bytes(uint64_t bytes);
// "1 photo", "2 photos".
std::string counted(uint64_t count, std::string_view noun);
// Seconds since 1970 as a person reads them here: "2023-07-14 10:11".
std::string local_time(int64_t seconds);

class Progress {
 public:
  enum class Style { kSilent, kLines, kBar };
  // `write` gets pieces of text as they are; `width` is the terminal's, in columns.
  Progress(Style style, unsigned width, const Clock& clock, std::function<void(std::string_view)> write);
  ~Progress();  // clear()
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `total` 0: not known yet. Draws at most ten times a second, writes lines every five seconds.
  void update(uint64_t done, uint64_t total, std::string_view text);
  // A line that stays, above the bar. Silent styles swallow it.
  void note(std::string_view line);
  // Takes the bar away, so that what follows starts on a clean line.
  void clear();

 private:
  [[nodiscard]] std::string bar(uint64_t done, uint64_t total, std::string_view text) const;

  Style style_;
  unsigned width_;
  const Clock& clock_;
  std::function<void(std::string_view)> write_;
  std::optional<Clock::Steady> drawn_;
  std::string shown_;  // the bar that stands on the terminal now
};

// On stderr: a bar on a terminal, lines elsewhere.
Progress progress_on_stderr(bool json, const Clock& clock);

// Interim answers of a service, and how they are drawn.
nlohmann::json interim(uint64_t done, uint64_t total, std::string_view text);
nlohmann::json interim_note(std::string_view line);
void draw(const nlohmann::json& interim, Progress& progress);

}  // namespace shoebox
