#include "store/base/plain_text.h"

#include <algorithm>

namespace shoebox {

std::string plain_line(std::string_view text, size_t most_bytes) {
  std::string line(text.substr(0, most_bytes));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  return line;
}

}  // namespace shoebox
