#include "sync/adopt_path.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/base/hash.h"
#include "store/tree/safe_name.h"

namespace shoebox {
namespace {

constexpr size_t kMostNameBytes = 255;
constexpr size_t kMostExtensionBytes = 16;
constexpr size_t kHashDigits = 16;

bool needs_spelling(std::string_view name) {
  const bool control = std::any_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
  return control || name == "." || name == "..";
}

// Cut so that the extension stays, with a part of the hash so that two stay two.
std::string shortened(std::string_view name) {
  std::string_view extension = extension_of(name);
  if (extension.size() > kMostExtensionBytes) extension = {};
  std::string end = fmt::format("~{}{}", sha256(name).hex().substr(0, kHashDigits), extension);
  size_t keep = kMostNameBytes - end.size();
  while (keep > 0 && (static_cast<unsigned char>(name[keep]) & 0xc0) == 0x80) --keep;
  return std::string(name.substr(0, keep)).append(end);
}

std::string spelled(std::string_view name, bool& respelled) {
  std::string safe(name);
  if (needs_spelling(name)) safe = safe_name(name);
  if (safe.size() > kMostNameBytes) safe = shortened(safe);
  respelled = respelled || safe != name;
  return safe;
}

}  // namespace

AdoptedPath adopted_path(std::string_view key, std::string_view into) {
  constexpr std::string_view kOwn = ".shoebox/";
  constexpr std::string_view kLibrary = "Library/";
  AdoptedPath result;
  result.path = into;
  if (key.starts_with(kOwn)) {
    result.not_adopted = NotAdopted::kOurs;
    return result;
  }
  if (is_junk(key.substr(key.rfind('/') + 1))) {
    result.not_adopted = NotAdopted::kJunk;
    return result;
  }
  if (key.starts_with(kLibrary)) key.remove_prefix(kLibrary.size());
  for (size_t begin = 0; begin < key.size();) {
    const size_t end = std::min(key.find('/', begin), key.size());
    const std::string_view name = key.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty()) {  // "a//b"
      result.respelled = true;
      continue;
    }
    result.path.append("/").append(spelled(name, result.respelled));
  }
  return result;
}

}  // namespace shoebox
