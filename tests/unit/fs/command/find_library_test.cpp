#include "fs/command/find_library.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

const char* const kMountinfo =
    "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
    "40 22 0:50 / /home/me/Photos rw,nosuid shared:5 master:2 - fuse.shoebox /home/me/.photos "
    "rw,user_id=1000\n"
    "41 22 0:51 / /mnt/with\\040blank rw - fuse.shoebox /srv/back\\134slash rw\n"
    "42 22 0:52 / /mnt/other rw - fuse.rclone remote: rw\n";

TEST(Mountinfo, OnlyShoeboxMountsAndTheirOddNamesAreRead) {
  const std::vector<LibraryMount> mounts = library_mounts(parse_mountinfo(kMountinfo));
  ASSERT_EQ(mounts.size(), 2U);
  EXPECT_EQ(mounts[0].library, "/home/me/.photos");
  EXPECT_EQ(mounts[0].mountpoint, "/home/me/Photos");
  EXPECT_EQ(mounts[1].library, "/srv/back\\slash");
  EXPECT_EQ(mounts[1].mountpoint, "/mnt/with blank");
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("garbage - fuse.shoebox\n\n - - -\n").empty());
}

class FindLibrary : public ::testing::Test {
 protected:
  FindLibrary() {
    std::filesystem::create_directories(dir.path("mount/Albums/Trip"));
    std::filesystem::create_directories(dir.path("elsewhere"));
    query.working_directory = dir.path("elsewhere");
  }
  void mounted() { query.mounts = {{"/srv/lib", dir.path("mount")}}; }
  void mounted_twice() {
    mounted();
    query.mounts.push_back({"/srv/other", "/mnt/other"});
  }

  testing::TempDir dir;
  LibraryQuery query;
};

TEST_F(FindLibrary, TheOptionComesFirstAndMayNameTheMountPoint) {
  mounted_twice();
  query.environment = "/srv/env";
  query.option = "/srv/other";
  EXPECT_EQ(find_library(query)->library, "/srv/other");
  EXPECT_EQ(find_library(query)->mountpoint, "/mnt/other");
  query.option = "../mount/";
  EXPECT_EQ(find_library(query)->library, "/srv/lib");
}

TEST_F(FindLibrary, TheEnvironmentComesSecond) {
  mounted();
  query.environment = "/srv/env";
  EXPECT_EQ(find_library(query)->library, "/srv/env");
  EXPECT_EQ(find_library(query)->mountpoint, "");
}

TEST_F(FindLibrary, ThePathNamedTellsTheLibraryAndThenTheWorkingDirectory) {
  mounted_twice();
  EXPECT_FALSE(find_library(query)) << "two are mounted and nothing tells which";
  query.paths = {"../mount/Albums/Trip/x.jpg"};
  EXPECT_EQ(find_library(query)->library, "/srv/lib");
  query.paths = {};
  query.working_directory = dir.path("mount/Albums");
  EXPECT_EQ(find_library(query)->library, "/srv/lib");
}

TEST_F(FindLibrary, TheOnlyOneMountedIsMeantOtherwise) {
  EXPECT_FALSE(find_library(query));
  mounted();
  EXPECT_EQ(find_library(query)->library, "/srv/lib");
}

TEST_F(FindLibrary, TheLibrarysOwnFolderIsRecognised) {
  std::filesystem::create_directories(dir.path("lib/catalog"));
  std::filesystem::create_directories(dir.path("lib/objects/0000"));
  std::ofstream(dir.path("lib/catalog/CURRENT")) << "x";
  query.working_directory = dir.path("lib/objects");
  const Result<FoundLibrary> found = find_library(query);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->library, std::filesystem::canonical(dir.path("lib")));
}

TEST_F(FindLibrary, PathsBecomePathsBelowTheMountPoint) {
  const FoundLibrary found{"/srv/lib", std::filesystem::canonical(dir.path("mount")).string()};
  const std::string elsewhere = dir.path("elsewhere");
  EXPECT_EQ(*path_in_library(found, dir.path("mount/Albums/Trip/"), elsewhere), "Albums/Trip");
  EXPECT_EQ(*path_in_library(found, "x.jpg", dir.path("mount/Albums")), "Albums/x.jpg");
  EXPECT_EQ(*path_in_library(found, "..", dir.path("mount/Albums")), "");
  EXPECT_EQ(*path_in_library(found, dir.path("mount"), elsewhere), "");
  EXPECT_EQ(*path_in_library(found, "Albums/Trip", elsewhere), "Albums/Trip");
  EXPECT_FALSE(path_in_library(found, "/etc/passwd", elsewhere));
  EXPECT_FALSE(path_in_library(found, "../../elsewhere/x", dir.path("mount/Albums")));
  EXPECT_FALSE(path_in_library(found, "../../Albums", elsewhere));
  EXPECT_FALSE(path_in_library(found, "", elsewhere));
}

TEST_F(FindLibrary, SymlinksOnTheWayAreFollowedTheLastIsNot) {
  const FoundLibrary found{"/srv/lib", std::filesystem::canonical(dir.path("mount")).string()};
  std::filesystem::create_directory_symlink(dir.path("mount/Albums"), dir.path("elsewhere/short"));
  std::filesystem::create_symlink("/etc", dir.path("mount/link"));
  EXPECT_EQ(*path_in_library(found, "short/Trip", dir.path("elsewhere")), "Albums/Trip");
  EXPECT_EQ(*path_in_library(found, dir.path("mount/link"), "/"), "link");
}

TEST_F(FindLibrary, WithoutAMountPathsAreBelowIt) {
  const FoundLibrary found{"/srv/lib", ""};
  EXPECT_EQ(*path_in_library(found, "Albums/./Trip/../x", "/"), "Albums/x");
  EXPECT_EQ(*path_in_library(found, "/Library/x", "/"), "Library/x");
  EXPECT_EQ(*path_in_library(found, "a\n\xFF", "/"), "a\n\xFF");
}

}  // namespace
}  // namespace shoebox
