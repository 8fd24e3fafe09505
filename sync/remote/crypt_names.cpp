#include "sync/remote/crypt_names.h"

#include <fmt/format.h>

#include <cctype>
#include <functional>

#include "sync/remote/crypt_eme.h"

namespace shoebox {
namespace {

constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuv";
// rclone leaves a version as its B2 and S3 listings write it ("-v2023-07-14-101112-123") in the clear,
// at the end of the last name, before its extension.
constexpr std::string_view kVersionShape = "-v0000-00-00-000000-000";

std::string base32hex(std::string_view bytes) {
  std::string out;
  uint32_t held = 0;
  int bits = 0;
  for (const char c : bytes) {
    held = held << 8 | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 5; bits -= 5) out += kDigits[held >> (bits - 5) & 31U];
  }
  if (bits > 0) out += kDigits[held << (5 - bits) & 31U];
  return out;
}

// Upper case counts as well, as rclone reads it. Leftover bits must be zero.
bool from_base32hex(std::string_view text, std::string& out) {
  uint32_t held = 0;
  int bits = 0;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'V' ? static_cast<char>(c + ('a' - 'A')) : c;
    const size_t digit = kDigits.find(lower);
    if (digit == std::string_view::npos) return false;
    held = held << 5 | static_cast<uint32_t>(digit);
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      out += static_cast<char>(held >> bits & 255U);
    }
  }
  return bits < 5 && (held & ((1U << bits) - 1U)) == 0;
}

int number(std::string_view text, size_t at, size_t digits) {
  int value = 0;
  for (size_t i = at; i < at + digits; ++i) value = value * 10 + (text[i] - '0');
  return value;
}

bool is_version(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kVersionShape[i] == '0' ? !digit : text[i] != kVersionShape[i]) return false;
  }
  const int year = number(text, 2, 4);
  const int month = number(text, 7, 2);
  const int day = number(text, 10, 2);
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month >= 1 && month <= 12 && day >= 1 && day <= kDays[month - 1] + (month == 2 && leap ? 1 : 0) &&
         number(text, 13, 2) < 24 && number(text, 15, 2) < 60 && number(text, 17, 2) < 60;
}

// Takes the version out of a last name; empty when there is none.
std::string take_version(std::string& name) {
  const size_t dot = std::min(name.rfind('.'), name.size());
  if (dot < kVersionShape.size()) return {};
  const size_t at = dot - kVersionShape.size();
  std::string version = name.substr(at, kVersionShape.size());
  if (!is_version(version)) return {};
  name.erase(at, kVersionShape.size());
  return version;
}

// Puts it back before the extension that the name now has.
void put_version(std::string& name, const std::string& version) {
  if (!version.empty()) name.insert(std::min(name.rfind('.'), name.size()), version);
}

using Convert = std::function<Result<std::string>(std::string_view)>;

Result<std::string> each_name(std::string_view key, const Convert& convert, bool whole_key) {
  std::string out;
  for (;;) {
    const size_t slash = key.find('/');
    std::string name(key.substr(0, slash));
    const bool last = slash == std::string_view::npos;
    const std::string version = last && whole_key ? take_version(name) : std::string();
    if (!name.empty()) {
      SHOEBOX_ASSIGN(name, convert(name));
    }
    put_version(name, version);
    out += name;
    if (last) return out;
    out += '/';
    key.remove_prefix(slash + 1);
  }
}

}  // namespace

Result<std::string> CryptNames::encrypt(std::string_view key) const {
  return each_name(
      key, [this](std::string_view name) { return encrypt_name(name); }, true);
}

Result<std::string> CryptNames::encrypt_folders(std::string_view folders) const {
  return each_name(
      folders, [this](std::string_view name) { return encrypt_name(name); }, false);
}

Result<std::string> CryptNames::decrypt(std::string_view key) const {
  return each_name(
      key, [this](std::string_view name) { return decrypt_name(name); }, true);
}

Result<std::string> CryptNames::encrypt_name(std::string_view name) const {
  const size_t padding = kEmeBlockBytes - name.size() % kEmeBlockBytes;
  if (name.size() + padding > kEmeMostBytes) {
    return Status(Code::kNameTooLong,
                  fmt::format("a name of {} bytes is too long to be encrypted", name.size()));
  }
  std::string text(name);
  text.append(padding, static_cast<char>(padding));
  eme_transform(*keys_, true, text);
  return base32hex(text);
}

Result<std::string> CryptNames::decrypt_name(std::string_view name) const {
  const Status foreign(Code::kInvalid, "a name that this passphrase did not make");
  std::string text;
  if (!from_base32hex(name, text) || text.empty() || text.size() % kEmeBlockBytes != 0 ||
      text.size() > kEmeMostBytes) {
    return foreign;
  }
  eme_transform(*keys_, false, text);
  const auto padding = static_cast<unsigned char>(text.back());
  if (padding == 0 || padding > kEmeBlockBytes) return foreign;
  for (size_t i = text.size() - padding; i < text.size(); ++i) {
    if (static_cast<unsigned char>(text[i]) != padding) return foreign;
  }
  text.resize(text.size() - padding);
  // Names are not authenticated: one that somebody made up may come out as a path.
  if (text.find_first_of(std::string_view("/\0", 2)) != std::string::npos) return foreign;
  return text;
}

}  // namespace shoebox
