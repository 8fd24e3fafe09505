// Names on an encrypted remote, as rclone's crypt writes them: each name between slashes is padded to
// 16 bytes (PKCS#7), enciphered as one wide block (EME over AES-256) and written in base32hex, lower
// case, without padding. The same name gives the same text everywhere on a remote.
//
// Threads: any; immutable.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/crypt_keys.h"

namespace shoebox {

class CryptNames {
 public:
  explicit CryptNames(std::shared_ptr<const CryptKeys> keys) : keys_(std::move(keys)) {}

  // A whole key. kNameTooLong: a name is longer than EME takes (2047 bytes).
  [[nodiscard]] Result<std::string> encrypt(std::string_view key) const;
  // The folders of a key ("a/b/", or ""); the slash at the end stays.
  [[nodiscard]] Result<std::string> encrypt_folders(std::string_view folders) const;
  // kInvalid: not a name that this passphrase made.
  [[nodiscard]] Result<std::string> decrypt(std::string_view key) const;

 private:
  [[nodiscard]] Result<std::string> encrypt_name(std::string_view name) const;
  [[nodiscard]] Result<std::string> decrypt_name(std::string_view name) const;

  std::shared_ptr<const CryptKeys> keys_;  // shared with the remote's data side
};

}  // namespace shoebox
