// What this process has used of the processors: limits in it do not depend on how busy the machine is.
#pragma once

#include <ctime>

namespace shoebox::decoder {

inline double processor_time_s() {
  timespec used{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
  return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
}

}  // namespace shoebox::decoder
