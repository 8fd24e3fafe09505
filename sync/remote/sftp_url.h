// sftp://user@host:port/path: which SFTP server and folder a remote is. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

struct RemoteSettings;

struct SftpPlace {
  std::string host;  // without brackets
  uint16_t port = 22;
  std::string user;  // "" when the url names none
  std::string root;  // "/srv/photos"; "photos" or "." below the home folder, written /~/photos or /~
  std::string text;  // "sftp://host/path", for messages

  // Path on the server of a path below the remote.
  [[nodiscard]] std::string whole_path(std::string_view path_below) const;
};

Result<SftpPlace> parse_sftp_place(const RemoteSettings& settings);

}  // namespace shoebox
