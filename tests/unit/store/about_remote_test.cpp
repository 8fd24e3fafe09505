#include "store/about_remote.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

std::string told(const std::string& message) {
  return about_remote(Status(Code::kReadOnly, message), "nas").message();
}

TEST(AboutRemote, NamesItOnce) {
  EXPECT_EQ(told("no room"), "remote nas: no room");
  EXPECT_EQ(told("remote nas: no room"), "remote nas: no room");
  EXPECT_EQ(told("remote \"nas\": no room"), "remote \"nas\": no room");
  EXPECT_EQ(told("remote nas2: no room"), "remote nas: remote nas2: no room");
  EXPECT_TRUE(about_remote(Status::ok(), "nas"));
}

}  // namespace
}  // namespace shoebox
