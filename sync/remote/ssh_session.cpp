#include "sync/remote/ssh_session.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <libssh/libssh.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "store/base/file_io.h"
#include "sync/remote/checks.h"

namespace shoebox {
namespace {

constexpr std::chrono::seconds kConnectTime{10};  // as TransferLimits::connect
constexpr long kUnlimited_s = 24 * 3600;          // whoever watches the session cuts it sooner

std::string user_of_this_process() {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  if (::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found) != 0 || found == nullptr)
    return "";
  return found->pw_name;
}

// Until connected, given up or late. A refused address leaves its errno.
Status wait_connected(int fd, std::chrono::steady_clock::time_point deadline, const RequestContext& context) {
  constexpr int kLook_ms = 50;
  for (;;) {
    SHOEBOX_TRY(check_wanted(context));
    if (std::chrono::steady_clock::now() >= deadline) return {Code::kUnavailable, "it does not answer"};
    pollfd ready{fd, POLLOUT, 0};
    const int n = ::poll(&ready, 1, kLook_ms);
    if (n < 0 && errno != EINTR) return {Code::kUnavailable, std::strerror(errno)};
    if (n <= 0) continue;
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length);
    return error == 0 ? Status::ok() : Status(Code::kUnavailable, std::strerror(error));
  }
}

std::string ssh_command(const SftpPlace& place, const SshKeys& keys) {
  std::string out = "ssh";
  if (!keys.known_hosts.empty()) out += fmt::format(" -o UserKnownHostsFile={}", keys.known_hosts);
  if (place.port != 22) out += fmt::format(" -p {}", place.port);
  return fmt::format("{} {}{}", out, place.user.empty() ? "" : place.user + "@", place.host);
}

std::string fingerprint(ssh_session session) {
  ssh_key key = nullptr;
  if (ssh_get_server_publickey(session, &key) != SSH_OK) return "?";
  unsigned char* hash = nullptr;
  size_t length = 0;
  std::string out = "?";
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &length) == 0) {
    if (char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, length)) {
      out = text;
      ssh_string_free_char(text);
    }
    ssh_clean_pubkey_hash(&hash);
  }
  ssh_key_free(key);
  return out;
}

// The caller frees the key.
Status load_identity(const std::string& file, const Login& login, ssh_key* key) {
  struct stat st {};
  if (::stat(file.c_str(), &st) != 0) {
    return {Code::kUnauthorized, fmt::format("identity_file {}: {}", file, std::strerror(errno))};
  }
  if ((st.st_mode & 0077) != 0) {
    return {Code::kUnauthorized,
            fmt::format("identity_file {} can be read by others (mode {:04o}); run: chmod 600 {}", file,
                        st.st_mode & 07777, file)};
  }
  const char* passphrase = login.passphrase.empty() ? nullptr : login.passphrase.c_str();
  if (ssh_pki_import_privkey_file(file.c_str(), passphrase, nullptr, nullptr, key) != SSH_OK) {
    return {
        Code::kUnauthorized,
        fmt::format("identity_file {} is no private key, or its passphrase in credentials_file is missing or "
                    "wrong",
                    file)};
  }
  return Status::ok();
}

}  // namespace

Status check_identity(const std::string& identity_file, const Login& login) {
  ssh_key key = nullptr;
  SHOEBOX_TRY(load_identity(identity_file, login, &key));
  ssh_key_free(key);
  return Status::ok();
}

struct SshSession::State {
  ssh_session session = nullptr;
  ssh_channel channel = nullptr;
  std::atomic<int> fd{-1};  // owned by the session once it is connected
};

SshSession::SshSession() : state_(std::make_unique<State>()) {}

SshSession::~SshSession() {
  if (state_->channel != nullptr) ssh_channel_free(state_->channel);
  if (state_->session != nullptr) {
    ssh_disconnect(state_->session);  // closes the socket
    ssh_free(state_->session);
  } else if (state_->fd >= 0) {
    ::close(state_->fd);
  }
}

void SshSession::cut() const {
  if (const int fd = state_->fd; fd >= 0) ::shutdown(fd, SHUT_RDWR);
}

Status SshSession::broken(std::string_view what) const {
  return {Code::kUnavailable, fmt::format("{}: {}", what, ssh_get_error(state_->session))};
}

Status SshSession::connect(const SftpPlace& place, const RequestContext& context) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* addresses = nullptr;
  const int error = ::getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &hints, &addresses);
  if (error != 0) {
    return {Code::kUnavailable, fmt::format("find the address of {}: {}", place.host, ::gai_strerror(error))};
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(addresses, ::freeaddrinfo);
  const auto deadline = std::chrono::steady_clock::now() + kConnectTime;
  Status connected(Code::kUnavailable, "it has no address");
  for (const addrinfo* at = addresses; at != nullptr; at = at->ai_next) {
    UniqueFd fd(::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, at->ai_protocol));
    if (!fd) continue;
    connected = ::connect(fd.get(), at->ai_addr, at->ai_addrlen) == 0 ? Status::ok()
                : errno == EINPROGRESS ? wait_connected(fd.get(), deadline, context)
                                       : Status(Code::kUnavailable, std::strerror(errno));
    if (connected.code() == Code::kCancelled || connected.code() == Code::kTimeout) return connected;
    if (!connected) continue;
    const int on = 1;
    ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    state_->fd = fd.release();
    return Status::ok();
  }
  return connected.with_context(fmt::format("connect to {} port {}", place.host, place.port));
}

Status SshSession::open_sftp(const SftpPlace& place, const SshKeys& keys, const Login& login) {
  ssh_session session = ssh_new();
  if (session == nullptr) return {Code::kIo, "out of memory"};
  state_->session = session;
  const bool no_config = false;
  const unsigned int port = place.port;
  int fd = state_->fd;
  ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no_config);
  ssh_options_set(session, SSH_OPTIONS_HOST, place.host.c_str());
  ssh_options_set(session, SSH_OPTIONS_PORT, &port);
  ssh_options_set(session, SSH_OPTIONS_FD, &fd);
  ssh_options_set(session, SSH_OPTIONS_TIMEOUT, &kUnlimited_s);
  const std::string user = !login.user.empty() ? login.user : user_of_this_process();
  ssh_options_set(session, SSH_OPTIONS_USER, user.c_str());
  if (!keys.known_hosts.empty()) ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, keys.known_hosts.c_str());
  if (ssh_connect(session) != SSH_OK) return broken("open an SSH connection");
  SHOEBOX_TRY(check_host_key(place, keys));
  SHOEBOX_TRY(log_in(place, keys, login));
  state_->channel = ssh_channel_new(session);
  if (state_->channel == nullptr) return {Code::kIo, "out of memory"};
  if (ssh_channel_open_session(state_->channel) != SSH_OK) return broken("open an SSH channel");
  if (ssh_channel_request_sftp(state_->channel) != SSH_OK) {
    return {Code::kUnavailable, fmt::format("{} offers no SFTP: {}", place.host, ssh_get_error(session))};
  }
  return Status::ok();
}

Status SshSession::check_host_key(const SftpPlace& place, const SshKeys& keys) {
  const std::string file = keys.known_hosts.empty() ? "~/.ssh/known_hosts" : keys.known_hosts;
  const std::string seen = fingerprint(state_->session);
  const std::string name = place.port == 22 ? place.host : fmt::format("[{}]:{}", place.host, place.port);
  switch (ssh_session_is_known_server(state_->session)) {
    case SSH_KNOWN_HOSTS_OK: return Status::ok();
    case SSH_KNOWN_HOSTS_CHANGED:
    case SSH_KNOWN_HOSTS_OTHER:
      return {
          Code::kUnauthorized,
          fmt::format("{} has another host key ({}) than {} says: somebody may stand between; if the server "
                      "was set up anew, run: ssh-keygen -f {} -R '{}', then: {}",
                      place.host, seen, file, file, name, ssh_command(place, keys))};
    case SSH_KNOWN_HOSTS_NOT_FOUND:
    case SSH_KNOWN_HOSTS_UNKNOWN:
      return {
          Code::kUnauthorized,
          fmt::format("the host key of {} is not in {}; run: {}, compare the fingerprint with the server's "
                      "(it shows {}) and answer yes",
                      place.host, file, ssh_command(place, keys), seen)};
    default: break;
  }
  return {Code::kUnauthorized, fmt::format("read {}: {}", file, ssh_get_error(state_->session))};
}

// `accepted` tells whether the server took the key. Fails when the key cannot be used at all.
Status SshSession::try_identity(const SshKeys& keys, const Login& login, bool* accepted) {
  ssh_key key = nullptr;
  SHOEBOX_TRY(load_identity(keys.identity_file, login, &key));
  *accepted = ssh_userauth_publickey(state_->session, nullptr, key) == SSH_AUTH_SUCCESS;
  ssh_key_free(key);
  return Status::ok();
}

bool SshSession::try_password(const Login& login, int methods) {
  if (login.password.empty()) return false;
  ssh_session session = state_->session;
  if ((methods & static_cast<int>(SSH_AUTH_METHOD_PASSWORD)) != 0 &&
      ssh_userauth_password(session, nullptr, login.password.c_str()) == SSH_AUTH_SUCCESS) {
    return true;
  }
  if ((methods & static_cast<int>(SSH_AUTH_METHOD_INTERACTIVE)) == 0) return false;
  constexpr int kMostRounds = 5;
  int outcome = ssh_userauth_kbdint(session, nullptr, nullptr);
  for (int round = 0; outcome == SSH_AUTH_INFO && round < kMostRounds; ++round) {
    // The one question that is not echoed is that for the password.
    char echo = 1;
    if (ssh_userauth_kbdint_getnprompts(session) == 1 &&
        (ssh_userauth_kbdint_getprompt(session, 0, &echo), echo == 0)) {
      ssh_userauth_kbdint_setanswer(session, 0, login.password.c_str());
    }
    outcome = ssh_userauth_kbdint(session, nullptr, nullptr);
  }
  return outcome == SSH_AUTH_SUCCESS;
}

Status SshSession::log_in(const SftpPlace& place, const SshKeys& keys, const Login& login) {
  ssh_session session = state_->session;
  const int none = ssh_userauth_none(session, nullptr);
  if (none == SSH_AUTH_SUCCESS) return Status::ok();
  if (none == SSH_AUTH_ERROR) return broken("log in");
  const int methods = ssh_userauth_list(session, nullptr);
  if ((methods & static_cast<int>(SSH_AUTH_METHOD_PUBLICKEY)) != 0) {
    bool accepted = false;
    if (!keys.identity_file.empty()) {
      SHOEBOX_TRY(try_identity(keys, login, &accepted));
    } else {
      const char* passphrase = login.passphrase.empty() ? nullptr : login.passphrase.c_str();
      accepted = ssh_userauth_publickey_auto(session, nullptr, passphrase) == SSH_AUTH_SUCCESS;
    }
    if (accepted) return Status::ok();
  }
  if (try_password(login, methods)) return Status::ok();
  if (ssh_is_connected(session) == 0) return broken("log in");
  return {Code::kUnauthorized,
          fmt::format(
              "{} refuses {}{}; check user, identity_file, the agent, or the password in credentials_file",
              place.host, keys.identity_file.empty() ? "the agent's and the default keys" : "the key",
              login.password.empty() ? "" : " and the password")};
}

Status SshSession::write(std::string_view bytes) {
  while (!bytes.empty()) {
    const int n = ssh_channel_write(state_->channel, bytes.data(), static_cast<uint32_t>(bytes.size()));
    if (n <= 0) return broken("the SSH connection broke");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return Status::ok();
}

Status SshSession::read(char* buffer, size_t bytes) {
  while (bytes > 0) {
    const int n = ssh_channel_read(state_->channel, buffer, static_cast<uint32_t>(bytes), 0);
    if (n <= 0) return broken("the SSH connection broke");
    buffer += n;
    bytes -= static_cast<size_t>(n);
  }
  return Status::ok();
}

}  // namespace shoebox
