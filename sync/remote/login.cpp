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

LoginSource::LoginSource(const RemoteSettings& settings, std::string url_user)
    : name_(settings.name),
      file_(settings.credentials_file),
      command_(settings.credentials_command),
      url_user_(std::move(url_user)) {}

Result<Login> LoginSource::load() const {
  Login login;
  if (!file_.empty()) {
    SHOEBOX_ASSIGN(const std::string text, read_private_file(file_, "credentials_file"));
    SHOEBOX_ASSIGN(login, parse_login(text, file_));
  } else if (!command_.empty()) {
    SHOEBOX_ASSIGN(const std::string text, run_secret_command(command_, "credentials_command"));
    SHOEBOX_ASSIGN(login, parse_login(text, "credentials_command"));
  }
  if (login.user.empty()) login.user = url_user_;
  return login;
}

Result<Login> LoginSource::get() {
  const MutexLock lock(mutex_);
  if (!cached_) {
    auto loaded = load();
    if (!loaded) return loaded.status().with_context(fmt::format("remote \"{}\"", name_));
    cached_ = std::move(loaded).value();
  }
  return *cached_;
}

void LoginSource::refused(const Login& used) {
  const MutexLock lock(mutex_);
  if (cached_ && *cached_ == used) cached_.reset();
}

}  // namespace shoebox
