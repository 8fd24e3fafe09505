// User name and password of WebDAV and SFTP remotes, and the passphrase of an SSH key: from a file of its
// own (0600) or a command, whichever the settings name. Never logged, never in a message.
//
// Threads: any. A command runs at most once at a time, for 15 s at most.
#pragma once

#include <optional>
#include <string>

#include "store/base/mutex.h"
#include "store/base/result.h"

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

class LoginSource {
 public:
  // `url_user`: counts where file or command name no user.
  LoginSource(const RemoteSettings& settings, std::string url_user);
  // Empty fields where the settings say nothing.
  Result<Login> get() EXCLUDES(mutex_);
  // The remote refused `used`: the next get() reads anew, unless somebody did already.
  void refused(const Login& used) EXCLUDES(mutex_);

 private:
  [[nodiscard]] Result<Login> load() const;

  const std::string name_;
  const std::string file_;
  const std::string command_;
  const std::string url_user_;
  Mutex mutex_;  // held over reading: others need the outcome as well
  std::optional<Login> cached_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
