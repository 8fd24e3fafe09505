// What a [[remote]] may be called, where it may point to, and how it is written into shoebox.toml.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "store/settings.h"

namespace shoebox {

Status check_remote_url(const std::string& url) {
  const size_t scheme_end = url.find("://");
  const std::string scheme = url.substr(0, scheme_end == std::string::npos ? 0 : scheme_end);
  const std::string rest = scheme_end == std::string::npos ? "" : url.substr(scheme_end + 3);
  if (scheme == "file") {
    if (!rest.starts_with("/")) {
      return {Code::kInvalid,
              fmt::format("url \"{}\": a folder is written with three slashes, file:///mnt/nas", url)};
    }
    return Status::ok();
  }
  if (scheme == "s3") {
    const std::string bucket = rest.substr(0, rest.find('/'));
    if (bucket.find('@') != std::string::npos) {
      return {Code::kInvalid, "url: a secret does not belong into a url; use credentials_file"};
    }
    if (bucket.empty())
      return {Code::kInvalid, fmt::format("url \"{}\" names no bucket: s3://bucket/prefix", url)};
    return Status::ok();
  }
  if (scheme == "davs" || scheme == "dav" || scheme == "sftp") {
    const std::string server = rest.substr(0, rest.find('/'));
    const size_t at = server.rfind('@');
    if (at != std::string::npos && server.find(':') < at) {
      return {Code::kInvalid, "url: a password does not belong into a url; use credentials_file"};
    }
    if (server.empty() || at + 1 == server.size())
      return {Code::kInvalid, fmt::format("url \"{}\" names no host: {}://host/path", url, scheme)};
    return Status::ok();
  }
  return {Code::kInvalid,
          fmt::format("url \"{}\" is not understood; write file:///folder, s3://bucket/prefix, "
                      "davs://host/path or sftp://user@host/path",
                      url)};
}

Status check_remote_name(const std::string& name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  });
  if (name.empty() || !plain || name.size() > 64) {
    return {Code::kInvalid,
            fmt::format("remote name \"{}\": use up to 64 letters, digits, '-', '_' and '.'", name)};
  }
  return Status::ok();
}

std::string toml_of(const RemoteSettings& remote) {
  const auto quoted = [](const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
      } else if (byte < 0x20 || byte == 0x7f) {
        out += fmt::format("\\u{:04X}", byte);
      } else {
        out += c;
      }
    }
    return out + "\"";
  };
  std::string out = "[[remote]]\n";
  out += fmt::format("name = {}\nurl = {}\n", quoted(remote.name), quoted(remote.url));
  const RemoteSettings defaults;
  if (!remote.endpoint.empty()) out += fmt::format("endpoint = {}\n", quoted(remote.endpoint));
  if (remote.region != defaults.region) out += fmt::format("region = {}\n", quoted(remote.region));
  if (remote.path_style != defaults.path_style) out += fmt::format("path_style = {}\n", remote.path_style);
  if (!remote.ca_file.empty()) out += fmt::format("ca_file = {}\n", quoted(remote.ca_file));
  if (!remote.credentials_file.empty())
    out += fmt::format("credentials_file = {}\n", quoted(remote.credentials_file));
  if (!remote.credentials_command.empty()) {
    out += fmt::format("credentials_command = {}\n", quoted(remote.credentials_command));
  }
  if (!remote.identity_file.empty()) out += fmt::format("identity_file = {}\n", quoted(remote.identity_file));
  if (!remote.known_hosts.empty()) out += fmt::format("known_hosts = {}\n", quoted(remote.known_hosts));
  if (remote.crypt) out += "crypt = true\n";
  for (const auto& [key, value] :
       {std::pair("passphrase_file", &remote.passphrase_file),
        std::pair("passphrase_command", &remote.passphrase_command),
        std::pair("salt_file", &remote.salt_file), std::pair("salt_command", &remote.salt_command)}) {
    if (!value->empty()) out += fmt::format("{} = {}\n", key, quoted(*value));
  }
  if (remote.lease_s != defaults.lease_s) out += fmt::format("lease = \"{}s\"\n", remote.lease_s);
  if (remote.connections != defaults.connections)
    out += fmt::format("connections = {}\n", remote.connections);
  return out;
}

}  // namespace shoebox
