// Whether a remote's policy lets uploads start now, and which contents it lets pass.
//
// Pure functions: what is outside (clock, network, power) is given to them.
#pragma once

#include <cstdint>
#include <string>

#include "store/catalog/records.h"
#include "store/policy_settings.h"

namespace shoebox {

// What the machine around us says; what nobody says is false.
struct Surroundings {
  bool metered = false;     // NetworkManager: Metered is yes or guessed yes
  bool on_battery = false;  // UPower: OnBattery
  auto operator<=>(const Surroundings&) const = default;
};

// Why nothing may be sent now, for `status` ("outside of 22:00-07:00"); empty: it may. `asked_for`: the
// owner ran `backup now`, which sends at once whatever the hours, but never over a metered connection.
std::string held_by_policy(const UploadPolicy& policy, const Surroundings& around, int local_minute_of_day,
                           bool asked_for);

// A content that the policy does not send to a remote.
struct KeptBack {
  std::string why;  // empty: it is sent
  uint64_t size = 0;
};

// Why this content is not sent there; empty: it is. `video_bytes_there`: videos that are there already.
std::string kept_back(const UploadPolicy& policy, MediaKind kind, uint64_t size, uint64_t video_bytes_there);

}  // namespace shoebox
