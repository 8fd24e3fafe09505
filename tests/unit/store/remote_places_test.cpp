#include "store/remote_places.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

class RemotePlacesTest : public ::testing::Test {
 protected:
  Status check(const std::vector<std::string>& urls) {
    std::vector<RemoteSettings> remotes;
    for (const std::string& url : urls) {
      remotes.emplace_back();
      remotes.back().name = "r" + std::to_string(remotes.size());
      remotes.back().url = url;
    }
    return check_remote_places(library_, remotes);
  }
  static void expect_says(const Status& status, const std::string& text) {
    EXPECT_EQ(status.code(), Code::kInvalid);
    EXPECT_NE(status.message().find(text), std::string::npos) << status.message();
  }

  testing::TempDir dir_;
  std::string nas_ = dir_.path() + "/nas", library_ = dir_.path() + "/library";
};

TEST_F(RemotePlacesTest, FoldersBesideEachOtherAreTwoPlaces) {
  EXPECT_TRUE(check({"file://" + nas_, "file://" + nas_ + "2", "s3://bucket/a", "s3://bucket/a"}));
}

TEST_F(RemotePlacesTest, OneFolderIsOnePlaceHoweverItIsSpelled) {
  expect_says(check({"file://" + nas_, "file://" + nas_ + "/"}), "folder of remote \"r1\" already");
  std::filesystem::create_directory(nas_);
  std::filesystem::create_symlink(nas_, dir_.path() + "/link");
  expect_says(check({"file://" + nas_, "file://" + dir_.path() + "/link"}),
              "folder of remote \"r1\" already");
  expect_says(check({"file://" + nas_, "file://" + dir_.path() + "/x/../nas/."}),
              "folder of remote \"r1\" already");
}

TEST_F(RemotePlacesTest, AUrlIsReadAsTheRemoteReadsIt) {
  EXPECT_EQ(folder_of_url("file:///mnt/my%20nas/"), "/mnt/my nas");
  EXPECT_EQ(folder_of_url("file://localhost/nas"), "/nas");
  EXPECT_EQ(folder_of_url("file:///"), "/");
  EXPECT_EQ(folder_of_url("file://nas/photos"), "nas/photos") << "of no machine but this one";
  library_ = dir_.path() + "/my library";
  expect_says(check({"file://" + dir_.path() + "/my%20library/objects"}), "inside the library");
  expect_says(check({"file://" + nas_, "file://localhost" + nas_}), "folder of remote \"r1\" already");
}

TEST_F(RemotePlacesTest, TheLibraryAndTheRootAreNoPlace) {
  expect_says(check({"file://" + library_ + "/objects"}), "inside the library");
  expect_says(check({"file:///"}), "root of this machine");
}

}  // namespace
}  // namespace shoebox
