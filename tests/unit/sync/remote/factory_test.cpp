#include "sync/remote/factory.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/s3_url.h"

namespace shoebox {
namespace {

RemoteSettings remote(const std::string& url, const std::string& endpoint = "") {
  RemoteSettings settings;
  settings.name = "nas";
  settings.url = url;
  settings.endpoint = endpoint;
  return settings;
}

std::string refusal(const RemoteSettings& settings) {
  auto made = make_remote(settings);
  EXPECT_FALSE(made) << settings.url;
  if (made) return "";
  EXPECT_EQ(made.code(), Code::kInvalid);
  EXPECT_NE(made.status().message().find("\"nas\""), std::string::npos) << made.status().message();
  return made.status().message();
}

TEST(Factory, MakesEachKind) {
  for (const char* url :
       {"file:///mnt/nas/photos", "file://localhost/mnt/My%20Photos/", "s3://bucket", "s3://bucket/a/b/",
        "davs://host", "davs://anna@host:8443/remote.php/dav/files/anna/My%20Photos/", "dav://127.0.0.1/x",
        "sftp://host/srv/photos", "sftp://anna@[::1]:2222/~/photos"}) {
    auto made = make_remote(remote(url));
    ASSERT_TRUE(made) << url << ": " << made.status().message();
    EXPECT_EQ((*made)->name(), "nas");
  }
}

TEST(Factory, RefusesUrlsThatCannotWorkAndSaysWhatToWrite) {
  EXPECT_NE(refusal(remote("")).find("file:///"), std::string::npos);
  EXPECT_NE(refusal(remote("/mnt/nas")).find("file:///mnt/nas"), std::string::npos);
  EXPECT_NE(refusal(remote("ftp://x/y")).find("no known kind"), std::string::npos);
  EXPECT_NE(refusal(remote("file://mnt/nas")).find("absolute"), std::string::npos);
  EXPECT_NE(refusal(remote("file:///")).find("root"), std::string::npos);
  refusal(remote("file:///a/../b"));
  refusal(remote("file:///a//b"));
  refusal(remote("file:///a/%2e%2e/b"));
  EXPECT_NE(refusal(remote("s3://")).find("bucket"), std::string::npos);
  refusal(remote("s3://ab"));
  refusal(remote("s3://bucket/../x"));
  refusal(remote("s3://bu%20cket"));
  EXPECT_NE(refusal(remote("davs:///path")).find("host"), std::string::npos);
  EXPECT_NE(refusal(remote("davs://anna:pw@host/path")).find("credentials_file"), std::string::npos);
  refusal(remote("davs://host/a/../b"));
  refusal(remote("davs://host:0/a"));
  EXPECT_NE(refusal(remote("sftp://host")).find("/~/folder"), std::string::npos);
  refusal(remote("sftp://host/a//b"));
  refusal(remote("sftp://-oProxyCommand=x/a"));
}

TEST(Factory, RefusesEndpointsThatCannotWork) {
  for (const char* endpoint :
       {"host:9000", "ftp://host", "https://", "https://user:pw@host", "https://host/path", "https://host:0",
        "https://host:99999", "https://host:abc", "https://ho st"}) {
    EXPECT_NE(refusal(remote("s3://bucket", endpoint)).find("endpoint"), std::string::npos) << endpoint;
  }
  RemoteSettings settings = remote("s3://bucket");
  settings.region = "eu central";
  refusal(settings);
  settings = remote("s3://my.bucket", "https://host");
  settings.path_style = false;
  EXPECT_NE(refusal(settings).find("path_style = true"), std::string::npos);
}

TEST(Factory, AMissingAuthorityFileIsToldAtOnce) {
  RemoteSettings settings = remote("s3://bucket");
  settings.ca_file = "/nonexistent/ca.pem";
  for (const char* url : {"s3://bucket", "davs://host/path"}) {
    settings.url = url;
    auto made = make_remote(settings);
    ASSERT_FALSE(made);
    EXPECT_NE(made.status().message().find("ca_file"), std::string::npos);
  }
}

TEST(S3Place, KnowsUrlsOfBothStyles) {
  ::unsetenv("AWS_ENDPOINT_URL");
  auto place = parse_s3_place(remote("s3://bucket/pre fix/", "http://Host:9000/"));
  ASSERT_TRUE(place) << place.status().message();
  EXPECT_EQ(place->prefix, "pre fix/");
  EXPECT_EQ(place->host_header(), "host:9000");
  EXPECT_EQ(place->url("a b+c", {{"x", "1 2"}}), "http://host:9000/bucket/a%20b%2Bc?x=1%202");
  EXPECT_EQ(place->url("", {}), "http://host:9000/bucket");
  place->path_style = false;
  EXPECT_EQ(place->url("a", {}), "http://bucket.host:9000/a");
  EXPECT_EQ(place->url("", {}), "http://bucket.host:9000/");
}

TEST(S3Place, TakesTheEndpointOfTheEnvironmentElseAws) {
  ::unsetenv("AWS_ENDPOINT_URL");
  RemoteSettings settings = remote("s3://bucket");
  settings.region = "eu-central-1";
  EXPECT_EQ(parse_s3_place(settings)->host, "s3.eu-central-1.amazonaws.com");
  ::setenv("AWS_ENDPOINT_URL", "https://[::1]:443", 1);
  EXPECT_EQ(parse_s3_place(settings)->host, "[::1]") << "the scheme's own port is left out, as in Host";
  settings.endpoint = "https://mine";
  EXPECT_EQ(parse_s3_place(settings)->host, "mine");
  ::unsetenv("AWS_ENDPOINT_URL");
}

TEST(Checks, KeysArePlainPaths) {
  for (const char* good : {"a", "a/b", "..a", "a b/.c", "\xff"}) EXPECT_TRUE(check_key(good)) << good;
  for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "../a", "a/./b"}) {
    EXPECT_EQ(check_key(bad).code(), Code::kInvalid) << bad;
  }
  EXPECT_EQ(check_key(std::string_view("a\0b", 3)).code(), Code::kInvalid);
  EXPECT_EQ(check_key(std::string(1025, 'a')).code(), Code::kNameTooLong);
}

TEST(Checks, KnowsUtf8) {
  for (const char* good : {"", "abc", "\xc3\xbc", "\xe2\x98\x83", "\xf0\x9f\x93\xb7"})
    EXPECT_TRUE(is_utf8(good));
  for (const char* bad :
       {"\xff", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x98"}) {
    EXPECT_FALSE(is_utf8(bad));
  }
}

}  // namespace
}  // namespace shoebox
