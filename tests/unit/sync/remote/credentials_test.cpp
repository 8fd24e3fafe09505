#include "sync/remote/credentials.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>

#include "store/base/file_io.h"
#include "store/settings.h"

namespace shoebox {
namespace {

class CredentialsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/tmp/shoebox-credentials-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    for (const char* name : {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"})
      ::unsetenv(name);
  }
  void TearDown() override {
    ::unlink(path().c_str());
    ::rmdir(folder_.c_str());
  }
  [[nodiscard]] std::string path() const { return folder_ + "/keys"; }
  void write(const std::string& text, mode_t mode = 0600) const {
    ASSERT_TRUE(write_file_atomically(path(), text, mode));
    ::chmod(path().c_str(), mode);
  }

  std::string folder_;
};

TEST_F(CredentialsTest, AFileOfOnesOwnIsRead) {
  write("# keys of the NAS\n\naccess_key = \"AK\"\nsecret_key='s/+='\r\nsession_token = tok\n");
  auto read = read_credentials_file(path());
  ASSERT_TRUE(read) << read.status().message();
  EXPECT_EQ(read->access_key, "AK");
  EXPECT_EQ(read->secret_key, "s/+=");
  EXPECT_EQ(read->session_token, "tok");
}

TEST_F(CredentialsTest, AFileThatOthersCanReadIsRefusedWithWhatToDo) {
  for (const mode_t mode : {0640, 0604, 0644, 0620}) {
    write("access_key = \"AK\"\nsecret_key = \"SK\"\n", mode);
    auto read = read_credentials_file(path());
    EXPECT_EQ(read.code(), Code::kUnauthorized);
    EXPECT_NE(read.status().message().find("chmod 600 " + path()), std::string::npos)
        << read.status().message();
  }
}

TEST_F(CredentialsTest, ErrorsNameTheLineAndNeverWhatStandsThere) {
  write("access_key = \"AK\"\nsecrte_key = \"hunter2\"\n");
  auto read = read_credentials_file(path());
  EXPECT_EQ(read.code(), Code::kUnauthorized);
  EXPECT_NE(read.status().message().find(":2:"), std::string::npos) << read.status().message();
  EXPECT_EQ(read.status().message().find("hunter2"), std::string::npos);
  EXPECT_NE(read.status().message().find("did you mean \"secret_key\"?"), std::string::npos);
  write("wJalrXUtnFEMI/K7MDENG==\n");  // the bare secret, that base64 ends with '='
  EXPECT_EQ(read_credentials_file(path()).status().message().find("wJalr"), std::string::npos);
  write("access_key = \"AK\"\n");
  EXPECT_NE(read_credentials_file(path()).status().message().find("secret_key is missing"),
            std::string::npos);
  write("access_key = \"A K\"\nsecret_key = \"x\"\n");
  EXPECT_FALSE(read_credentials_file(path()));
  EXPECT_EQ(read_credentials_file(folder_ + "/none").code(), Code::kUnauthorized);
  EXPECT_EQ(read_credentials_file("/dev/null").code(), Code::kUnauthorized);
}

TEST_F(CredentialsTest, ACommandPrintsLinesOrJson) {
  auto lines = run_credentials_command("echo 'access_key = AK'; echo 'secret_key = SK'");
  ASSERT_TRUE(lines) << lines.status().message();
  EXPECT_EQ(lines->secret_key, "SK");
  auto json = run_credentials_command(
      R"(echo '{"Version":1,"AccessKeyId":"AK","SecretAccessKey":"SK","SessionToken":"T"}')");
  ASSERT_TRUE(json) << json.status().message();
  EXPECT_EQ(json->session_token, "T");
  EXPECT_EQ(run_credentials_command("echo '{broken'").code(), Code::kUnauthorized);
  EXPECT_NE(run_credentials_command("exit 3").status().message().find("exit status 3"), std::string::npos);
  EXPECT_NE(run_credentials_command("kill -9 $$").status().message().find("signal 9"), std::string::npos);
}

TEST_F(CredentialsTest, WhatTheSettingsNameComesFirst) {
  ::setenv("AWS_ACCESS_KEY_ID", "ENV", 1);
  ::setenv("AWS_SECRET_ACCESS_KEY", "S", 1);
  RemoteSettings settings;
  EXPECT_EQ(CredentialsSource(settings).get()->access_key, "ENV");
  settings.credentials_command = "echo access_key=CMD; echo secret_key=S";
  EXPECT_EQ(CredentialsSource(settings).get()->access_key, "CMD");
  write("access_key = FILE\nsecret_key = S\n");
  settings.credentials_file = path();
  EXPECT_EQ(CredentialsSource(settings).get()->access_key, "FILE");
}

TEST_F(CredentialsTest, WithoutAnyTheMessageSaysWhatToSet) {
  RemoteSettings settings;
  settings.name = "nas";
  auto none = CredentialsSource(settings).get();
  EXPECT_EQ(none.code(), Code::kUnauthorized);
  EXPECT_NE(none.status().message().find("\"nas\""), std::string::npos);
  EXPECT_NE(none.status().message().find("credentials_file"), std::string::npos);
}

TEST_F(CredentialsTest, RefusedKeysAreReadAnew) {
  write("access_key = OLD\nsecret_key = OLD\n");
  RemoteSettings settings;
  settings.credentials_file = path();
  CredentialsSource source(settings);
  const Credentials old = *source.get();
  write("access_key = NEW\nsecret_key = NEW\n");
  EXPECT_EQ(source.get()->access_key, "OLD") << "kept until refused";
  source.refused(old);
  EXPECT_EQ(source.get()->access_key, "NEW");
}

}  // namespace
}  // namespace shoebox
