#include "sync/remote/crypt_keys.h"

#include <sodium.h>

#include <new>

namespace shoebox {
namespace {

constexpr size_t kAllBytes = CryptKeys::kDataKeyBytes + CryptKeys::kNameKeyBytes + CryptKeys::kNameTweakBytes;
constexpr unsigned char kRcloneSalt[] = {0xA8, 0x0D, 0xF4, 0x3A, 0x8F, 0xBD, 0x03, 0x08,
                                         0xA7, 0xCA, 0xB8, 0x3E, 0x58, 0x1F, 0x86, 0xB1};

void wipe_text(std::string& text) {
  text.resize(text.capacity());  // what a longer text left behind as well
  ::sodium_memzero(text.data(), text.size());
  text.clear();
}

}  // namespace

SecretText::SecretText(std::string&& text) : text_(text) { wipe_text(text); }

// Copied and wiped: moving would leave a short text where it was.
// NOLINTNEXTLINE(performance-move-constructor-init)
SecretText::SecretText(SecretText&& other) noexcept : text_(other.text_) { other.wipe(); }

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = other.text_;
    other.wipe();
  }
  return *this;
}

void SecretText::wipe() { wipe_text(text_); }

bool CryptKeys::equals(const CryptKeys& other) const {
  return ::sodium_memcmp(bytes_.get(), other.bytes_.get(), kAllBytes) == 0;
}

void CryptKeys::Free::operator()(unsigned char* bytes) const { ::sodium_free(bytes); }

Result<std::shared_ptr<const CryptKeys>> CryptKeys::derive(std::string_view passphrase,
                                                           std::string_view salt) {
  if (::sodium_init() < 0) return Status(Code::kIo, "libsodium cannot start: no source of random numbers");
  // rclone makes keys of zeros from an empty one: that would be no encryption.
  if (passphrase.empty()) return Status(Code::kUnauthorized, "the passphrase is empty");
  std::shared_ptr<CryptKeys> keys(new CryptKeys);
  keys->bytes_.reset(static_cast<unsigned char*>(::sodium_malloc(kAllBytes)));
  if (!keys->bytes_) throw std::bad_alloc();
  const unsigned char* salt_bytes = salt.empty() ? kRcloneSalt : octets(salt);
  const size_t salt_size = salt.empty() ? sizeof kRcloneSalt : salt.size();
  if (::crypto_pwhash_scryptsalsa208sha256_ll(octets(passphrase), passphrase.size(), salt_bytes, salt_size,
                                              16384, 8, 1, keys->bytes_.get(), kAllBytes) != 0) {
    throw std::bad_alloc();  // the one way in which it fails
  }
  ::sodium_mprotect_readonly(keys->bytes_.get());
  return std::shared_ptr<const CryptKeys>(std::move(keys));
}

}  // namespace shoebox
