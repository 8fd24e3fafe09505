#include "store/library_lock.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "store/base/file_io.h"
#include "tests/unit/temp_dir.h"

namespace shoebox {
namespace {

TEST(LibraryLock, ASecondComerIsToldThePidOfWhoHoldsItReadOnlyAndNotOfWhoHeldItBefore) {
  const testing::TempDir dir;
  ASSERT_TRUE(write_file_atomically(dir.path("lock"), "1 ending\n", 0600));
  const auto holder = LibraryLock::take(dir.path(), /*read_only=*/true);
  ASSERT_TRUE(holder) << holder.status().message();
  const auto second = LibraryLock::take(dir.path(), /*read_only=*/false);
  ASSERT_EQ(second.code(), Code::kBusy);
  const std::string message = second.status().message();
  EXPECT_NE(message.find("process " + std::to_string(::getpid()) + ";"), std::string::npos) << message;
}

// On a read-only disk nobody can write who they are.
TEST(LibraryLock, ASecondComerIsToldWhoHoldsItAlsoWhereTheFileTellsOfSomebodyElse) {
  const testing::TempDir dir;
  const auto holder = LibraryLock::take(dir.path(), /*read_only=*/false);
  ASSERT_TRUE(holder) << holder.status().message();
  {
    const Result<UniqueFd> file = open_file(dir.path("lock"), O_WRONLY | O_TRUNC);
    ASSERT_TRUE(file);
    ASSERT_TRUE(write_full(file->get(), "1 ending\n"));
  }
  const auto second = LibraryLock::take(dir.path(), /*read_only=*/true);
  ASSERT_EQ(second.code(), Code::kBusy);
  const std::string message = second.status().message();
  EXPECT_NE(message.find("process " + std::to_string(::getpid()) + ";"), std::string::npos) << message;
}

// As a full disk does: the file is made, its bytes find no room.
TEST(LibraryLock, WhatCannotBeWrittenIsNamed) {
  const testing::TempDir dir;
  struct rlimit before {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto former = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit nothing { 0, before.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &nothing), 0);
  const auto taken = LibraryLock::take(dir.path(), /*read_only=*/false);
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, former);
  ASSERT_FALSE(taken);
  EXPECT_NE(taken.status().message().find(dir.path("lock")), std::string::npos) << taken.status().message();
}

}  // namespace
}  // namespace shoebox
