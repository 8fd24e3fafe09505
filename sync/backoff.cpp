#include "sync/backoff.h"

#include <algorithm>
#include <cmath>
#include <random>

namespace shoebox {
namespace {

constexpr double kLeastS = 0.05;
// A remote that asks for days would look like a hang; after an hour it is asked again.
constexpr double kMostRetryAfterS = 3600;

}  // namespace

double random_unit() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

double Backoff::delay_s(uint32_t attempts, double retry_after_s) const {
  const double top = std::min(cap_s, base_s * std::exp2(std::clamp<double>(attempts, 1, 30) - 1));
  return std::max({kLeastS, random() * top, std::clamp(retry_after_s, 0.0, kMostRetryAfterS)});
}

}  // namespace shoebox
