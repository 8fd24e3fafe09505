#include "sync/remote/uri.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

TEST(Uri, EveryByteComesBackFromItsEncoding) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(uri_encode(all, true)), all);
  EXPECT_EQ(percent_decode(uri_encode(all, false)), all);
  EXPECT_EQ(uri_encode("50% & more/a+b?#\xc3\xbc", true), "50%25%20%26%20more/a%2Bb%3F%23%C3%BC");
}

TEST(Uri, APercentSignThatStartsNoEscapeStays) {
  EXPECT_EQ(percent_decode("100%"), "100%");
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
  EXPECT_EQ(percent_decode("a+b"), "a+b") << "a plus is no blank in a path";
}

TEST(Uri, AnAuthorityIsTakenApart) {
  auto full = parse_authority("anna%40home@Host.Example:8443/a%20b/c/");
  ASSERT_TRUE(full) << full.status().message();
  EXPECT_EQ(full->user, "anna@home");
  EXPECT_EQ(full->host, "host.example");
  EXPECT_EQ(full->port, 8443);
  EXPECT_EQ(full->path, "a b/c");
  auto six = parse_authority("[::1]:22");
  ASSERT_TRUE(six);
  EXPECT_EQ(six->host, "[::1]");
  EXPECT_EQ(six->port, 22);
  EXPECT_EQ(six->path, "");
}

TEST(Uri, AuthoritiesThatCannotWorkAreRefused) {
  for (const char* bad : {"", "/path", "user@/x", "host:0", "host:99999", "host:x", "host:", "ho st/x",
                          "-oProxyCommand=x", "host\n/x"}) {
    EXPECT_EQ(parse_authority(bad).code(), Code::kInvalid) << bad;
  }
  auto secret = parse_authority("anna:geheim@host/x");
  ASSERT_FALSE(secret);
  EXPECT_NE(secret.status().message().find("credentials_file"), std::string::npos);
  EXPECT_EQ(secret.status().message().find("geheim"), std::string::npos);
}

}  // namespace
}  // namespace shoebox
