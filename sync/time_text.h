// Times in messages.
#pragma once

#include <cstdint>
#include <string>

namespace shoebox {

// "2026-11-26 01:00:00", local time.
std::string time_text(int64_t when_s);

}  // namespace shoebox
