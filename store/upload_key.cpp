#include "store/upload_key.h"

#include "store/base/file_names.h"
#include "store/settings.h"

namespace shoebox {
namespace {

// Padded to AES blocks, then five bits a letter (sync/remote/LAYOUT.md).
size_t encrypted_name_bytes(size_t name_bytes) { return ((name_bytes / 16 + 1) * 16 * 8 + 4) / 5; }

// Valid UTF-8 (no overlong forms, no surrogates) without control characters, which XML listings
// cannot carry, and without what other systems read as a separator.
bool portable_text(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    if (lead < 0x20 || lead == 0x7f || lead == '\\') return false;
    size_t length = 1;
    if (lead >= 0x80) {
      length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
      if (lead < 0xc2 || lead > 0xf4 || i + length > text.size()) return false;
      uint32_t point = lead & (0x7fU >> length);
      for (size_t k = 1; k < length; ++k) {
        const auto next = static_cast<unsigned char>(text[i + k]);
        if ((next & 0xc0) != 0x80) return false;
        point = point << 6 | (next & 0x3fU);
      }
      if ((length == 3 && point < 0x800) || (length == 4 && point < 0x10000) || point > 0x10ffff ||
          (point >= 0xd800 && point <= 0xdfff)) {
        return false;
      }
    }
    i += length;
  }
  return true;
}

bool portable_key(std::string_view key, const KeyLimits& limits) {
  if (key.empty() || !portable_text(key)) return false;
  size_t bytes = limits.encrypted ? 0 : key.size();
  while (!key.empty()) {
    const size_t slash = key.find('/');
    const std::string_view name = key.substr(0, slash);
    if (name.empty() || name == "." || name == ".." || name.size() > limits.name_bytes) return false;
    if (limits.encrypted) bytes += encrypted_name_bytes(name.size()) + 1;
    if (slash == std::string_view::npos) return bytes <= limits.key_bytes;
    key.remove_prefix(slash + 1);
  }
  return false;  // ended with a slash
}

std::string_view last_name(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// The extension, when it is one that can stand anywhere.
std::string safe_extension(std::string_view path) {
  const std::string_view extension = extension_of(last_name(path));
  if (extension.size() > 16) return {};
  for (const char c : extension) {
    const bool plain = c == '.' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    if (!plain) return {};
  }
  return std::string(extension);
}

}  // namespace

KeyLimits key_limits_of(const RemoteSettings& remote) {
  KeyLimits limits;
  limits.encrypted = remote.crypt;
  // 143 bytes are 231 encrypted, one more is 256. Object stores have no limit for a name.
  const bool object_store = remote.url.starts_with("s3://");
  if (remote.crypt && !object_store) limits.name_bytes = 143;
  // Encrypted names are of digits and small letters only; object stores compare bytes.
  if (!remote.crypt && !object_store) limits.folds = KeyLimits::Folds::kMaybe;
  return limits;
}

std::string upload_key(std::string_view path, const ContentHash& sha256, const KeyLimits& limits) {
  if (portable_key(path, limits)) return std::string(path);
  return ".shoebox/short/" + sha256.hex() + safe_extension(path);
}

std::string upload_key_beside(std::string_view key, const ContentHash& sha256, const KeyLimits& limits) {
  const std::string_view name = last_name(key);
  const std::string_view folder = key.substr(0, key.size() - name.size());
  const std::string_view extension = extension_of(name);
  const std::string mark = "~" + sha256.hex().substr(0, 8);
  std::string_view stem = name.substr(0, name.size() - extension.size());
  while (stem.size() + mark.size() + extension.size() > limits.name_bytes && !stem.empty()) {
    stem.remove_suffix(1);
    while (!stem.empty() && (static_cast<unsigned char>(stem.back()) & 0xc0) == 0x80) stem.remove_suffix(1);
    // A lead byte without its followers goes as well.
    if (!stem.empty() && static_cast<unsigned char>(stem.back()) >= 0xc0) stem.remove_suffix(1);
  }
  std::string beside = std::string(folder).append(stem).append(mark).append(extension);
  return portable_key(beside, limits) ? beside : ".shoebox/short/" + sha256.hex() + safe_extension(key);
}

std::string sidecar_key(std::string_view key, const KeyLimits& limits) {
  if (key.starts_with(".shoebox/")) return {};
  std::string beside = std::string(key) + ".xmp";
  return portable_key(beside, limits) ? beside : std::string();
}

std::string sidecar_key_apart(std::string_view key, const ContentHash& sha256, const KeyLimits& limits) {
  const std::string folder = ".shoebox/sidecars/";
  constexpr std::string_view kOurs = ".shoebox/";
  if (key.starts_with(kOurs)) key.remove_prefix(kOurs.size());
  std::string apart = folder + std::string(key) + ".xmp";
  return portable_key(apart, limits) ? apart : folder + sha256.hex() + ".xmp";
}

std::string version_key(std::string_view path, const ContentHash& sha256, const KeyLimits& limits) {
  const std::string folder = ".shoebox/versions/";
  const std::string by_hash = folder + sha256.hex() + safe_extension(path);
  if (path.empty() || path.ends_with('/') || path.starts_with(".shoebox/")) return by_hash;
  std::string key = upload_key_beside(folder + std::string(path), sha256, limits);
  return key.starts_with(folder) ? key : by_hash;
}

}  // namespace shoebox
