// The keys of an encrypted remote, made from its passphrase exactly as rclone's crypt makes them, and
// the text they are made from. Both are wiped when they go and are never logged.
//
// Threads: any; immutable once made.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

// Bytes as libsodium takes them.
inline const unsigned char* octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

// A text that is overwritten before its memory is given back.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string&& text);  // wipes `text`
  SecretText(SecretText&& other) noexcept;
  SecretText& operator=(SecretText&& other) noexcept;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { wipe(); }
  [[nodiscard]] std::string_view view() const { return text_; }
  void wipe();

 private:
  std::string text_;
};

class CryptKeys {
 public:
  // scrypt with N=16384, r=8, p=1: 0.1 s and 16 MiB. An empty salt is rclone's own.
  static Result<std::shared_ptr<const CryptKeys>> derive(std::string_view passphrase, std::string_view salt);

  static constexpr size_t kDataKeyBytes = 32;
  static constexpr size_t kNameKeyBytes = 32;
  static constexpr size_t kNameTweakBytes = 16;
  // Made from the same passphrase and salt.
  [[nodiscard]] bool equals(const CryptKeys& other) const;
  [[nodiscard]] const unsigned char* data_key() const { return bytes_.get(); }
  [[nodiscard]] const unsigned char* name_key() const { return data_key() + kDataKeyBytes; }
  [[nodiscard]] const unsigned char* name_tweak() const { return name_key() + kNameKeyBytes; }

 private:
  struct Free {
    void operator()(unsigned char* bytes) const;
  };
  CryptKeys() = default;
  // Memory that is locked, fenced and wiped by libsodium.
  std::unique_ptr<unsigned char, Free> bytes_;
};

}  // namespace shoebox
