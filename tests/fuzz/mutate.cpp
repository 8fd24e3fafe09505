#include "mutate.h"

#include <algorithm>
#include <cctype>
#include <string_view>

namespace shoebox::fuzz {
namespace {

constexpr size_t kMostSpan = 32;
constexpr int kMostChanges = 4;
constexpr std::string_view kNumbers[] = {
    "0",     "-1", "255", "65536", "2147483648", "4294967296", "9223372036854775807", "18446744073709551616",
    "1e999", "0x"};

size_t below(size_t bound, std::mt19937_64& random) { return bound == 0 ? 0 : random() % bound; }

void change(std::string& bytes, const std::vector<std::string>& seeds, std::mt19937_64& random) {
  const size_t at = below(bytes.size() + 1, random);
  const size_t span = std::min(1 + below(kMostSpan, random), bytes.size() - at);
  const auto digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  switch (below(8, random)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8, random)));
      break;
    case 1:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random());
      break;
    case 2: bytes.erase(at, span); break;
    case 3: bytes.insert(at, std::string(bytes, at, span)); break;
    case 4: bytes.insert(at, 1 + below(4, random), "\0\x7f\x80\xff"[below(4, random)]); break;
    case 5: bytes.resize(at); break;
    case 6: {
      const auto begin = std::find_if(bytes.begin() + static_cast<std::ptrdiff_t>(at), bytes.end(), digit);
      const auto end = std::find_if_not(begin, bytes.end(), digit);
      bytes.replace(begin, end, kNumbers[below(std::size(kNumbers), random)]);
      break;
    }
    case 7: {
      const std::string& other = seeds[below(seeds.size(), random)];
      const size_t from = below(other.size(), random);
      bytes.replace(at, span, other, from, 1 + below(kMostSpan, random));
      break;
    }
  }
}

}  // namespace

std::string mutated(const std::vector<std::string>& seeds, std::mt19937_64& random) {
  std::string bytes = seeds[below(seeds.size(), random)];
  for (size_t changes = 1 + below(kMostChanges, random); changes > 0; --changes) {
    change(bytes, seeds, random);
  }
  return bytes;
}

}  // namespace shoebox::fuzz
