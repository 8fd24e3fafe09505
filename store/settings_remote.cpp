// What a [[remote]] may be called, and where it may point to.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "store/settings.h"

namespace shoebox {

Status check_remote_url(const std::string& url) {
  const size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end == std::string::npos ? 0 : scheme_end);
  const std::string rest = scheme_end == std::string::npos ? "" : url.substr(scheme_end + 3);
  if (scheme == "file") {
    if (!rest.starts_with("/")) {
      return {Code::kInvalid,
              fmt::format("url \"{}\": a folder is written with three slashes, file:///mnt/nas", url)};
    }
    return Status::ok();
  }
  if (scheme == "s3") {
    const std::string bucket = rest.substr(0, rest.find('/'));
    if (bucket.find('@') != std::string::npos) {
      return {Code::kInvalid, "url: a secret does not belong into a url; use credentials_file"};
    }
    if (bucket.empty())
      return {Code::kInvalid, fmt::format("url \"{}\" names no bucket: s3://bucket/prefix", url)};
    return Status::ok();
  }
  if (scheme == "davs" || scheme == "dav" || scheme == "sftp") {
    const std::string server = rest.substr(0, rest.find('/'));
    const size_t at = server.rfind('@');
    if (at != std::string::npos && server.find(':') < at) {
      return {Code::kInvalid, "url: a password does not belong into a url; use credentials_file"};
    }
    if (server.empty() || at + 1 == server.size())
      return {Code::kInvalid, fmt::format("url \"{}\" names no host: {}://host/path", url, scheme)};
    return Status::ok();
  }
  return {Code::kInvalid,
          fmt::format("url \"{}\" is not understood; write file:///folder, s3://bucket/prefix, "
                      "davs://host/path or sftp://user@host/path",
                      url)};
}

Status check_remote_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (name.empty() || !plain || name.size() > 64) {
    return {Code::kInvalid,
            fmt::format("remote name \"{}\": use up to 64 letters, digits, '-', '_' and '.'", name)};
  }
  return Status::ok();
}

}  // namespace shoebox
