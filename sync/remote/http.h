// An HTTP request and its answer, as the transfer loop takes and gives them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

using NameValues = std::vector<std::pair<std::string, std::string>>;

struct HttpResponse {
  int status = 0;
  NameValues headers;  // names in lower case
  std::string body;    // of refusals, and of every answer to a request without a sink

  // First header of that lower-case name, or "".
  [[nodiscard]] std::string_view header(std::string_view name) const;
  [[nodiscard]] bool success() const { return status >= 200 && status < 300; }
};

enum class HttpAuth { kNone, kBasic, kDigest };

struct HttpRequest {
  std::string method = "GET";
  std::string url;  // sent as it is: encoded by the caller, since the signature covers it
  NameValues headers;
  std::string ca_file;  // trusted instead of the system's authorities when not empty

  HttpAuth auth = HttpAuth::kNone;  // with user and password; Digest costs a round trip more
  std::string user;
  std::string password;

  std::string body;  // sent when not empty, and with PUT and POST, unless body_fd is set
  int body_fd = -1;  // then this range of the file is sent, read with pread
  ByteRange body_range;

  // How long the server may work on this request in silence, when that is longer than the loop's `stall`.
  std::chrono::milliseconds patience{0};
  size_t max_body_bytes = 8 << 20;  // a longer gathered answer is refused

  // Pieces of a 2xx answer's body, in order, on the thread that called run().
  std::function<Status(std::string_view)> sink;
  // Sees status and headers of a 2xx answer before its body flows; on the loop's thread, must not block.
  std::function<Status(const HttpResponse&)> accept;
  // Bytes of the body handed to the network so far; on the thread that called run().
  std::function<void(uint64_t)> on_bytes_sent;
};

}  // namespace shoebox
