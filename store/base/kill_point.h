// Dies at a named moment, for the crash tests: with SHOEBOX_KILL_POINT=NAME, or NAME:N for the N-th time it
// is passed, the process kills itself there as kill -9 would.
//
// It is in every build, so that what is tested is what people run. A passage costs a relaxed load and a
// comparison, beside a sync of the disk or a request.
//
// Threads: kill_point() from any; arm_kill_point() before there is a second one.
#pragma once

#include <atomic>

#include "store/base/kill_points.h"
#include "store/base/result.h"

namespace shoebox {

// One of kKillPoints, by its name; another name does not compile.
class KillPointName {
 public:
  // NOLINTNEXTLINE(google-explicit-constructor): written as a plain name where it stands
  consteval KillPointName(const char* name) : index_(index_of(name)) {}
  [[nodiscard]] constexpr size_t index() const { return index_; }

 private:
  static constexpr size_t index_of(std::string_view name) {
    for (size_t i = 0; i < kKillPointCount; ++i) {
      if (kKillPoints[i].name == name) return i;
    }
    throw "not in kKillPoints";  // ends the compilation
  }
  size_t index_;
};

namespace kill_point_state {
inline constexpr size_t kNone = SIZE_MAX;
inline std::atomic<size_t> armed{kNone};  // set once, at the start of the process
void pass();
}  // namespace kill_point_state

inline void kill_point(KillPointName here) {
  if (kill_point_state::armed.load(std::memory_order_relaxed) == here.index()) [[unlikely]] {
    kill_point_state::pass();
  }
}

// `wanted`: the value of the environment variable; null or empty: none. kInvalid: there is no such point.
Status arm_kill_point(const char* wanted);

}  // namespace shoebox
