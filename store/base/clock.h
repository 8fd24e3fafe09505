// Time as Shoebox sees it, behind an interface so that tests turn the hands themselves.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>

namespace shoebox {

// Nanoseconds since 1970-01-01 UTC, as in struct timespec.
struct Timestamp {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  auto operator<=>(const Timestamp&) const = default;
};

class Clock {
 public:
  using Steady = std::chrono::steady_clock::time_point;
  virtual ~Clock() = default;
  // Wall clock: for times people see. May jump.
  [[nodiscard]] virtual Timestamp now() const = 0;
  // For deadlines and back-off. Never jumps.
  [[nodiscard]] virtual Steady steady() const = 0;
};

// The real clock of this machine. Thread-safe, stateless.
class SystemClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override;
  [[nodiscard]] Steady steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace shoebox
