#include "sync/remote/s3_url.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/sigv4.h"
#include "sync/remote/uri.h"

namespace shoebox {
namespace {

Status refuse(const RemoteSettings& settings, std::string_view why) {
  return {Code::kInvalid, fmt::format("remote \"{}\": {}", settings.name, why)};
}

bool all_of(std::string_view text, std::string_view punctuation) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           punctuation.find(c) != std::string_view::npos;
  });
}

Status parse_endpoint(const RemoteSettings& settings, const std::string& endpoint, S3Place& place) {
  const auto wrong = [&](std::string_view why) {
    return refuse(settings,
                  fmt::format("endpoint \"{}\" {}; write https://host or https://host:port", endpoint, why));
  };
  const size_t colon = endpoint.find("://");
  if (colon == std::string::npos) return wrong("has no scheme");
  place.scheme = endpoint.substr(0, colon);
  if (place.scheme != "https" && place.scheme != "http") return wrong("is neither http nor https");
  std::string_view rest = std::string_view(endpoint).substr(colon + 3);
  while (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.find('@') != std::string_view::npos)
    return wrong("holds a user name; keys belong in credentials_file");
  if (rest.find_first_of("/?#") != std::string_view::npos) return wrong("has a path");
  size_t host_end = rest.rfind(':');
  if (const size_t bracket = rest.rfind(']'); bracket != std::string_view::npos) {
    host_end = rest.find(':', bracket);  // [::1]:9000
  }
  const std::string_view host = rest.substr(0, host_end);
  if (host.empty() || !all_of(host, ".-_[]:")) return wrong("names no host");
  place.host = host;
  std::transform(place.host.begin(), place.host.end(), place.host.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  if (host_end == std::string_view::npos) return Status::ok();
  const std::string_view digits = rest.substr(host_end + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0)
    return wrong("has no valid port");
  if (port != (place.scheme == "https" ? 443 : 80)) place.host += fmt::format(":{}", port);
  return Status::ok();
}

}  // namespace

Result<S3Place> parse_s3_place(const RemoteSettings& settings) {
  S3Place place;
  std::string_view rest = std::string_view(settings.url).substr(std::string_view("s3://").size());
  const size_t slash = rest.find('/');
  place.bucket = rest.substr(0, slash);
  const auto wrong = [&](std::string_view why) {
    return refuse(settings, fmt::format("url \"{}\" {}", settings.url, why));
  };
  if (place.bucket.empty()) return wrong("names no bucket; write s3://bucket/prefix");
  if (place.bucket.size() < 3 || place.bucket.size() > 63 || !all_of(place.bucket, ".-_") ||
      place.bucket.front() == '.' || place.bucket.find("..") != std::string::npos) {
    return wrong(fmt::format("names bucket \"{}\"; bucket names are 3 to 63 letters, digits, dots and dashes",
                             place.bucket));
  }
  if (slash != std::string_view::npos) {
    std::string_view prefix = rest.substr(slash + 1);
    while (prefix.ends_with('/')) prefix.remove_suffix(1);
    if (!prefix.empty() && (!check_key(prefix) || !is_utf8(prefix)))
      return wrong("has a prefix that is no plain path");
    if (prefix.size() > 512) return wrong("has a prefix that leaves no room for keys (over 512 bytes)");
    if (!prefix.empty()) place.prefix = std::string(prefix) + "/";
  }
  place.region = settings.region;
  if (place.region.empty() || !all_of(place.region, "-")) {
    return refuse(settings,
                  fmt::format("region \"{}\" is no region; us-east-1 fits most servers that are not AWS",
                              settings.region));
  }
  place.path_style = settings.path_style;
  std::string endpoint = settings.endpoint;
  if (endpoint.empty()) {
    const char* variable = std::getenv("AWS_ENDPOINT_URL");
    endpoint = variable != nullptr ? variable : "";
  }
  if (endpoint.empty()) endpoint = fmt::format("https://s3.{}.amazonaws.com", place.region);
  SHOEBOX_TRY(parse_endpoint(settings, endpoint, place));
  if (!place.path_style && place.scheme == "https" && place.bucket.find('.') != std::string::npos) {
    return refuse(settings, fmt::format("bucket \"{}\" has a dot, so no certificate fits its host name; set "
                                        "path_style = true",
                                        place.bucket));
  }
  return place;
}

std::string S3Place::host_header() const { return path_style ? host : bucket + "." + host; }

std::string S3Place::path(std::string_view whole_key) const {
  if (!path_style) return "/" + std::string(whole_key);
  return whole_key.empty() ? "/" + bucket : fmt::format("/{}/{}", bucket, whole_key);
}

std::string S3Place::url(std::string_view whole_key, const NameValues& query) const {
  std::string out = fmt::format("{}://{}{}", scheme, host_header(), uri_encode(path(whole_key), true));
  if (!query.empty()) out += "?" + canonical_query(query);
  return out;
}

std::string S3Place::text() const { return fmt::format("s3://{}/{} on {}", bucket, prefix, host); }

}  // namespace shoebox
