// An encrypted remote against the real rclone: each reads what the other wrote. Over a folder only.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "contract.h"
#include "sync/remote/factory.h"

namespace shoebox {
namespace {

namespace fs = std::filesystem;

// Exit status of a shell command.
int run(const std::string& command) {
  const int state = std::system(command.c_str());
  return WIFEXITED(state) ? WEXITSTATUS(state) : -1;
}

std::string read_back(Remote& remote, const RemoteObject& object) {
  std::string bytes;
  const Status got = remote.get(object.key, {0, object.size}, object.etag,
                                [&](std::string_view piece) {
                                  bytes += piece;
                                  return Status::ok();
                                },
                                {});
  EXPECT_TRUE(got) << object.key << ": " << got.message();
  return bytes;
}

class Rclone : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    if (!settings_.crypt || is_s3()) GTEST_SKIP() << "not an encrypted folder";
    if (run("rclone version > /dev/null 2>&1") != 0) GTEST_SKIP() << "rclone is not installed";
    std::string pattern = (fs::temp_directory_path() / "shoebox-rclone-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    work_ = pattern;
    for (const char* name : {"plain", "encrypted", "back"}) fs::create_directory(work_ + "/" + name);
    settings_.url = "file://" + work_ + "/encrypted";
    std::ofstream(work_ + "/salt") << "salt and pepper\n";
    fs::permissions(work_ + "/salt", fs::perms::owner_read | fs::perms::owner_write);
  }
  void TearDown() override {
    if (!work_.empty()) fs::remove_all(work_);
  }

  // rclone with a crypt remote "sb:" over the folder. The passphrase is the contract's own.
  int rclone(const std::string& arguments) {
    const std::string salt =
        settings_.salt_file.empty()
            ? ""
            : fmt::format("RCLONE_CONFIG_SB_PASSWORD2=\"$(rclone obscure \"$(cat {})\")\" ",
                          settings_.salt_file);
    return run(fmt::format(
        "RCLONE_CONFIG={0}/none RCLONE_CONFIG_SB_TYPE=crypt RCLONE_CONFIG_SB_REMOTE={0}/encrypted "
        "RCLONE_CONFIG_SB_PASSWORD=\"$(rclone obscure \"$(cat {1})\")\" {2}"
        "rclone --quiet {3} > {0}/log 2>&1",
        work_, settings_.passphrase_file, salt, arguments));
  }
  std::string log() const { return *read_file(work_ + "/log"); }
  std::unique_ptr<Remote> open() {
    auto made = make_remote(settings_);
    EXPECT_TRUE(made) << made.status().message();
    return std::move(*made);
  }

  // Sizes about the blocks, and names that people give.
  static const std::map<std::string, std::string>& files() {
    static const std::map<std::string, std::string> all = [] {
      std::map<std::string, std::string> made;
      uint32_t seed = 0;
      for (const size_t size : {0, 1, 65'535, 65'536, 65'537, 200'000, 20 << 20}) {
        made[fmt::format("Library/2023/{}.jpg", size)] = noise(size, ++seed);
      }
      for (const std::string name :
           {"a b.jpg", "IMG_1 (2).jpg", "50%.jpg", "it's \"it\"!.jpg", "M\xc3\xbcnchen/\xe2\x98\x83.jpg",
            "Ko\xcc\x88ln/decomposed.jpg", "\xf0\x9f\x93\xb7.jpg", ".hidden", "trailing.", "a'b|c;$d&.jpg",
            "d/e/e/p/er.jpg", "IMG-v2023-07-14-101112-123.jpg", "<x>.jpg", "x:y*z?.jpg", "~tilde"}) {
        made[name] = noise(1000 + name.size(), ++seed);
      }
      made[std::string(139, 'n') + ".jpg"] = noise(10, ++seed);
      return made;
    }();
    return all;
  }

  std::string work_;
};

TEST_F(Rclone, ReadsWhatShoeboxWrote) {
  for (const bool salted : {false, true}) {
    if (salted) {
      settings_.salt_file = work_ + "/salt";
      for (const char* name : {"plain", "encrypted", "back"}) {
        fs::remove_all(work_ + "/" + name);
        fs::create_directory(work_ + "/" + name);
      }
    }
    const std::unique_ptr<Remote> remote = open();
    for (const auto& [name, bytes] : files()) {
      const UniqueFd fd = file_with(bytes);
      auto stored = remote->put(name, fd.get(), options_for(bytes), {});
      ASSERT_TRUE(stored) << name << ": " << stored.status().message();
      const fs::path path = work_ + "/plain/" + name;
      fs::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary) << bytes;
    }
    ASSERT_EQ(rclone(fmt::format("copy sb: {}/back", work_)), 0) << log();
    for (const auto& [name, bytes] : files()) {
      auto back = read_file(work_ + "/back/" + name);
      ASSERT_TRUE(back) << back.status().message();
      EXPECT_TRUE(*back == bytes) << name;
    }
    const auto count = [](const std::string& folder) {
      size_t found = 0;
      for (const auto& entry : fs::recursive_directory_iterator(folder))
        found += entry.is_regular_file() ? 1 : 0;
      return found;
    };
    EXPECT_EQ(count(work_ + "/back"), files().size()) << "and nothing else";
    EXPECT_EQ(rclone(fmt::format("check --download {}/plain sb:", work_)), 0) << log();
    std::ofstream(work_ + "/plain/a b.jpg", std::ios::binary) << noise(1007, 999);
    EXPECT_NE(rclone(fmt::format("check --download {}/plain sb:", work_)), 0)
        << "the check finds what differs";
  }
}

TEST_F(Rclone, WritesWhatShoeboxReads) {
  for (const auto& [name, bytes] : files()) {
    const fs::path path = work_ + "/plain/" + name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
  }
  ASSERT_EQ(rclone(fmt::format("copy {}/plain sb:", work_)), 0) << log();
  const std::unique_ptr<Remote> remote = open();
  auto page = remote->list("", "", {});
  ASSERT_TRUE(page) << page.status().message();
  EXPECT_EQ(page->skipped, 0u);
  EXPECT_EQ(page->objects.size(), files().size());
  for (const RemoteObject& object : page->objects) {
    const auto wanted = files().find(object.key);
    ASSERT_NE(wanted, files().end()) << object.key;
    EXPECT_EQ(object.size, wanted->second.size());
    EXPECT_TRUE(read_back(*remote, object) == wanted->second) << object.key;
    auto there = remote->stat(object.key, {});
    ASSERT_TRUE(there) << object.key << ": " << there.status().message();
  }
  // What stands there counts as stored, under whatever nonce.
  PutOptions options = options_for(files().at("a b.jpg"));
  options.if_absent = true;
  const UniqueFd fd = file_with(files().at("a b.jpg"));
  auto again = remote->put("a b.jpg", fd.get(), options, {});
  EXPECT_TRUE(again) << again.status().message();
}

}  // namespace
}  // namespace shoebox
