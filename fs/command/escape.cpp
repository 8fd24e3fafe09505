#include "fs/command/escape.h"

#include <fmt/format.h>

#include <cstdint>

namespace shoebox {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `s` (overlong forms, surrogates and
// numbers above U+10FFFF are not), or 0.
size_t sequence_length(std::string_view s) {
  const auto at = [&](size_t i) { return static_cast<uint8_t>(s[i]); };
  const auto follows = [&](size_t i, uint8_t low = 0x80, uint8_t high = 0xBF) {
    return i < s.size() && at(i) >= low && at(i) <= high;
  };
  const uint8_t lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return follows(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const uint8_t low = lead == 0xE0 ? 0xA0 : 0x80;
    const uint8_t high = lead == 0xED ? 0x9F : 0xBF;
    return follows(1, low, high) && follows(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const uint8_t low = lead == 0xF0 ? 0x90 : 0x80;
    const uint8_t high = lead == 0xF4 ? 0x8F : 0xBF;
    return follows(1, low, high) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

// C0, DEL, and C1 (two bytes in UTF-8), which terminals obey as well.
bool is_control(std::string_view sequence) {
  const auto first = static_cast<uint8_t>(sequence[0]);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7F;
  return sequence.size() == 2 && first == 0xC2 && static_cast<uint8_t>(sequence[1]) < 0xA0;
}

std::string escape(std::string_view bytes, bool backslash_too) {
  std::string out;
  out.reserve(bytes.size());
  for (size_t i = 0; i < bytes.size();) {
    const size_t length = sequence_length(bytes.substr(i));
    const std::string_view sequence = bytes.substr(i, length == 0 ? 1 : length);
    if (length == 0 || is_control(sequence)) {
      for (const char c : sequence) out += fmt::format("\\x{:02X}", static_cast<uint8_t>(c));
    } else if (backslash_too && sequence == "\\") {
      out += "\\\\";
    } else {
      out += sequence;
    }
    i += sequence.size();
  }
  return out;
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

std::string escape_name(std::string_view bytes) { return escape(bytes, true); }
std::string printable(std::string_view bytes) { return escape(bytes, false); }

Result<std::string> unescape_name(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    if (text.substr(i, 2) == "\\\\") {
      out += '\\';
      i += 1;
      continue;
    }
    const int high = i + 3 < text.size() && text[i + 1] == 'x' ? digit(text[i + 2]) : -1;
    const int low = high >= 0 ? digit(text[i + 3]) : -1;
    if (low < 0) {
      return Status(Code::kInvalid,
                    fmt::format("\"{}\": a backslash is written \\\\, a byte \\xNN", printable(text)));
    }
    out += static_cast<char>(high * 16 + low);
    i += 3;
  }
  return out;
}

}  // namespace shoebox
