#include "sync/remote/settings_check.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "store/base/file_io.h"
#include "store/settings.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

class SettingsCheckTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
      ::unsetenv(name);
    remote_.name = "nas";
  }
  // What is said of this url with these lines in the credentials file; "" when nothing is wrong.
  std::string refusal(const std::string& url, const std::string& lines) {
    remote_.url = url;
    remote_.credentials_file = folder_.path() + "/login";
    EXPECT_TRUE(write_file_atomically(remote_.credentials_file, lines, 0600));
    return refusal();
  }
  std::string refusal() {
    const Status checked = check_remote_settings(remote_, left_open_);
    EXPECT_TRUE(checked || checked.message().find("\"nas\"") != std::string::npos) << checked.message();
    return checked.message();
  }
  static bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

  testing::TempDir folder_;
  RemoteSettings remote_;
  std::string left_open_;
};

TEST_F(SettingsCheckTest, EachKindWantsItsOwnCredentials) {
  EXPECT_EQ(refusal("s3://bucket", "access_key = a\nsecret_key = b\n"), "");
  EXPECT_TRUE(has(refusal("s3://bucket", "user = a\npassword = b\n"), ":1: expected access_key"));
  EXPECT_TRUE(has(refusal("s3://bucket", ""), "access_key is missing"));
  EXPECT_EQ(refusal("davs://host/p", "user = a\npassword = b\n"), "");
  EXPECT_EQ(refusal("davs://a@host/p", "password = b\n"), "");
  EXPECT_TRUE(has(refusal("davs://host/p", "password = b\n"), "user is missing"));
  EXPECT_TRUE(has(refusal("davs://a@host/p", "passphrase = b\n"), "password is missing"));
  EXPECT_EQ(refusal("sftp://host/p", "password = b\n"), "");
  EXPECT_TRUE(has(refusal("sftp://host/p", "passwrd = b\n"), "\"password\""));
}

TEST_F(SettingsCheckTest, WhatTheMountsEnvironmentMayHoldIsLeftOpen) {
  remote_.url = "s3://bucket";
  EXPECT_EQ(refusal(), "");
  EXPECT_TRUE(has(left_open_, "AWS_ACCESS_KEY_ID"));
  remote_.url = "dav://localhost/p";  // without a login
  left_open_.clear();
  EXPECT_EQ(refusal(), "");
  EXPECT_EQ(left_open_, "");
}

TEST_F(SettingsCheckTest, KeysAndCertificatesMustBeThere) {
  remote_.url = "sftp://host/p";
  remote_.identity_file = folder_.path() + "/key";
  EXPECT_TRUE(has(refusal(), "identity_file"));
  ASSERT_TRUE(write_file_atomically(remote_.identity_file, "no key", 0600));
  EXPECT_TRUE(has(refusal(), "is no private key"));
  remote_.url = "davs://host/p";
  EXPECT_EQ(refusal(), "");
  remote_.ca_file = folder_.path() + "/ca";
  EXPECT_TRUE(has(refusal(), "ca_file"));
  ASSERT_TRUE(write_file_atomically(remote_.ca_file, "no certificate"));
  EXPECT_TRUE(has(refusal(), "holds no certificate"));
}

TEST_F(SettingsCheckTest, AUrlThatNoRemoteCanBeMadeOfIsRefused) {
  remote_.url = "file:///";
  EXPECT_TRUE(has(refusal(), "root of the file system"));
}

}  // namespace
}  // namespace shoebox
