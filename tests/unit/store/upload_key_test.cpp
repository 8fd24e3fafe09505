#include "store/upload_key.h"

#include <gtest/gtest.h>

#include "store/base/hash.h"
#include "store/settings.h"

namespace shoebox {
namespace {

const ContentHash kHash = sha256("x");

TEST(UploadKey, APathIsItsOwnKey) {
  EXPECT_EQ(upload_key("Library/2023/07/Grüße 1.jpg", kHash), "Library/2023/07/Grüße 1.jpg");
}

TEST(UploadKey, WhatWasLetGoGoesToVersions) {
  const std::string mark = kHash.hex().substr(0, 8);
  EXPECT_EQ(version_key("Library/d/a.jpg", kHash), ".shoebox/versions/Library/d/a~" + mark + ".jpg");
  EXPECT_EQ(version_key("", kHash), ".shoebox/versions/" + kHash.hex());
  EXPECT_EQ(version_key("Library/bad\xff.jpg", kHash), ".shoebox/versions/" + kHash.hex() + ".jpg");
}

TEST(UploadKey, NamesThatARemoteCannotHoldGetAShortKey) {
  const std::string short_key = ".shoebox/short/" + kHash.hex() + ".jpg";
  EXPECT_EQ(upload_key("Library/bad\xff"
                       "name.jpg",
                       kHash),
            short_key);
  EXPECT_EQ(upload_key("Library/line\nbreak.jpg", kHash), short_key);
  EXPECT_EQ(upload_key("Library/back\\slash.jpg", kHash), short_key);
  EXPECT_EQ(upload_key("Library/\xed\xa0\x80.jpg", kHash), short_key) << "a surrogate";
  EXPECT_EQ(upload_key("Library/\xc0\xaf.jpg", kHash), short_key) << "an overlong form";
  std::string deep = "Library";
  for (int i = 0; i < 100; ++i) deep += "/a folder";
  EXPECT_EQ(upload_key(deep + "/x.jpg", kHash), short_key);
}

TEST(UploadKey, TheKeyBesideHasTheHashBeforeTheExtension) {
  const std::string mark = kHash.hex().substr(0, 8);
  EXPECT_EQ(upload_key_beside("Library/a.tar.gz", kHash), "Library/a.tar~" + mark + ".gz");
  EXPECT_EQ(upload_key_beside("Library/README", kHash), "Library/README~" + mark);
  const std::string longest = std::string(124, 'x') + "ü" + std::string(125, 'x') + ".jpg";  // 255 bytes
  const std::string beside = upload_key_beside("Library/" + longest, kHash);
  EXPECT_EQ(beside.size(), 8U + 255U);
  EXPECT_TRUE(beside.ends_with("~" + mark + ".jpg"));
}

TEST(UploadKey, NamesThatWouldBeTooLongEncryptedGetAShortKey) {
  RemoteSettings remote;
  remote.url = "file:///mnt/nas";
  remote.crypt = true;
  const KeyLimits folder = key_limits_of(remote);
  const std::string fits = "Library/" + std::string(139, 'n') + ".jpg";
  const std::string longer = "Library/" + std::string(140, 'n') + ".jpg";
  EXPECT_EQ(upload_key(fits, kHash, folder), fits);
  EXPECT_EQ(upload_key(longer, kHash, folder), ".shoebox/short/" + kHash.hex() + ".jpg");
  const std::string beside = upload_key_beside(fits, kHash, folder);
  EXPECT_EQ(beside.size(), 8U + 143U) << beside;
  remote.url = "s3://bucket";  // has no limit for a name
  EXPECT_EQ(upload_key(longer, kHash, key_limits_of(remote)), longer);
  remote.crypt = false;
  remote.url = "file:///mnt/nas";
  EXPECT_EQ(upload_key(longer, kHash, key_limits_of(remote)), longer);
}

TEST(UploadKey, ASidecarStandsBesideItsOriginalOrApart) {
  EXPECT_EQ(sidecar_key("Library/2023/a.jpg"), "Library/2023/a.jpg.xmp");
  EXPECT_EQ(sidecar_key_apart("Library/2023/a.jpg", kHash), ".shoebox/sidecars/Library/2023/a.jpg.xmp");
  EXPECT_EQ(sidecar_key(".shoebox/versions/Library/a~0.jpg"), "")
      << "never among what is kept for the remote";
  EXPECT_EQ(sidecar_key_apart(".shoebox/versions/Library/a~0.jpg", kHash),
            ".shoebox/sidecars/versions/Library/a~0.jpg.xmp");
  const std::string longest = "Library/" + std::string(251, 'n') + ".jpg";
  EXPECT_EQ(sidecar_key(longest), "");
  EXPECT_EQ(sidecar_key_apart(longest, kHash), ".shoebox/sidecars/" + kHash.hex() + ".xmp");
}

TEST(UploadKey, TheKeyBesideIsCutBetweenCharacters) {
  std::string name;
  while (name.size() + 2 + 4 <= 255) name += "ü";
  const std::string beside = upload_key_beside("Library/" + name + ".jpg", kHash);
  EXPECT_FALSE(beside.starts_with(".shoebox/")) << beside;
}

}  // namespace
}  // namespace shoebox
