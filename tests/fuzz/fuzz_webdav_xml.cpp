// Answers of WebDAV servers.
#include <algorithm>

#include "sync/remote/dav_xml.h"
#include "target.h"

namespace shoebox::fuzz {
namespace {

std::vector<std::string> seeds() {
  return {
      "<?xml version=\"1.0\"?><D:multistatus xmlns:D=\"DAV:\" xmlns:oc=\"http://owncloud.org/ns\">"
      "<D:response><D:href>http://nas/my%20photos/a%26b.jpg</D:href><D:propstat><D:prop><D:resourcetype/>"
      "<D:getcontentlength>1234</D:getcontentlength><D:getetag>W/\"4d2\"</D:getetag>"
      "<D:getlastmodified>Mon, 12 Oct 2009 17:50:30 GMT</D:getlastmodified><oc:checksums><oc:checksum>"
      "SHA1:aa MD5:d41d8cd98f00b204e9800998ecf8427e</oc:checksum></oc:checksums></D:prop>"
      "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>",
      "<d:multistatus xmlns:d=\"DAV:\"><d:response><d:href>/a/</d:href><d:propstat><d:prop><d:resourcetype>"
      "<d:collection/></d:resourcetype></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>"
      "<d:status>HTTP/1.1 507\nfull</d:status></d:response></d:multistatus>",
      "<d:error xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\"><s:message>no "
      "space</s:message></d:error>"};
}

void run(std::string_view bytes) {
  for (const char c : dav_error_message(bytes)) {
    holds(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "people see it as one line");
  }
  const auto members = parse_multistatus(bytes);
  if (!members) return refused_well(members.status(), {Code::kUnavailable});
  for (const DavMember& member : *members) {
    holds(!member.path.ends_with('/') || !member.plain, "a path has no slash at its end");
    const bool nul = member.path.find('\0') != std::string::npos;
    holds(!(member.plain && nul), "a name with a NUL is no plain one");
    holds(!member.facts.is_folder || member.facts.size == 0, "a folder has no size");
  }
}

}  // namespace

const Target kWebdavXml{"webdav_xml", seeds, run};

}  // namespace shoebox::fuzz
