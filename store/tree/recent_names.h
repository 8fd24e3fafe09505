// What DepartedNames and SetAsideNames share: names that are remembered for seconds, a bounded number of
// them.
#pragma once

#include <map>

#include "store/base/clock.h"
#include "store/catalog/records.h"

namespace shoebox {

inline constexpr size_t kMostRecentNames = 10'000;

// Whether one more may be remembered; forgets those whose time is over (`until` of each) when there are many.
template <typename Kept>
bool has_room(std::map<NameOf, Kept>& names, Clock::Steady now) {
  if (names.size() >= kMostRecentNames)
    std::erase_if(names, [&](const auto& entry) { return entry.second.until <= now; });
  return names.size() < kMostRecentNames;
}

}  // namespace shoebox
