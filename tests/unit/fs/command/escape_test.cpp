#include "fs/command/escape.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

namespace shoebox {
namespace {

TEST(Escape, OrdinaryNamesStayAsTheyAre) {
  for (const char* name : {"IMG_1.jpg", "Größe ☃ 日本.jpg", "", "a b", "🎉"}) {
    EXPECT_EQ(escape_name(name), name);
    EXPECT_EQ(*unescape_name(name), name);
  }
}

TEST(Escape, WhatTextCannotHoldIsSpelt) {
  EXPECT_EQ(escape_name("a\nb"), "a\\x0Ab");
  EXPECT_EQ(escape_name("\xFF"), "\\xFF");
  EXPECT_EQ(escape_name("back\\slash"), "back\\\\slash");
  EXPECT_EQ(escape_name("\x1b[31m"), "\\x1B[31m");
  EXPECT_EQ(escape_name("\xC2\x9B"), "\\xC2\\x9B") << "the one-character CSI of terminals";
  EXPECT_EQ(escape_name("\xC0\xAF"), "\\xC0\\xAF") << "overlong";
  EXPECT_EQ(escape_name("\xED\xA0\x80"), "\\xED\\xA0\\x80") << "a surrogate";
  EXPECT_EQ(escape_name("\xF4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80") << "above U+10FFFF";
  EXPECT_EQ(escape_name("\xE2\x98"), "\\xE2\\x98") << "cut short";
}

TEST(Escape, AnyBytesComeBackAndAlwaysFitIntoJson) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(random() % 24, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 3 == 0 ? '\\' : random());
    const std::string text = escape_name(bytes);
    EXPECT_NO_THROW((void)nlohmann::json(text).dump());
    const Result<std::string> back = unescape_name(text);
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, bytes);
  }
}

TEST(Escape, BadSpellingsAreRefused) {
  for (const char* text : {"\\", "a\\", "\\x", "\\x1", "\\xGG", "\\n", "\\X41"})
    EXPECT_FALSE(unescape_name(text)) << text;
}

TEST(Escape, MessagesStayOnOneLineAndKeepTheirBackslashes) { EXPECT_EQ(printable("a\nb\\c"), "a\\x0Ab\\c"); }

}  // namespace
}  // namespace shoebox
