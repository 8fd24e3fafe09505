// What a service of the desktop said last, kept while it is silent: one that is restarted, or hangs, has not
// taken back what it said.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "store/base/clock.h"

namespace shoebox {

enum class Asked {
  kYes,
  kNo,
  kSilent,  // it is there, and did not answer in time
  kAbsent,  // there is none, or no bus, or it does not know
};

// NetworkManager's NMMetered: 1 yes, 2 no, 3 guessed yes, 4 guessed no. 0 is what it says before it has
// looked at the connections that it found.
inline Asked metered(uint32_t value) {
  if (value == 1 || value == 3) return Asked::kYes;
  return value == 0 ? Asked::kAbsent : Asked::kNo;
}

class KeptAnswer {
 public:
  // Longer than a service or the bus takes to be started again.
  static constexpr std::chrono::seconds kKept{60};

  // Whether it counts as a yes, after one more question.
  bool note(Asked answer, Clock::Steady now) {
    if (answer == Asked::kYes || answer == Asked::kNo) {
      yes_ = answer == Asked::kYes;
      absent_since_.reset();
    } else if (answer == Asked::kAbsent) {
      if (!absent_since_) absent_since_ = now;
      if (now - *absent_since_ >= kKept) yes_ = false;
    }
    return yes_;
  }

 private:
  bool yes_ = false;
  std::optional<Clock::Steady> absent_since_;
};

}  // namespace shoebox
