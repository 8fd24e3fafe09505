#include "sync/remote/credentials.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "store/base/file_io.h"
#include "store/settings.h"
#include "store/settings_keys.h"

namespace shoebox {
namespace {

constexpr size_t kMaxBytes = 64 << 10;  // session tokens are a few KiB
constexpr std::chrono::seconds kCommandTime{15};

std::string_view trim(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

Result<Credentials> complete(Credentials credentials, const std::string& origin) {
  for (const auto& [value, name] :
       {std::pair(&credentials.access_key, "access_key"), std::pair(&credentials.secret_key, "secret_key")}) {
    if (value->empty()) return Status(Code::kUnauthorized, fmt::format("{}: {} is missing", origin, name));
  }
  // They go into headers: a line break in them would be somebody's trick.
  for (const std::string* value :
       {&credentials.access_key, &credentials.secret_key, &credentials.session_token}) {
    for (const char c : *value) {
      if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7f) {
        return Status(Code::kUnauthorized, origin + ": a key contains a blank or a control character");
      }
    }
  }
  return credentials;
}

Result<Credentials> parse_process_json(const std::string& text, const std::string& origin) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return Status(Code::kUnauthorized, origin + ": its output is no JSON object");
  const auto field = [&](const char* name) {
    const auto at = json.find(name);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  return complete({field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken")}, origin);
}

// Reads until the command closes its output or time is up.
Result<std::string> read_output(int fd, const std::string& origin) {
  const auto deadline = std::chrono::steady_clock::now() + kCommandTime;
  std::string output;
  output.reserve(kMaxBytes);  // a secret is not left behind where the text grew
  char buffer[4096];
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{fd, POLLIN, 0};
    const int n = left.count() > 0 ? ::poll(&ready, 1, static_cast<int>(left.count())) : 0;
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      return Status(Code::kUnauthorized, fmt::format("{} took over {} s", origin, kCommandTime.count()));
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Status::from_errno(errno, origin);
    if (got == 0) return output;
    output.append(buffer, static_cast<size_t>(got));
    if (output.size() > kMaxBytes) return Status(Code::kUnauthorized, origin + " printed too much");
  }
}

}  // namespace

Status parse_secrets(const std::string& text, const std::string& origin, const SecretFields& fields) {
  int number = 0;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trim(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    ++number;
    if (line.empty() || line.front() == '#') continue;
    const size_t equals = line.find('=');
    const std::string_view name = trim(line.substr(0, equals));
    std::string_view value =
        equals == std::string_view::npos ? std::string_view() : trim(line.substr(equals + 1));
    if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
        value.back() == value.front()) {
      value = value.substr(1, value.size() - 2);
    }
    const auto field =
        std::find_if(fields.begin(), fields.end(), [&](const auto& f) { return f.first == name; });
    if (field == fields.end() || equals == std::string_view::npos) {
      std::string expected;
      for (const auto& [known, target] : fields) {
        if (!expected.empty()) expected += known == fields.back().first ? " or " : ", ";
        expected += fmt::format("{} = \"…\"", known);
      }
      // The word itself is told only as the key that it nearly is: else it may be the secret.
      std::vector<std::string_view> keys;
      for (const auto& [known, target] : fields) keys.push_back(known);
      const std::string_view meant = equals == std::string_view::npos ? "" : nearest(name, keys);
      return {Code::kUnauthorized,
              fmt::format("{}:{}: expected {}{}", origin, number, expected,
                          meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant))};
    }
    *field->second = value;
  }
  return Status::ok();
}

Result<Credentials> parse_credentials(const std::string& text, const std::string& origin) {
  Credentials credentials;
  SHOEBOX_TRY(parse_secrets(text, origin,
                            {{"access_key", &credentials.access_key},
                             {"secret_key", &credentials.secret_key},
                             {"session_token", &credentials.session_token}}));
  return complete(std::move(credentials), origin);
}

Result<Credentials> read_credentials_file(const std::string& path) {
  SHOEBOX_ASSIGN(const std::string text, read_private_file(path, "credentials_file"));
  return parse_credentials(text, path);
}

Result<std::string> read_private_file(const std::string& path, const std::string& what) {
  auto fd = open_file(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return Status(Code::kUnauthorized, fmt::format("{}: {}", what, fd.status().message()));
  struct stat st {};
  if (::fstat(fd->get(), &st) != 0) return Status::from_errno(errno, "stat " + path);
  if (!S_ISREG(st.st_mode)) return Status(Code::kUnauthorized, path + " is no regular file");
  if ((st.st_mode & 0077) != 0) {
    return Status(Code::kUnauthorized,
                  fmt::format("{} can be read by others (mode {:04o}); run: chmod 600 {}", path,
                              st.st_mode & 07777, path));
  }
  std::string text(kMaxBytes, '\0');
  SHOEBOX_ASSIGN(const size_t size, pread_full(fd->get(), text.data(), text.size(), 0));
  text.resize(size);
  return text;
}

Result<Credentials> run_credentials_command(const std::string& command) {
  const std::string origin = "credentials_command";
  SHOEBOX_ASSIGN(const std::string text, run_secret_command(command, origin));
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') return parse_process_json(text, origin);
  return parse_credentials(text, origin);
}

Result<std::string> run_secret_command(const std::string& command, const std::string& origin) {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) != 0) return Status::from_errno(errno, origin);
  UniqueFd output(ends[0]);
  UniqueFd input(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&actions, input.get(), 1);
  // A process group, so that what the shell started ends with it.
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const char* const argv[] = {"sh", "-c", command.c_str(), nullptr};
  pid_t pid = 0;
  const int error =
      ::posix_spawn(&pid, "/bin/sh", &actions, &attributes, const_cast<char* const*>(argv), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return Status::from_errno(error, origin);
  input.reset();
  auto text = read_output(output.get(), origin);
  if (!text) ::kill(-pid, SIGKILL);
  output.reset();
  int state = 0;
  // One that closed its output and lingers gets a second, then ends as well.
  for (int turn = 0; ::waitpid(pid, &state, WNOHANG) == 0; ++turn) {
    if (turn == 50) ::kill(-pid, SIGKILL);
    ::poll(nullptr, 0, 20);
  }
  if (!text) return text.status();
  if (!WIFEXITED(state) || WEXITSTATUS(state) != 0) {
    return Status(Code::kUnauthorized,
                  WIFEXITED(state) ? fmt::format("{} failed with exit status {}", origin, WEXITSTATUS(state))
                                   : fmt::format("{} was killed by signal {}", origin, WTERMSIG(state)));
  }
  return text;
}

Result<Credentials> environment_credentials() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::string(value != nullptr ? value : "");
  };
  Credentials credentials{variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY"),
                          variable("AWS_SESSION_TOKEN")};
  if (credentials.access_key.empty() || credentials.secret_key.empty()) {
    return Status(Code::kUnauthorized,
                  "no credentials: set credentials_file or credentials_command in its [[remote]], or "
                  "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  return complete(std::move(credentials), "AWS_* variables");
}

CredentialsSource::CredentialsSource(const RemoteSettings& settings)
    : KeptSecret(settings.name,
                 [file = settings.credentials_file,
                  command = settings.credentials_command]() -> Result<Credentials> {
                   if (!file.empty()) return read_credentials_file(file);
                   if (!command.empty()) return run_credentials_command(command);
                   return environment_credentials();
                 }) {}

}  // namespace shoebox
