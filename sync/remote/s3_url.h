// s3://bucket/prefix with its endpoint: where each object of a remote is. Pure.
#pragma once

#include <string>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/http.h"

namespace shoebox {

struct RemoteSettings;

struct S3Place {
  std::string scheme;  // "http" or "https"
  std::string host;    // with the port, unless it is the scheme's own
  std::string bucket;
  std::string prefix;  // "" or "photos/"
  std::string region;
  bool path_style = true;

  // Host header, and plain path of a whole key ("" for the bucket itself).
  [[nodiscard]] std::string host_header() const;
  [[nodiscard]] std::string path(std::string_view whole_key) const;
  [[nodiscard]] std::string url(std::string_view whole_key, const NameValues& query) const;
  // "s3://bucket/prefix on host", for messages.
  [[nodiscard]] std::string text() const;
};

// Endpoint from the settings, else AWS_ENDPOINT_URL, else AWS of the region.
Result<S3Place> parse_s3_place(const RemoteSettings& settings);

}  // namespace shoebox
