#include "fs/mount_point.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace shoebox {
namespace {

using testing::HasSubstr;

class MountPointTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "shoebox-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    mountpoint_ = root_ + "/photos";
    library_ = root_ + "/library";
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::string root_, mountpoint_, library_;
};

TEST_F(MountPointTest, AnEmptyFolderWillDo) {
  std::filesystem::create_directory(mountpoint_);
  EXPECT_TRUE(check_mount_point(mountpoint_, library_).is_ok());
}

TEST_F(MountPointTest, AMissingOneIsToldWithTheCommandThatMakesIt) {
  const Status status = check_mount_point(mountpoint_, library_);
  EXPECT_EQ(status.code(), Code::kNotFound);
  EXPECT_THAT(status.message(), HasSubstr("mkdir -p " + mountpoint_));
}

TEST_F(MountPointTest, AFileIsNoMountPoint) {
  std::ofstream(mountpoint_) << "x";
  EXPECT_EQ(check_mount_point(mountpoint_, library_).code(), Code::kNotDirectory);
}

TEST_F(MountPointTest, AFolderThatHoldsSomethingIsRefusedAndTheThingNamed) {
  std::filesystem::create_directory(mountpoint_);
  std::ofstream(mountpoint_ + "/holiday.jpg") << "x";
  const Status status = check_mount_point(mountpoint_, library_);
  EXPECT_EQ(status.code(), Code::kNotEmpty);
  EXPECT_THAT(status.message(), HasSubstr("holiday.jpg"));
}

TEST_F(MountPointTest, TheLibraryAndItsMountPointMayNotLieInEachOther) {
  std::filesystem::create_directories(library_ + "/mnt");
  EXPECT_EQ(check_mount_point(library_ + "/mnt", library_).code(), Code::kInvalid);
  std::filesystem::create_directory(mountpoint_);
  EXPECT_EQ(check_mount_point(mountpoint_, mountpoint_ + "/library").code(), Code::kInvalid);
  EXPECT_EQ(check_mount_point(mountpoint_, mountpoint_).code(), Code::kInvalid);
}

}  // namespace
}  // namespace shoebox
