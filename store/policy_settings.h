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

struct UploadPolicy {
  uint64_t bandwidth_bytes_s = 0;                  // of what is sent there, together; 0: no limit
  std::optional<uint64_t> bandwidth_down_bytes_s;  // of what is read back; none: as bandwidth_bytes_s
  std::vector<HourWindow> hours;                   // empty: always
  bool on_metered = true;    // false: waits while NetworkManager calls the connection metered
  bool on_battery = true;    // false: waits while UPower says that no mains are connected
  bool photos_only = false;  // videos are never sent there
  std::optional<uint64_t> video_quota_bytes;  // videos are sent while all of them there fit into this
  bool manual = false;                        // sends only after `shoebox backup now`
};

// "22:00-07:00" or "9:30-17:00".
Result<HourWindow> parse_hours(const std::string& text);
// "22:00-07:00", as parse_hours() reads it.
std::string hours_text(const HourWindow& window);
// "2 MiB/s", "500 kB/s" -> bytes a second.
Result<uint64_t> parse_bandwidth(const std::string& text);

}  // namespace shoebox
