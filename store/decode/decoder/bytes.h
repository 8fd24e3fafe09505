// Numbers in binary containers, read within bounds: what is not there reads as zero.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoebox::decoder {

inline uint64_t be(std::string_view bytes, size_t offset, size_t width) {
  if (offset > bytes.size() || bytes.size() - offset < width) return 0;
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value << 8 | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}

inline uint64_t le(std::string_view bytes, size_t offset, size_t width) {
  if (offset > bytes.size() || bytes.size() - offset < width) return 0;
  uint64_t value = 0;
  for (size_t i = width; i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[offset + i]);
  return value;
}

// substr that never throws.
inline std::string_view part(std::string_view bytes, uint64_t offset, uint64_t length = UINT64_MAX) {
  if (offset >= bytes.size()) return {};
  return bytes.substr(static_cast<size_t>(offset),
                      static_cast<size_t>(length < bytes.size() ? length : bytes.size()));
}

}  // namespace shoebox::decoder
