// What a service of the desktop said last, kept while it is silent: one that is restarted, or hangs, has not
// taken back what it said.
#pragma once

#include <chrono>
#include <optional>

#include "store/base/clock.h"

namespace shoebox {

enum class Asked {
  kYes,
  kNo,
  kSilent,  // it is there, and did not answer in time
  kAbsent,  // there is none, or no bus
};

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
