#include "sync/remote/sftp_url.h"

#include <fmt/format.h>

#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/uri.h"

namespace shoebox {

Result<SftpPlace> parse_sftp_place(const RemoteSettings& settings) {
  const auto wrong = [&](std::string_view why) {
    return Status(Code::kInvalid,
                  fmt::format("remote \"{}\": url \"{}\" {}", settings.name, settings.url, why));
  };
  auto parsed = parse_authority(std::string_view(settings.url).substr(std::string_view("sftp://").size()));
  if (!parsed) return wrong(parsed.status().message());
  SftpPlace place;
  place.host = parsed->host;
  if (place.host.starts_with('[') && place.host.ends_with(']')) {
    place.host = place.host.substr(1, place.host.size() - 2);
  }
  if (parsed->port != 0) place.port = parsed->port;
  place.user = parsed->user;
  const std::string& path = parsed->path;
  if (path.empty())
    return wrong("names no folder; write sftp://host/folder, or /~/folder for one in the home");
  if (!check_key(path)) return wrong("has a path that is no plain path");
  place.root = path == "~" ? "." : path.starts_with("~/") ? path.substr(2) : "/" + path;
  const std::string port = parsed->port == 0 ? "" : fmt::format(":{}", parsed->port);
  place.text = fmt::format("sftp://{}{}/{}", parsed->host, port, path);
  return place;
}

std::string SftpPlace::whole_path(std::string_view path_below) const {
  return path_below.empty() ? root : fmt::format("{}/{}", root, path_below);
}

}  // namespace shoebox
