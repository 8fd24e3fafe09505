#include "store/tree/safe_name.h"

#include <utf8proc.h>

#include <cstdint>
#include <cstdlib>
#include <memory>

#include "store/base/hash.h"

namespace shoebox {
namespace {

constexpr std::string_view kQuote = "\u201B";
constexpr std::string_view kSlash = "\uFF0F";
constexpr std::string_view kDot = "\uFF0E";
constexpr std::string_view kEllipsis = "\u2026";
constexpr int32_t kPictures = 0x2400;  // U+2400 + c is the picture of the control character c
constexpr int32_t kDeletePicture = 0x2421;
constexpr size_t kMaxNameBytes = 255;  // NAME_MAX
constexpr size_t kHashDigits = 16;     // 64 bits: no two values of one library meet by chance

void append_codepoint(std::string& out, int32_t codepoint) {
  utf8proc_uint8_t bytes[4];
  const auto count = utf8proc_encode_char(codepoint, bytes);
  out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(count));
}

void append_byte(std::string& out, unsigned char byte) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  out.append(kQuote);
  out.push_back(kDigits[byte >> 4]);
  out.push_back(kDigits[byte & 15]);
}

// One code point from the front of `text`; -1 when its first byte starts none.
int32_t take(std::string_view text, size_t* bytes) {
  utf8proc_int32_t codepoint = -1;
  const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                     static_cast<utf8proc_ssize_t>(text.size()), &codepoint);
  *bytes = used > 0 ? static_cast<size_t>(used) : 1;
  return used > 0 ? codepoint : -1;
}

bool is_picture(int32_t codepoint) {
  return (codepoint >= kPictures && codepoint < kPictures + 0x20) || codepoint == kDeletePicture;
}

// The spelling of the character at the front of `text`.
std::string spell(std::string_view text, size_t* bytes) {
  std::string out;
  const int32_t codepoint = take(text, bytes);
  const std::string_view raw = text.substr(0, *bytes);
  if (codepoint < 0) {
    append_byte(out, static_cast<unsigned char>(text.front()));
  } else if (codepoint == '/') {
    out = kSlash;
  } else if (codepoint < 0x20) {
    append_codepoint(out, kPictures + codepoint);
  } else if (codepoint == 0x7F) {
    append_codepoint(out, kDeletePicture);
  } else if (codepoint < 0xA0 && codepoint >= 0x80) {  // C1 controls have no pictures
    for (const char c : raw) append_byte(out, static_cast<unsigned char>(c));
  } else {
    if (raw == kQuote || raw == kSlash || is_picture(codepoint)) out = kQuote;
    out.append(raw);
  }
  return out;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string safe_name(std::string_view value) {
  if (value.empty()) return std::string(kQuote);
  if (value == ".") return std::string(kDot);
  if (value == "..") return std::string(kDot).append(kDot);
  std::string name;
  if (value == kDot || value == std::string(kDot).append(kDot)) name = kQuote;  // not the spelling above
  constexpr size_t kRoom = kMaxNameBytes - kHashDigits - kQuote.size() - kEllipsis.size();
  size_t cut = name.size();  // the longest part that leaves room for the ending
  for (size_t at = 0; at < value.size();) {
    size_t bytes = 0;
    name += spell(value.substr(at), &bytes);
    at += bytes;
    if (name.size() <= kRoom) cut = name.size();
    if (name.size() > kMaxNameBytes) break;
  }
  if (name.size() <= kMaxNameBytes) return name;
  name.resize(cut);
  name.append(kQuote).append(kEllipsis).append(sha256(value).hex().substr(0, kHashDigits));
  return name;
}

std::string value_of_name(std::string_view name) {
  std::string value;
  if (name == kDot) {
    value = ".";
  } else if (name.size() == 2 * kDot.size() && name.starts_with(kDot) && name.ends_with(kDot)) {
    value = "..";
  } else {
    for (size_t at = 0; at < name.size();) {
      std::string_view rest = name.substr(at);
      size_t bytes = 0;
      int32_t codepoint = take(rest, &bytes);
      if (rest.starts_with(kQuote)) {
        at += kQuote.size();
        rest = name.substr(at);
        if (rest.empty()) break;
        if (rest.size() >= 2 && hex_digit(rest[0]) >= 0 && hex_digit(rest[1]) >= 0) {
          value.push_back(static_cast<char>(hex_digit(rest[0]) * 16 + hex_digit(rest[1])));
          at += 2;
          continue;
        }
        take(rest, &bytes);
        value.append(rest.substr(0, bytes));
      } else if (rest.starts_with(kSlash)) {
        value.push_back('/');
      } else if (codepoint == kDeletePicture) {
        value.push_back(0x7F);
      } else if (is_picture(codepoint)) {
        value.push_back(static_cast<char>(codepoint - kPictures));
      } else {
        value.append(rest.substr(0, bytes));
      }
      at += bytes;
    }
  }
  // Only what safe_name itself would spell so is taken for a spelling.
  return safe_name(value) == name ? value : std::string(name);
}

std::string normalized(std::string_view text) {
  utf8proc_uint8_t* composed = nullptr;
  const auto bytes = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                  static_cast<utf8proc_ssize_t>(text.size()), &composed,
                                  static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  if (bytes < 0) return std::string(text);
  return {reinterpret_cast<const char*>(composed), static_cast<size_t>(bytes)};
}

}  // namespace shoebox
