// When and what may be sent to a remote: the policy keys of a [[remote]] (SETTINGS.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

// A span of each day in local time; `to` before `from` runs over midnight.
struct HourWindow {
  int from_minute = 0;  // of the day, 0 to 1439
  int to_minute = 0;    // exclusive, 0 to 1440
  [[nodiscard]] bool contains(int minute_of_day) const;
  auto operator<=>(const HourWindow&) const = default;
};

// How much may go a second, by the time of day.
struct BandwidthPlan {
  struct Span {
    HourWindow hours;
    uint64_t bytes_s = 0;
    bool operator==(const Span&) const = default;
  };
  uint64_t bytes_s = 0;     // outside of the spans; 0: no limit
  std::vector<Span> spans;  // the first one that holds the minute counts
  [[nodiscard]] bool limits() const { return bytes_s > 0 || !spans.empty(); }
  [[nodiscard]] uint64_t at(int minute_of_day) const;  // bytes a second; 0: no limit
  // The least that it ever lets through. REQUIRES: limits().
  [[nodiscard]] uint64_t slowest_bytes_s() const;
  bool operator==(const BandwidthPlan&) const = default;
};

struct UploadPolicy {
  BandwidthPlan bandwidth;                      // of what is sent there, together
  std::optional<BandwidthPlan> bandwidth_down;  // of what is read back; none: as `bandwidth`
  std::vector<HourWindow> hours;                // empty: always
  bool on_metered = true;    // false: waits while NetworkManager calls the connection metered
  bool on_battery = true;    // false: waits while UPower says that no mains are connected
  bool photos_only = false;  // videos are never sent there
  std::optional<uint64_t> video_quota_bytes;  // videos are sent while all of them there fit into this
  bool manual = false;                        // sends only after `shoebox backup now`
  bool operator==(const UploadPolicy&) const = default;
};

// "22:00-07:00" or "9:30-17:00".
Result<HourWindow> parse_hours(const std::string& text);
// "22:00-07:00", as parse_hours() reads it.
std::string hours_text(const HourWindow& window);
// "2 MiB/s", "500 kB/s" -> bytes a second.
Result<uint64_t> parse_bandwidth(const std::string& text);
// Adds "08:00-23:00 2 MiB/s", or "2 MiB/s" for the rest of the day, to a plan. kInvalid: it is neither, or
// the rest was told already.
Status add_to_plan(const std::string& text, BandwidthPlan& plan);
// What add_to_plan() reads back, one element for each call.
std::vector<std::string> plan_texts(const BandwidthPlan& plan);
// "2 MiB/s", exactly.
std::string bandwidth_text(uint64_t bytes_s);
// 0 to 1439, by the clock on the wall of this machine.
int local_minute_of_day(int64_t seconds_since_1970);

}  // namespace shoebox
