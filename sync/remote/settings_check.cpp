#include "sync/remote/settings_check.h"

#include <fmt/format.h>

#include "store/settings.h"
#include "sync/remote/credentials.h"
#include "sync/remote/dav_url.h"
#include "sync/remote/factory.h"
#include "sync/remote/login.h"
#include "sync/remote/sftp_url.h"
#include "sync/remote/ssh_session.h"

namespace shoebox {
namespace {

bool names_credentials(const RemoteSettings& settings) {
  return !settings.credentials_file.empty() || !settings.credentials_command.empty();
}

Status check_s3(const RemoteSettings& settings, std::string& left_open) {
  const Status read = CredentialsSource(settings).get().status();
  if (read || names_credentials(settings)) return read;
  left_open = read.message() + ", for the mount";
  return Status::ok();
}

// A server without a login is somebody's choice; half a login is none.
Status check_dav(const RemoteSettings& settings) {
  SHOEBOX_ASSIGN(const DavPlace place, parse_dav_place(settings));
  SHOEBOX_ASSIGN(const Login login, LoginSource(settings, place.user).get());
  if (!names_credentials(settings) || (!login.user.empty() && !login.password.empty())) return Status::ok();
  return {Code::kUnauthorized,
          fmt::format("remote \"{}\": {}: {} is missing", settings.name,
                      settings.credentials_file.empty() ? "credentials_command" : settings.credentials_file,
                      login.user.empty() ? "user" : "password")};
}

Status check_sftp(const RemoteSettings& settings) {
  SHOEBOX_ASSIGN(const SftpPlace place, parse_sftp_place(settings));
  SHOEBOX_ASSIGN(const Login login, LoginSource(settings, place.user).get());
  if (settings.identity_file.empty()) return Status::ok();
  return check_identity(settings.identity_file, login)
      .with_context(fmt::format("remote \"{}\"", settings.name));
}

}  // namespace

Status check_remote_settings(const RemoteSettings& settings, std::string& left_open) {
  SHOEBOX_TRY(make_remote(settings, {.used_before = true}).status());
  if (settings.url.starts_with("s3://")) return check_s3(settings, left_open);
  if (settings.url.starts_with("dav")) return check_dav(settings);
  if (settings.url.starts_with("sftp://")) return check_sftp(settings);
  return Status::ok();
}

}  // namespace shoebox
