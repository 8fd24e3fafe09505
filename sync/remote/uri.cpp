#include "sync/remote/uri.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace shoebox {
namespace {

bool unreserved(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::string uri_encode(std::string_view text, bool keep_slashes) {
  std::string out;
  for (const char c : text) {
    if (unreserved(c) || (c == '/' && keep_slashes)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Result<UrlAuthority> parse_authority(std::string_view rest) {
  const auto wrong = [](std::string what) { return Status(Code::kInvalid, std::move(what)); };
  UrlAuthority out;
  const size_t slash = std::min(rest.find('/'), rest.size());
  std::string_view server = rest.substr(0, slash);
  std::string_view path = rest.substr(slash);
  while (path.starts_with('/')) path.remove_prefix(1);
  while (path.ends_with('/')) path.remove_suffix(1);
  out.path = percent_decode(path);
  if (const size_t at = server.rfind('@'); at != std::string_view::npos) {
    if (server.substr(0, at).find(':') != std::string_view::npos) {
      return wrong("holds a password; it belongs in credentials_file");
    }
    out.user = percent_decode(server.substr(0, at));
    server.remove_prefix(at + 1);
  }
  size_t host_end = server.rfind(':');
  if (const size_t bracket = server.rfind(']'); bracket != std::string_view::npos) {
    host_end = server.find(':', bracket);  // [::1]:9000
  }
  out.host = server.substr(0, host_end);
  std::transform(out.host.begin(), out.host.end(), out.host.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  const bool plain = std::all_of(out.host.begin(), out.host.end(), [](char c) {
    return (unreserved(c) && c != '~') || c == '[' || c == ']' || c == ':';
  });
  if (out.host.empty() || !plain || out.host.front() == '-') return wrong("names no host");
  if (host_end == std::string_view::npos) return out;
  const std::string_view digits = server.substr(host_end + 1);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out.port);
  if (error != std::errc() || end != digits.data() + digits.size() || out.port == 0) {
    return wrong("has no valid port");
  }
  return out;
}

bool is_loopback(std::string_view host) {
  return host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
}

}  // namespace shoebox
