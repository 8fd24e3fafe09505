#include "sync/remote/dav_xml.h"

#include <gtest/gtest.h>

namespace shoebox {
namespace {

std::string wrapped(const std::string& responses) {
  return "<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\">" + responses + "</D:multistatus>";
}

std::string file(const std::string& href, const std::string& more = "") {
  return "<D:response><D:href>" + href +
         "</D:href><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>5</D:getcontentlength>" + more +
         "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>";
}

// The only member of a multistatus of one.
DavMember only(const std::string& xml) {
  auto members = parse_multistatus(xml);
  EXPECT_TRUE(members) << members.status().message();
  if (!members || members->size() != 1) {
    ADD_FAILURE() << "not one member";
    return {};
  }
  return members->front();
}

TEST(DavXml, ReadsApache) {
  const DavMember member = only(R"(<?xml version="1.0" encoding="utf-8"?>
<D:multistatus xmlns:D="DAV:" xmlns:ns1="http://owncloud.org/ns" xmlns:ns0="DAV:">
<D:response xmlns:lp1="DAV:" xmlns:lp2="http://apache.org/dav/props/">
<D:href>/my%20photos/a%26b.jpg</D:href>
<D:propstat>
<D:prop>
<lp1:resourcetype/>
<lp1:getcontentlength>1234</lp1:getcontentlength>
<lp1:getetag>"4d2-5f0c"</lp1:getetag>
<lp1:getlastmodified>Mon, 12 Oct 2009 17:50:30 GMT</lp1:getlastmodified>
</D:prop>
<D:status>HTTP/1.1 200 OK</D:status>
</D:propstat>
<D:propstat><D:prop><ns1:checksums/></D:prop><D:status>HTTP/1.1 404 Not Found</D:status></D:propstat>
</D:response>
</D:multistatus>)");
  EXPECT_EQ(member.path, "/my photos/a&b.jpg");
  EXPECT_TRUE(member.plain);
  EXPECT_FALSE(member.facts.is_folder);
  EXPECT_EQ(member.facts.size, 1234u);
  EXPECT_EQ(member.facts.etag, "4d2-5f0c");
  EXPECT_EQ(member.facts.modified_s, 1255369830);
  EXPECT_EQ(member.facts.md5, "");
}

TEST(DavXml, ReadsFoldersChecksumsAndWeakEtags) {
  const DavMember folder = only(
      "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>https://host/dav/x/</d:href><d:propstat><d:prop>"
      "<d:resourcetype><d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status>"
      "</d:propstat></d:response></d:multistatus>");
  EXPECT_TRUE(folder.facts.is_folder);
  EXPECT_EQ(folder.path, "/dav/x");
  const DavMember hashed = only(wrapped(file(
      "/x",
      "<D:getetag>W/\"e\"</D:getetag><oc:checksums><oc:checksum>SHA1:0a MD5:D41D8CD98F00B204E9800998ECF8427E "
      "ADLER32:1</oc:checksum></oc:checksums>")));
  EXPECT_EQ(hashed.facts.md5, "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(hashed.facts.sha256, "");
  EXPECT_EQ(hashed.facts.etag, "W/e");
}

TEST(DavXml, NamesThatNoKeyCanHoldAreMarked) {
  EXPECT_FALSE(only(wrapped(file("/photos/a%2Fb"))).plain);
  EXPECT_FALSE(only(wrapped(file("/photos/a%00b"))).plain);
  EXPECT_TRUE(only(wrapped(file("/photos/a%252Fb"))).plain);
}

TEST(DavXml, AnythingElseIsNoAnswerRatherThanAnEmptyOne) {
  const std::string good = wrapped(file("/a"));
  for (size_t cut = 1; cut < good.size(); ++cut) {
    EXPECT_EQ(parse_multistatus(good.substr(0, cut)).code(), Code::kUnavailable) << cut;
  }
  for (const std::string& bad : {
           std::string(),
           std::string("<html><body>Please log in</body></html>"),
           std::string("not xml"),
           wrapped("<D:response><D:href>/a</D:href><D:status>HTTP/1.1 507 Full</D:status></D:response>"),
           wrapped("<D:response><D:href>/a</D:href><D:status>HTTP/1.1 404 Gone</D:status></D:response>"),
           wrapped("<D:response><D:href>/a</D:href></D:response>"),
           wrapped(
               "<D:response><D:propstat><D:prop><D:resourcetype/><D:getcontentlength>5</D:getcontentlength>"
               "</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"),
           wrapped("<D:response><D:href>/a</D:href><D:propstat><D:prop><D:resourcetype/>"
                   "<D:getcontentlength>5</D:getcontentlength></D:prop><D:status>HTTP/1.1 403 "
                   "Forbidden</D:status>"
                   "</D:propstat></D:response>"),
           wrapped("<D:response><D:href>/a</D:href><D:propstat><D:prop><D:resourcetype/>"
                   "<D:getcontentlength>-5</D:getcontentlength></D:prop><D:status>HTTP/1.1 200 OK</D:status>"
                   "</D:propstat></D:response>"),
       }) {
    EXPECT_EQ(parse_multistatus(bad).code(), Code::kUnavailable) << bad;
  }
}

TEST(DavXml, EntitiesOfTheServerAreNotExpanded) {
  const std::string bomb =
      "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aaaaaaaa\"><!ENTITY b SYSTEM "
      "\"file:///etc/passwd\">]>" +
      wrapped(file("/photos/&a;&b;")).substr(std::string("<?xml version=\"1.0\"?>").size());
  auto members = parse_multistatus(bomb);
  if (members) {
    EXPECT_EQ(members->front().path, "/photos/&a;&b;");
  } else {
    EXPECT_EQ(members.code(), Code::kUnavailable);
  }
}

TEST(DavXml, DeepNestingEndsWithAnAnswer) {
  std::string deep;
  for (int i = 0; i < 200'000; ++i) deep += "<D:a>";
  EXPECT_EQ(parse_multistatus(wrapped(deep)).code(), Code::kUnavailable);
}

TEST(DavXml, ErrorsAreShownOnOneLine) {
  EXPECT_EQ(dav_error_message("<d:error xmlns:d=\"DAV:\"><s:exception>X</s:exception><s:message>System in\n"
                              "maintenance mode.</s:message></d:error>"),
            "System in maintenance mode.");
  EXPECT_EQ(dav_error_message("<html/>"), "");
  EXPECT_EQ(
      dav_error_message("<d:error><s:message>" + std::string(5000, 'x') + "</s:message></d:error>").size(),
      200u);
}

}  // namespace
}  // namespace shoebox
