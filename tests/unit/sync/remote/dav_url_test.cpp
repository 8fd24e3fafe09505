#include "sync/remote/dav_url.h"

#include <gtest/gtest.h>

#include "store/settings.h"
#include "sync/remote/sftp_url.h"

namespace shoebox {
namespace {

RemoteSettings at(const std::string& url) {
  RemoteSettings settings;
  settings.name = "nas";
  settings.url = url;
  return settings;
}

TEST(DavPlace, EncodesEveryByteOfAName) {
  auto place = parse_dav_place(at("davs://Anna@Host:8443/My%20Photos/"));
  ASSERT_TRUE(place) << place.status().message();
  EXPECT_EQ(place->user, "Anna");
  EXPECT_EQ(place->text, "davs://host:8443/My Photos");
  EXPECT_EQ(place->url("a b/50%?#;\xc3\xbc.jpg", false),
            "https://host:8443/My%20Photos/a%20b/50%25%3F%23%3B%C3%BC.jpg");
  EXPECT_EQ(place->url("", true), "https://host:8443/My%20Photos/");
  EXPECT_EQ(place->whole_path("a/b"), "/My Photos/a/b");
  auto root = parse_dav_place(at("dav://host"));
  ASSERT_TRUE(root);
  EXPECT_EQ(root->url("", true), "http://host/");
  EXPECT_EQ(root->url("a", false), "http://host/a");
  EXPECT_EQ(root->whole_path(""), "");
}

TEST(DavPlace, KnowsNextcloudByItsPath) {
  EXPECT_EQ(parse_dav_place(at("davs://h/remote.php/dav/files/anna/Photos"))->chunk_folder(),
            "/remote.php/dav/uploads/anna");
  EXPECT_EQ(parse_dav_place(at("davs://h/cloud/remote.php/dav/files/anna%40x"))->chunk_folder(),
            "/cloud/remote.php/dav/uploads/anna@x");
  EXPECT_EQ(parse_dav_place(at("davs://h/remote.php/webdav/Photos"))->chunk_folder(), "");
  EXPECT_EQ(parse_dav_place(at("davs://h/photos"))->chunk_folder(), "");
}

TEST(SftpPlace, PathsAreOfTheRootOrOfTheHome) {
  auto place = parse_sftp_place(at("sftp://anna@[::1]:2222/srv/My%20Photos"));
  ASSERT_TRUE(place) << place.status().message();
  EXPECT_EQ(place->host, "::1");
  EXPECT_EQ(place->port, 2222);
  EXPECT_EQ(place->whole_path("a/b"), "/srv/My Photos/a/b");
  EXPECT_EQ(place->whole_path(""), "/srv/My Photos");
  EXPECT_EQ(parse_sftp_place(at("sftp://host/~/photos"))->whole_path("a"), "photos/a");
  EXPECT_EQ(parse_sftp_place(at("sftp://host/~"))->whole_path("a"), "./a");
  EXPECT_EQ(parse_sftp_place(at("sftp://host/x"))->port, 22);
}

}  // namespace
}  // namespace shoebox
