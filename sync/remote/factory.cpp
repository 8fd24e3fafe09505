#include "sync/remote/factory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/file_io.h"
#include "store/base/log.h"
#include "store/remote_places.h"
#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/crypt_passphrase.h"
#include "sync/remote/crypt_remote.h"
#include "sync/remote/dav_server.h"
#include "sync/remote/dir_remote.h"
#include "sync/remote/folder_remote.h"
#include "sync/remote/s3_remote.h"
#include "sync/remote/sftp_server.h"
#include "sync/remote/uri.h"

namespace shoebox {
namespace {

constexpr std::string_view kKinds =
    "file:///path/to/folder, s3://bucket/prefix, davs://host/path or sftp://user@host/path";

Status refuse(const RemoteSettings& settings, std::string_view why) {
  return {Code::kInvalid, fmt::format("remote \"{}\": url \"{}\" {}", settings.name, settings.url, why)};
}

Result<std::unique_ptr<Remote>> make_directory(const RemoteSettings& settings, const RemoteOptions& options) {
  std::string path = folder_of_url(settings.url);
  if (!path.starts_with('/')) return refuse(settings, "names no absolute path; write file:///path/to/folder");
  if (path == "/") return refuse(settings, "is the root of the file system; name a folder");
  if (!check_key(std::string_view(path).substr(1)))
    return refuse(settings, "is no plain path; leave out . and .. and //");
  return std::unique_ptr<Remote>(
      std::make_unique<DirRemote>(settings.name, std::move(path), options.used_before, options.only_look));
}

Status check_ca_file(const RemoteSettings& settings) {
  if (settings.ca_file.empty()) return Status::ok();
  const std::string what = fmt::format("remote \"{}\": ca_file {}", settings.name, settings.ca_file);
  if (::access(settings.ca_file.c_str(), R_OK) != 0) return Status::from_errno(errno, what);
  SHOEBOX_ASSIGN(const std::string text, read_file(settings.ca_file));
  // "BEGIN TRUSTED CERTIFICATE" is one as well. Whether it is the right one only the server's tells.
  const bool pem =
      text.find("-----BEGIN ") != std::string::npos && text.find("CERTIFICATE-----") != std::string::npos;
  if (!pem) return {Code::kInvalid, what + " holds no certificate; name a PEM file of the authority"};
  return Status::ok();
}

void warn_without_tls(const RemoteSettings& settings, const std::string& scheme, const std::string& host) {
  if (scheme != "http" || is_loopback(host)) return;
  log::warning("remote \"{}\": {} is reached without TLS: whoever is on the way can read the photos",
               settings.name, host);
}

Result<std::unique_ptr<Remote>> make_dav(const RemoteSettings& settings, RemoteOptions options) {
  SHOEBOX_ASSIGN(DavPlace place, parse_dav_place(settings));
  SHOEBOX_TRY(check_ca_file(settings));
  warn_without_tls(settings, place.scheme, place.host);
  if (!options.loop) options.loop = std::make_shared<TransferLoop>();
  auto client =
      std::make_unique<DavClient>(std::move(place), settings.ca_file, settings, std::move(options.loop));
  return std::unique_ptr<Remote>(std::make_unique<FolderRemote>(
      settings.name, std::make_unique<DavServer>(std::move(client)), options.used_before, options.only_look));
}

Result<std::unique_ptr<Remote>> make_sftp(const RemoteSettings& settings, const RemoteOptions& options) {
  SHOEBOX_ASSIGN(SftpPlace place, parse_sftp_place(settings));
  SshKeys keys{settings.identity_file, settings.known_hosts};
  auto pool = std::make_unique<SftpPool>(std::move(place), std::move(keys), settings);
  return std::unique_ptr<Remote>(std::make_unique<FolderRemote>(
      settings.name, std::make_unique<SftpServer>(std::move(pool)), options.used_before, options.only_look));
}

Result<std::unique_ptr<Remote>> make_s3(const RemoteSettings& settings, RemoteOptions options) {
  SHOEBOX_ASSIGN(S3Place place, parse_s3_place(settings));
  SHOEBOX_TRY(check_ca_file(settings));
  warn_without_tls(settings, place.scheme, place.host);
  if (!options.loop) options.loop = std::make_shared<TransferLoop>();
  auto client =
      std::make_unique<S3Client>(std::move(place), settings.ca_file, settings, std::move(options.loop));
  return std::unique_ptr<Remote>(std::make_unique<S3Remote>(settings.name, std::move(client)));
}

Result<std::unique_ptr<Remote>> make_plain(const RemoteSettings& settings, RemoteOptions options) {
  const std::string_view url = settings.url;
  if (url.empty()) return refuse(settings, fmt::format("is missing; write {}", kKinds));
  if (url.starts_with("file://")) return make_directory(settings, options);
  if (url.starts_with("s3://")) return make_s3(settings, std::move(options));
  if (url.starts_with("davs://") || url.starts_with("dav://")) return make_dav(settings, std::move(options));
  if (url.starts_with("sftp://")) return make_sftp(settings, options);
  if (url.starts_with("/")) return refuse(settings, fmt::format("has no scheme; write file://{}", url));
  return refuse(settings, fmt::format("is of no known kind; write {}", kKinds));
}

}  // namespace

Result<std::unique_ptr<Remote>> make_remote(const RemoteSettings& settings, RemoteOptions options) {
  CryptRemote::Options crypt{.keys = std::move(options.crypt_keys),
                             .read_keys = [settings] { return read_crypt_keys(settings); },
                             .scratch = std::move(options.scratch)};
  SHOEBOX_ASSIGN(std::unique_ptr<Remote> plain, make_plain(settings, std::move(options)));
  if (!settings.crypt) return plain;
  return std::unique_ptr<Remote>(std::make_unique<CryptRemote>(std::move(plain), std::move(crypt)));
}

}  // namespace shoebox
