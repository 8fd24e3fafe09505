#include "sync/remote/login.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include "store/base/file_io.h"
#include "store/settings.h"

namespace shoebox {
namespace {

class LoginTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/tmp/shoebox-login-XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    folder_ = path;
    settings_.name = "nas";
    settings_.credentials_file = folder_ + "/login";
  }
  void TearDown() override {
    ::unlink(settings_.credentials_file.c_str());
    ::rmdir(folder_.c_str());
  }
  void write(const std::string& text, mode_t mode = 0600) const {
    ASSERT_TRUE(write_file_atomically(folder_ + "/login", text, mode));
  }

  std::string folder_;
  RemoteSettings settings_;
};

TEST_F(LoginTest, IsReadFromItsFile) {
  write("# of the NAS\nuser = \"anna\"\npassword = 'a \"quoted\" word'\npassphrase = x\n");
  LoginSource source(settings_, "other");
  EXPECT_EQ(*source.get(), (Login{"anna", "a \"quoted\" word", "x"}));
}

TEST_F(LoginTest, TheUrlNamesTheUserWhereTheFileDoesNot) {
  write("password = \"pw\"\n");
  EXPECT_EQ(LoginSource(settings_, "anna").get()->user, "anna");
  settings_.credentials_file.clear();
  EXPECT_EQ(*LoginSource(settings_, "anna").get(), (Login{"anna", "", ""}));
}

TEST_F(LoginTest, ACommandPrintsIt) {
  settings_.credentials_file.clear();
  settings_.credentials_command = "printf 'user = \"anna\"\\npassword = \"pw\"\\n'";
  EXPECT_EQ(*LoginSource(settings_, "").get(), (Login{"anna", "pw", ""}));
  settings_.credentials_command = "exit 3";
  EXPECT_EQ(LoginSource(settings_, "").get().code(), Code::kUnauthorized);
  settings_.credentials_file = folder_ + "/login";  // removed by TearDown
}

TEST_F(LoginTest, ARefusedOneIsReadAnew) {
  write("user = \"anna\"\npassword = \"old\"\n");
  LoginSource source(settings_, "");
  const Login old = *source.get();
  write("user = \"anna\"\npassword = \"new\"\n");
  EXPECT_EQ(source.get()->password, "old") << "kept until refused";
  source.refused(old);
  EXPECT_EQ(source.get()->password, "new");
  source.refused(old);
  EXPECT_EQ(source.get()->password, "new");
}

TEST_F(LoginTest, NothingInItsFileIsNoLogin) {
  for (const char* text : {"", "# to be filled in\n", "password = \"\"\n"}) {
    write(text);
    auto none = LoginSource(settings_, "anna").get();
    ASSERT_EQ(none.code(), Code::kUnauthorized) << text;
    EXPECT_NE(none.status().message().find(settings_.credentials_file), std::string::npos);
  }
}

TEST_F(LoginTest, RefusalsNameTheLineAndNeverTheSecret) {
  write("user = \"anna\"\npasswort = \"geheim\"\n");
  auto wrong = LoginSource(settings_, "").get();
  ASSERT_EQ(wrong.code(), Code::kUnauthorized);
  EXPECT_NE(wrong.status().message().find("login:2: expected user = \"…\", password = \"…\" or passphrase"),
            std::string::npos)
      << wrong.status().message();
  EXPECT_EQ(wrong.status().message().find("geheim"), std::string::npos);
  EXPECT_NE(wrong.status().message().find("did you mean \"password\"?"), std::string::npos);
  write("password = \"pw\"\n", 0644);
  EXPECT_NE(LoginSource(settings_, "").get().status().message().find("chmod 600"), std::string::npos);
}

}  // namespace
}  // namespace shoebox
