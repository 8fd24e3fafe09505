// Checks that every kind of remote makes before it touches anything. Pure functions.
#pragma once

#include <chrono>
#include <string_view>

#include "sync/remote/remote.h"

namespace shoebox {

// A key is 1 to 1024 bytes of '/'-separated names, none of them empty, "." or "..", no NUL.
// Keys come from names that people gave and from listings: neither is trusted.
Status check_key(std::string_view key);

[[nodiscard]] bool is_utf8(std::string_view bytes);

// kCancelled or kTimeout once nobody waits for the answer any more, and the error of `allowed`.
Status check_wanted(const RequestContext& context);

// Lets so much time pass; the same, as soon as nobody waits any more.
Status pause_for(std::chrono::milliseconds time, const RequestContext& context);

}  // namespace shoebox
