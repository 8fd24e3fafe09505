#include "sync/remote/crypt_passphrase.h"

#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/file_io.h"
#include "store/settings.h"
#include "sync/remote/credentials.h"

namespace shoebox {
namespace {

constexpr size_t kMostTyped = 1024;

// The first line; what follows may be a comment, and editors end a file with a line break.
SecretText first_line(std::string&& text) {
  const SecretText all(std::move(text));
  std::string_view line = all.view().substr(0, all.view().find('\n'));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return SecretText(std::string(line));
}

Result<SecretText> read_secret(const std::string& file, const std::string& command, const std::string& name) {
  auto text = !file.empty() ? read_private_file(file, name + "_file")
                            : run_secret_command(command, name + "_command");
  if (!text) return text.status();
  SecretText secret = first_line(std::move(*text));
  if (secret.view().empty()) {
    return Status(Code::kUnauthorized, fmt::format("{} has no {} on its first line",
                                                   file.empty() ? name + "_command" : file, name));
  }
  return secret;
}

// No echo while it lives; what was typed ahead is dropped.
class SilentTerminal {
 public:
  SilentTerminal() : works_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!works_) return;
    termios silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    silent.c_lflag |= ICANON | ECHONL;
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  ~SilentTerminal() {
    if (works_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  SilentTerminal(const SilentTerminal&) = delete;
  SilentTerminal& operator=(const SilentTerminal&) = delete;

 private:
  termios before_{};
  const bool works_;
};

}  // namespace

bool has_passphrase_source(const RemoteSettings& settings) {
  return !settings.passphrase_file.empty() || !settings.passphrase_command.empty();
}

Result<std::shared_ptr<const CryptKeys>> crypt_keys_of(const RemoteSettings& settings,
                                                       const SecretText& passphrase) {
  SecretText salt;
  if (!settings.salt_file.empty() || !settings.salt_command.empty()) {
    SHOEBOX_ASSIGN(salt, read_secret(settings.salt_file, settings.salt_command, "salt"));
  }
  return CryptKeys::derive(passphrase.view(), salt.view());
}

Result<std::shared_ptr<const CryptKeys>> read_crypt_keys(const RemoteSettings& settings) {
  if (!has_passphrase_source(settings)) {
    return Status(Code::kUnauthorized,
                  "no passphrase: name a passphrase_file or passphrase_command in its [[remote]], or mount "
                  "from a terminal");
  }
  SHOEBOX_ASSIGN(const SecretText passphrase,
                 read_secret(settings.passphrase_file, settings.passphrase_command, "passphrase"));
  return crypt_keys_of(settings, passphrase);
}

Result<SecretText> ask_passphrase(const std::string& question) {
  const SilentTerminal silent;  // first: what is typed as soon as the question shows must count
  SHOEBOX_TRY(write_full(STDERR_FILENO, question));
  std::string line(kMostTyped, '\0');
  ssize_t got = 0;
  do {
    got = ::read(STDIN_FILENO, line.data(), line.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return Status::from_errno(errno, "read the passphrase");
  line.resize(static_cast<size_t>(got));
  return first_line(std::move(line));
}

}  // namespace shoebox
