// davs://user@host:port/path: where each file of a WebDAV remote is. Pure.
#pragma once

#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

struct RemoteSettings;

struct DavPlace {
  std::string scheme;  // "https", or "http" where the owner wrote dav://
  std::string host;    // with the port, when one was given
  std::string path;    // "" or "/remote.php/dav/files/anna/Photos", decoded, no slash at its end
  std::string user;    // "" when the url names none
  std::string text;    // "davs://host/path", for messages

  // Decoded path on the server of a path below the remote.
  [[nodiscard]] std::string whole_path(std::string_view path_below) const;
  // Folders get a slash at their end: servers redirect without it.
  [[nodiscard]] std::string url(std::string_view path_below, bool is_folder) const;
  // Where Nextcloud takes uploads in chunks ("/remote.php/dav/uploads/anna"); "" on other servers.
  [[nodiscard]] std::string chunk_folder() const;
  [[nodiscard]] std::string url_of_whole(std::string_view whole_path) const;
};

Result<DavPlace> parse_dav_place(const RemoteSettings& settings);

}  // namespace shoebox
