// What all HTTP remotes understand alike of an answer. Pure, but for the one range that is being read.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "sync/remote/http.h"

namespace shoebox {

// Code of a refusal by its status alone. 404 is kUnavailable: any server or proxy on the way can say it.
Code code_of_http_status(int status);

// Retry-After in seconds, from a number or a date; 0 when there is none. At most an hour.
double retry_after_s(const HttpResponse& response, int64_t now_s);

// Without the quotes, and without W/.
std::string plain_etag(std::string_view etag);
// "Wed, 12 Oct 2009 17:50:00 GMT"; 0 when it is none.
int64_t parse_http_time_s(const std::string& text);

// One range of an object on its way to a sink: what to ask for, and whether the answer is that.
// Not thread-safe; the transfer loop calls it for one request.
class RangeAnswer {
 public:
  using Sink = std::function<Status(std::string_view)>;
  // REQUIRES: the range is not empty. `etag` as a remote told it; "" when any will do, and "W/…" is not
  // asked for with If-Match, which never holds for weak ones.
  RangeAnswer(ByteRange range, std::string etag, const Sink& sink)
      : range_(range), etag_(std::move(etag)), sink_(sink) {}

  // Range and If-Match.
  [[nodiscard]] NameValues headers() const;
  // kConflict for another etag, kDataLoss for other bytes than asked for.
  [[nodiscard]] Status accept(const HttpResponse& response) const;
  Status take(std::string_view bytes);
  // kDataLoss when the body ended early.
  [[nodiscard]] Status complete() const;

 private:
  const ByteRange range_;
  const std::string etag_;
  const Sink& sink_;
  uint64_t got_ = 0;
};

}  // namespace shoebox
