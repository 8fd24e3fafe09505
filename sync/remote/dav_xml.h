// The XML of WebDAV: what is asked with PROPFIND, and the multistatus that answers it (RFC 4918).
// Answers are untrusted: bounded by the transfer loop, without DTDs and entities of their own, and of
// the expected kind, or refused with kUnavailable (a proxy's page is no answer of the remote).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"
#include "sync/remote/folder_server.h"

namespace shoebox {

// The body of every PROPFIND: type, size, etag, time, and the checksums of ownCloud and rclone.
std::string_view dav_propfind_body();

struct DavMember {
  std::string path;   // decoded path on the server, no slash at its end
  bool plain = true;  // false: a name in it contains an encoded slash or NUL, which no key can hold
  FileFacts facts;
};
// kUnavailable as well when a member lacks its type or size, or has a status of its own that is no
// success: then the answer is not complete.
Result<std::vector<DavMember>> parse_multistatus(std::string_view xml);

// One line of what an error answer says (Nextcloud's and Sabre's message); "" for anything else.
std::string dav_error_message(std::string_view xml);

}  // namespace shoebox
