// What a command learns of a passphrase before a library is served, and that asking writes nothing.
#include "sync/remote/crypt_unlock.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "store/settings.h"
#include "sync/remote/crypt_passphrase.h"
#include "sync/remote/factory.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kPatience{30};

class CryptUnlockTest : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(dir_.path("vault"));
    settings_.name = "vault";
    settings_.url = "file://" + dir_.path("vault");
    settings_.crypt = true;
    settings_.passphrase_file = secret("passphrase", "right\nand a comment\n");
  }
  std::string secret(const std::string& name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(dir_.path(name), std::ios::trunc) << text;
    ::chmod(dir_.path(name).c_str(), mode);
    return dir_.path(name);
  }
  Status first_use() {
    auto remote = make_remote(settings_);
    return remote ? (*remote)->check({}) : remote.status();
  }
  size_t files() {
    const auto all = fs::recursive_directory_iterator(dir_.path("vault"));
    return static_cast<size_t>(std::distance(fs::begin(all), fs::end(all)));
  }

  testing::TempDir dir_;
  RemoteSettings settings_;
};

TEST_F(CryptUnlockTest, TheRightPassphraseGivesKeys) {
  ASSERT_TRUE(first_use());
  const UnlockedRemote unlocked = unlock_remote(settings_, kPatience);
  EXPECT_TRUE(unlocked.keys);
  EXPECT_TRUE(unlocked.trouble) << unlocked.trouble.message();
  settings_.passphrase_file.clear();
  settings_.passphrase_command = "echo right";
  EXPECT_TRUE(unlock_remote(settings_, kPatience).trouble);
}

TEST_F(CryptUnlockTest, AWrongOneIsTrouble) {
  ASSERT_TRUE(first_use());
  secret("passphrase", "wrong\n");
  EXPECT_EQ(unlock_remote(settings_, kPatience).trouble.code(), Code::kUnauthorized);
  secret("passphrase", "right\n");
  settings_.salt_command = "echo salt";
  EXPECT_EQ(unlock_remote(settings_, kPatience).trouble.code(), Code::kUnauthorized) << "so is another salt";
}

TEST_F(CryptUnlockTest, ADriveGoesOnWithOtherKeysOnlyWhenTheyAreRight) {
  ASSERT_TRUE(first_use());
  const auto in_use = unlock_remote(settings_, kPatience).keys;
  const auto says = [&](const std::string& what) {
    const auto renewed = renewed_keys(settings_, in_use, std::chrono::seconds(2));
    ASSERT_FALSE(renewed.is_ok());
    for (const std::string& part : {what, std::string("remote \"vault\""), settings_.passphrase_file})
      EXPECT_NE(renewed.status().message().find(part), std::string::npos) << renewed.status().message();
  };
  EXPECT_EQ(*renewed_keys(settings_, in_use, kPatience), in_use) << "the same passphrase: nothing to renew";
  secret("passphrase", "wrong\n");
  says("not the one");
  // Whether it is right cannot be asked: the drive keeps what works.
  const std::string url = std::exchange(settings_.url, "dav://127.0.0.1:1/vault");
  says("another passphrase than the one in use");
  settings_.url = url;
  fs::remove(dir_.path("passphrase"));
  says("No such file");
  // Typed at the mount: nothing names another.
  settings_.passphrase_file.clear();
  EXPECT_EQ(*renewed_keys(settings_, in_use, kPatience), in_use);
  // Wrong at the mount, right since.
  settings_.passphrase_file = secret("passphrase", "right\n");
  const auto found = renewed_keys(settings_, nullptr, kPatience);
  ASSERT_TRUE(found.is_ok()) << found.status().message();
  EXPECT_TRUE((*found)->equals(*in_use));
}

TEST_F(CryptUnlockTest, APassphraseThatCannotBeReadIsTroubleWithWhatToDo) {
  const auto says = [this](const std::string& what) {
    const UnlockedRemote unlocked = unlock_remote(settings_, kPatience);
    EXPECT_EQ(unlocked.trouble.code(), Code::kUnauthorized);
    EXPECT_NE(unlocked.trouble.message().find(what), std::string::npos) << unlocked.trouble.message();
    EXPECT_FALSE(unlocked.keys);
  };
  secret("passphrase", "right\n", 0640);
  says("chmod 600");
  secret("passphrase", "\nsecond line\n");
  says("has no passphrase on its first line");
  fs::remove(dir_.path("passphrase"));
  says("passphrase_file");
  settings_.passphrase_file.clear();
  settings_.passphrase_command = "exit 3";
  says("passphrase_command failed with exit status 3");
}

TEST_F(CryptUnlockTest, AskingWritesNothing) {
  EXPECT_TRUE(unlock_remote(settings_, kPatience).keys) << "a new folder knows no passphrase yet";
  EXPECT_EQ(files(), 0u);
  ASSERT_TRUE(first_use());
  const size_t before = files();
  EXPECT_TRUE(unlock_remote(settings_, kPatience).keys);
  EXPECT_EQ(files(), before);
}

TEST_F(CryptUnlockTest, ANewFolderIsToldFromOneThatIsNotThere) {
  const auto keys = read_crypt_keys(settings_);
  ASSERT_TRUE(keys);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const Status fresh = try_crypt_keys(settings_, *keys, deadline);
  EXPECT_EQ(fresh.code(), Code::kNotFound) << fresh.message();
  EXPECT_EQ(fresh.message().find("used before"), std::string::npos) << fresh.message();
  EXPECT_EQ(files(), 0u);
  settings_.url = "file://" + dir_.path("nowhere");
  EXPECT_EQ(try_crypt_keys(settings_, *keys, deadline).code(), Code::kUnavailable);
}

TEST_F(CryptUnlockTest, ARemoteThatCannotBeAskedIsNoTroubleOfThePassphrase) {
  settings_.url = "file://" + dir_.path("nowhere");
  const UnlockedRemote unlocked = unlock_remote(settings_, kPatience);
  EXPECT_TRUE(unlocked.keys);
  EXPECT_TRUE(unlocked.trouble);
}

}  // namespace
}  // namespace shoebox
