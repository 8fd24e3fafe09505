// When a photo was taken, in local time: what the file says, else its name, else an mtime that a
// tool set. Impossible dates do not count. Pure functions (the machine's time zone aside), any thread.
//
// Names that a Pixel's camera gives (PXL_20230714_101112345.jpg) are in UTC. They become local time by the
// offset that the file's metadata gives, else by the zone that its position lies in by longitude,
// else, as mtimes do, by the machine's own time zone.
#pragma once

#include <optional>
#include <string_view>

#include "store/base/clock.h"
#include "store/catalog/records.h"

namespace shoebox {

struct EffectiveDate {
  std::optional<LocalDate> date;
  DateSource source = DateSource::kNone;
};

// `set_mtime`: the mtime, if a tool set it; arrival times do not count.
EffectiveDate effective_date(const MediaInfo& info, std::string_view original_name,
                             const std::optional<Timestamp>& set_mtime, const Timestamp& now);

// The date that cameras, phones and messengers write into names: IMG_20230714_101112.jpg,
// "WhatsApp Image 2023-07-14 at 10.11.12.jpeg", signal-2023-07-14-101112.jpg, …
// As written: names in UTC stay so.
std::optional<LocalDate> date_in_name(std::string_view name, const Timestamp& now);
// The name gives UTC.
bool is_name_in_utc(std::string_view name);

// Whether this is a day of the calendar, as far as it is known, and not more than a day ahead.
bool is_possible(const LocalDate& date, const Timestamp& now);

}  // namespace shoebox
