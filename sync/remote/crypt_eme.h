// EME (ECB-Mix-ECB) over AES-256: Halevi and Rogaway, "A Parallelizable Enciphering Mode", 2003.
#pragma once

#include <string>

#include "sync/remote/crypt_keys.h"

namespace shoebox {

inline constexpr size_t kEmeBlockBytes = 16;
inline constexpr size_t kEmeMostBytes = 128 * kEmeBlockBytes;

// Enciphers or deciphers `text` in place with the name key and tweak.
// REQUIRES: a whole number of 16-byte blocks, 1 to 128. Pure; any thread.
void eme_transform(const CryptKeys& keys, bool encrypt, std::string& text);

}  // namespace shoebox
