// How long to wait before trying again: full jitter, so that many clients do not come back at once.
#pragma once

#include <cstdint>
#include <functional>

namespace shoebox {

// Uniform in [0, 1). Thread-safe.
double random_unit();

// Full jitter: uniform between 0 and base · 2^(attempts-1), at most `cap_s`; never less than what
// the remote asked for (Retry-After), nor than 50 ms. `attempts` counts the failures so far, from 1.
struct Backoff {
  double base_s = 1;
  double cap_s = 300;
  std::function<double()> random = random_unit;
  [[nodiscard]] double delay_s(uint32_t attempts, double retry_after_s = 0) const;
};

}  // namespace shoebox
