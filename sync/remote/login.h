// User name and password of WebDAV and SFTP remotes, and the passphrase of an SSH key: from a file of its
// own (0600) or a command, whichever the settings name. Never logged, never in a message.
//
// Threads: any. A command runs at most once at a time, for 15 s at most.
#pragma once

#include <string>

#include "store/base/result.h"
#include "sync/remote/kept_secret.h"

namespace shoebox {

struct RemoteSettings;

struct Login {
  std::string user;
  std::string password;
  std::string passphrase;  // of the SSH key
  bool operator==(const Login&) const = default;
};

// Lines `user = "…"`, `password = "…"`, `passphrase = "…"`, at least one; '#' begins a comment.
// `origin` is named in errors, with the line, never with what stands in it.
Result<Login> parse_login(const std::string& text, const std::string& origin);

// Empty fields where the settings say nothing.
class LoginSource final : public KeptSecret<Login> {
 public:
  // `url_user`: counts where file or command name no user.
  LoginSource(const RemoteSettings& settings, std::string url_user);
};

}  // namespace shoebox
