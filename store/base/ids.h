// Types that cannot be mixed up: the numbers and hashes by which Shoebox names things.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace shoebox {

// A number of one kind only. Zero means "none"; numbers are never reused.
template <typename Tag>
struct Id {
  uint64_t value = 0;
  constexpr Id() = default;
  constexpr explicit Id(uint64_t v) : value(v) {}
  constexpr explicit operator bool() const { return value != 0; }
  constexpr auto operator<=>(const Id&) const = default;
};

using InodeNo = Id<struct InodeTag>;      // a file as POSIX sees it; also st_ino and the FUSE node id
using ContentNo = Id<struct ContentTag>;  // bytes; immutable once sealed
using PhotoId = Id<struct PhotoTag>;      // what people mean by a photo; equal bytes, equal id

// SHA-256 of a whole content or of one block of it.
struct ContentHash {
  std::array<uint8_t, 32> bytes{};
  auto operator<=>(const ContentHash&) const = default;
  [[nodiscard]] bool is_zero() const { return *this == ContentHash{}; }
  [[nodiscard]] std::string hex() const;
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// Half-open range of bytes in a content.
struct ByteRange {
  uint64_t begin = 0;
  uint64_t end = 0;
  [[nodiscard]] uint64_t size() const { return end > begin ? end - begin : 0; }
  [[nodiscard]] bool empty() const { return end <= begin; }
  auto operator<=>(const ByteRange&) const = default;
};

// Block hashes and fetches are in units of this many bytes: small enough that a seek costs
// little, large enough that 32 bytes of hash a block are 0.012 % of the content.
inline constexpr uint64_t kBlockBytes = 256 * 1024;

}  // namespace shoebox

template <typename Tag>
struct std::hash<shoebox::Id<Tag>> {
  size_t operator()(shoebox::Id<Tag> id) const noexcept { return std::hash<uint64_t>()(id.value); }
};
