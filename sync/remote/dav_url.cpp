#include "sync/remote/dav_url.h"

#include <fmt/format.h>

#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/uri.h"

namespace shoebox {

Result<DavPlace> parse_dav_place(const RemoteSettings& settings) {
  const auto wrong = [&](std::string_view why) {
    return Status(Code::kInvalid,
                  fmt::format("remote \"{}\": url \"{}\" {}", settings.name, settings.url, why));
  };
  const bool tls = settings.url.starts_with("davs://");
  const size_t begin = settings.url.find("://") + 3;
  auto parsed = parse_authority(std::string_view(settings.url).substr(begin));
  if (!parsed) return wrong(parsed.status().message());
  if (!parsed->path.empty() && !check_key(parsed->path)) return wrong("has a path that is no plain path");
  if (parsed->path.size() > 512) return wrong("has a path that leaves no room for keys (over 512 bytes)");
  DavPlace place;
  place.scheme = tls ? "https" : "http";
  place.host = parsed->port == 0 ? parsed->host : fmt::format("{}:{}", parsed->host, parsed->port);
  place.path = parsed->path.empty() ? "" : "/" + parsed->path;
  place.user = parsed->user;
  place.text = fmt::format("{}://{}{}", tls ? "davs" : "dav", place.host, place.path);
  return place;
}

std::string DavPlace::whole_path(std::string_view path_below) const {
  return path_below.empty() ? path : fmt::format("{}/{}", path, path_below);
}

std::string DavPlace::url_of_whole(std::string_view whole_path) const {
  return fmt::format("{}://{}{}", scheme, host, uri_encode(whole_path, true));
}

std::string DavPlace::url(std::string_view path_below, bool is_folder) const {
  return url_of_whole(whole_path(path_below)) + (is_folder ? "/" : "");
}

std::string DavPlace::chunk_folder() const {
  constexpr std::string_view kFiles = "/remote.php/dav/files/";
  const size_t at = path.find(kFiles);
  if (at == std::string::npos) return "";
  const size_t user_begin = at + kFiles.size();
  const std::string name = path.substr(user_begin, path.find('/', user_begin) - user_begin);
  return name.empty() ? "" : fmt::format("{}/remote.php/dav/uploads/{}", path.substr(0, at), name);
}

}  // namespace shoebox
