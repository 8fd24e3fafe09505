// The size of the parts in which a large object is sent.
#pragma once

#include <cstdint>

namespace shoebox {

// `least`, or more (in MiB) where the limit of 10,000 parts that S3 and Nextcloud share asks for it.
inline uint64_t part_size_for(uint64_t size, uint64_t least) {
  constexpr uint64_t kMaxParts = 9'000;
  constexpr uint64_t kUnit = 1ULL << 20;
  const uint64_t needed = (size + kMaxParts - 1) / kMaxParts;
  return needed <= least ? least : (needed + kUnit - 1) / kUnit * kUnit;
}

}  // namespace shoebox
