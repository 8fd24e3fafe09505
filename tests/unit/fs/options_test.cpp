#include "fs/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shoebox {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(MountOptions, NothingAskedForMeansAPlainWritableMount) {
  const auto options = parse_mount_options({});
  ASSERT_TRUE(options.is_ok());
  EXPECT_FALSE(options->read_only);
  EXPECT_FALSE(options->allow_other);
  EXPECT_FALSE(options->overrides_attributes());
  EXPECT_THAT(options->kernel, IsEmpty());
}

TEST(MountOptions, AreSplitAtCommasAndOverSeveralWords) {
  const auto options = parse_mount_options({"allow_other,uid=1000", "gid=100,umask=027,ro"});
  ASSERT_TRUE(options.is_ok()) << options.status().message();
  EXPECT_TRUE(options->allow_other);
  EXPECT_TRUE(options->read_only);
  EXPECT_EQ(options->uid, 1000U);
  EXPECT_EQ(options->gid, 100U);
  EXPECT_EQ(options->umask, 0027U);
  EXPECT_TRUE(options->overrides_attributes());
}

TEST(MountOptions, TheLastOfTwoThatContradictCounts) {
  EXPECT_FALSE(parse_mount_options({"ro,rw"})->read_only);
  EXPECT_TRUE(parse_mount_options({"rw,ro"})->read_only);
  EXPECT_THAT(parse_mount_options({"nosuid,nodev,suid"})->kernel, ElementsAre("nodev", "suid"));
}

TEST(MountOptions, UsersAndGroupsMayBeNamed) {
  const auto options = parse_mount_options({"uid=root,gid=root"});
  ASSERT_TRUE(options.is_ok()) << options.status().message();
  EXPECT_EQ(options->uid, 0U);
  EXPECT_EQ(options->gid, 0U);
}

TEST(MountOptions, WhatFstabAndSystemdWriteIsAccepted) {
  const auto options = parse_mount_options(
      {"defaults,rw,user,noauto,nofail,_netdev,x-systemd.automount,x-systemd.idle-timeout=60,relatime"});
  ASSERT_TRUE(options.is_ok()) << options.status().message();
  EXPECT_THAT(options->kernel, IsEmpty());
}

TEST(MountOptions, WhatTheKernelKnowsIsHandedOn) {
  const auto options = parse_mount_options({"nosuid,nodev,noexec,noatime,exec"});
  ASSERT_TRUE(options.is_ok());
  EXPECT_THAT(options->kernel, ElementsAre("nosuid", "nodev", "noatime", "exec"));
}

TEST(MountOptions, AnUnknownOneIsRefusedByName) {
  const auto options = parse_mount_options({"allow_other,alow_root"});
  ASSERT_FALSE(options.is_ok());
  EXPECT_EQ(options.code(), Code::kInvalid);
  EXPECT_THAT(options.status().message(), HasSubstr("\"alow_root\""));
}

TEST(MountOptions, ValuesThatMakeNoSenseAreRefused) {
  for (const char* option : {"umask=", "umask=9", "umask=1777", "uid=", "uid=no such user", "uid=-1", "uid",
                             "gid=4294967296", "umask=022x"}) {
    EXPECT_FALSE(parse_mount_options({option}).is_ok()) << option;
  }
}

TEST(MountOptions, EmptyOnesBetweenCommasAreNothing) {
  EXPECT_TRUE(parse_mount_options({"", ",", "ro,,"}).is_ok());
}

}  // namespace
}  // namespace shoebox
