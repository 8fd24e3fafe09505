#include "sync/remote/factory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/log.h"
#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/crypt_passphrase.h"
#include "sync/remote/crypt_remote.h"
#include "sync/remote/dir_remote.h"
#include "sync/remote/s3_remote.h"

namespace shoebox {
namespace {

Status refuse(const RemoteSettings& settings, std::string_view why) {
  return {Code::kInvalid, fmt::format("remote \"{}\": url \"{}\" {}", settings.name, settings.url, why)};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// %20 becomes a blank; a percent sign that starts no escape stays, as people write paths by hand.
std::string percent_decode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
    if (low >= 0) {
      out += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

Result<std::unique_ptr<Remote>> make_directory(const RemoteSettings& settings, const RemoteOptions& options) {
  std::string_view rest = std::string_view(settings.url).substr(std::string_view("file://").size());
  if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
  if (!rest.starts_with('/')) return refuse(settings, "names no absolute path; write file:///path/to/folder");
  std::string path = percent_decode(rest);
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (path == "/") return refuse(settings, "is the root of the file system; name a folder");
  if (!check_key(std::string_view(path).substr(1)))
    return refuse(settings, "is no plain path; leave out . and .. and //");
  return std::unique_ptr<Remote>(
      std::make_unique<DirRemote>(settings.name, std::move(path), options.used_before));
}

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

Result<std::unique_ptr<Remote>> make_s3(const RemoteSettings& settings, RemoteOptions options) {
  SHOEBOX_ASSIGN(S3Place place, parse_s3_place(settings));
  if (!settings.ca_file.empty() && ::access(settings.ca_file.c_str(), R_OK) != 0) {
    return Status::from_errno(errno,
                              fmt::format("remote \"{}\": ca_file {}", settings.name, settings.ca_file));
  }
  if (place.scheme == "http" && !is_loopback(place.host)) {
    log::warning("remote \"{}\": {} is reached without TLS: whoever is on the way can read the photos",
                 settings.name, place.host);
  }
  if (!options.loop) options.loop = std::make_shared<TransferLoop>();
  auto client =
      std::make_unique<S3Client>(std::move(place), settings.ca_file, settings, std::move(options.loop));
  return std::unique_ptr<Remote>(std::make_unique<S3Remote>(settings.name, std::move(client)));
}

Result<std::unique_ptr<Remote>> make_plain(const RemoteSettings& settings, RemoteOptions options) {
  const std::string_view url = settings.url;
  if (url.empty()) return refuse(settings, "is missing; write file:///path/to/folder or s3://bucket/prefix");
  if (url.starts_with("file://")) return make_directory(settings, options);
  if (url.starts_with("s3://")) return make_s3(settings, std::move(options));
  if (url.starts_with("/")) return refuse(settings, fmt::format("has no scheme; write file://{}", url));
  return refuse(settings, "is of no known kind; write file:///path/to/folder or s3://bucket/prefix");
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
