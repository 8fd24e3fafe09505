// How long a transfer to or from a remote may take: what the slowest line that still makes sense needs
// (32 KiB/s), and a minute for the handshakes. Stalls are the remote's to notice.
#pragma once

#include <chrono>
#include <cstdint>

#include "store/base/clock.h"

namespace shoebox {

inline Clock::Steady transfer_deadline(const Clock& clock, uint64_t bytes) {
  constexpr uint64_t kSlowestBytesPerS = 32 << 10;
  constexpr auto kHandshakes = std::chrono::seconds(60);
  return clock.steady() + kHandshakes + std::chrono::seconds(bytes / kSlowestBytesPerS);
}

}  // namespace shoebox
