#include "sync/remote/login.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/settings.h"
#include "sync/remote/credentials.h"

namespace shoebox {

Result<Login> parse_login(const std::string& text, const std::string& origin) {
  Login login;
  SHOEBOX_TRY(parse_secrets(
      text, origin,
      {{"user", &login.user}, {"password", &login.password}, {"passphrase", &login.passphrase}}));
  for (const std::string* value : {&login.user, &login.password, &login.passphrase}) {
    const auto is_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
    if (std::any_of(value->begin(), value->end(), is_control)) {
      return Status(Code::kUnauthorized, origin + ": a value contains a control character");
    }
  }
  if (login == Login{}) {
    return Status(Code::kUnauthorized, origin + ": has none of user, password and passphrase");
  }
  return login;
}

namespace {

Result<Login> load_login(const std::string& file, const std::string& command, const std::string& url_user) {
  Login login;
  if (!file.empty()) {
    SHOEBOX_ASSIGN(const std::string text, read_private_file(file, "credentials_file"));
    SHOEBOX_ASSIGN(login, parse_login(text, file));
  } else if (!command.empty()) {
    SHOEBOX_ASSIGN(const std::string text, run_secret_command(command, "credentials_command"));
    SHOEBOX_ASSIGN(login, parse_login(text, "credentials_command"));
  }
  if (login.user.empty()) login.user = url_user;
  return login;
}

}  // namespace

LoginSource::LoginSource(const RemoteSettings& settings, std::string url_user)
    : KeptSecret(settings.name, [file = settings.credentials_file, command = settings.credentials_command,
                                 user = std::move(url_user)] { return load_login(file, command, user); }) {}

}  // namespace shoebox
