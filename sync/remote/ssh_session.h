// One SSH connection with an SFTP channel on it, over libssh: connected, its host key known, logged in.
//
// Host keys are checked against known_hosts, always: an unknown or changed one is refused with what to
// run. The login: the key that the settings name; else the agent and the keys of ~/.ssh; else a password.
// ~/.ssh/config is not read: what counts stands in shoebox.toml.
//
// Threads: one at a time. cut() may be called from any other while the session lives.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/login.h"
#include "sync/remote/remote.h"
#include "sync/remote/sftp_url.h"

namespace shoebox {

struct SshKeys {
  std::string identity_file;  // "": agent and ~/.ssh
  std::string known_hosts;    // "": ~/.ssh/known_hosts
};

// Whether the key is there, nobody else's to read, and opens with the passphrase of `login`, if it needs one.
Status check_identity(const std::string& identity_file, const Login& login);

class SshSession {
 public:
  SshSession();
  ~SshSession();
  SshSession(const SshSession&) = delete;
  SshSession& operator=(const SshSession&) = delete;

  // A TCP connection, so that cut() has something to cut; 10 s at most.
  Status connect(const SftpPlace& place, const RequestContext& context);
  // Handshake, host key, login, and the subsystem "sftp". REQUIRES: connect() was ok.
  Status open_sftp(const SftpPlace& place, const SshKeys& keys, const Login& login);

  // All bytes, or kUnavailable.
  Status write(std::string_view bytes);
  Status read(char* buffer, size_t bytes);
  // Ends whatever waits in this session.
  void cut() const;

 private:
  struct State;

  Status check_host_key(const SftpPlace& place, const SshKeys& keys);
  Status log_in(const SftpPlace& place, const SshKeys& keys, const Login& login);
  Status try_identity(const SshKeys& keys, const Login& login, bool* accepted);
  bool try_password(const Login& login, int methods);
  [[nodiscard]] Status broken(std::string_view what) const;

  const std::unique_ptr<State> state_;
};

}  // namespace shoebox
