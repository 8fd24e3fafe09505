// The store decides which names fit an encrypted remote; the encryption decides how long they become.
#include <gtest/gtest.h>

#include "store/settings.h"
#include "store/upload_key.h"
#include "sync/remote/crypt_names.h"

namespace shoebox {
namespace {

TEST(CryptKeyLimits, KeysOfTheStoreFitWhenEncrypted) {
  const CryptNames mine(*CryptKeys::derive("a passphrase", ""));
  EXPECT_LE(mine.encrypt(std::string(143, 'x'))->size(), 255u);
  EXPECT_GT(mine.encrypt(std::string(144, 'x'))->size(), 255u);
  RemoteSettings folder;
  folder.url = "file:///mnt/nas";
  folder.crypt = true;
  const KeyLimits limits = key_limits_of(folder);
  std::string deep;
  for (int i = 0; i < 40; ++i) {
    deep += "d/";
    const std::string key = upload_key(deep + "a.jpg", ContentHash(), limits);
    EXPECT_LE(mine.encrypt(key)->size(), limits.key_bytes);
    EXPECT_EQ(key.starts_with(".shoebox/short/"), mine.encrypt(deep + "a.jpg")->size() > limits.key_bytes);
  }
}

}  // namespace
}  // namespace shoebox
