#include "sync/remote/s3_status.h"

#include <fmt/format.h>

#include <array>

#include "sync/remote/http_answer.h"

namespace shoebox {
namespace {

struct Known {
  std::string_view code;
  Code meaning;
  std::string_view advice;
};

// Codes that mean something else than their HTTP status does, or call for advice.
constexpr std::array kKnown = {
    Known{"NoSuchKey", Code::kNotFound, ""},
    Known{"NoSuchUpload", Code::kNotFound, ""},
    Known{"SlowDown", Code::kThrottled, ""},
    Known{"RequestLimitExceeded", Code::kThrottled, ""},
    Known{"Throttling", Code::kThrottled, ""},
    Known{"TooManyRequests", Code::kThrottled, ""},
    Known{"BandwidthLimitExceeded", Code::kThrottled, ""},
    Known{"InvalidAccessKeyId", Code::kUnauthorized, "check access_key"},
    Known{"SignatureDoesNotMatch", Code::kUnauthorized, "check secret_key"},
    Known{"RequestTimeTooSkewed", Code::kUnauthorized, "set this machine's clock"},
    Known{"ExpiredToken", Code::kUnauthorized, "get new credentials"},
    Known{"InvalidToken", Code::kUnauthorized, "get new credentials"},
    Known{"AccessDenied", Code::kUnauthorized, "allow these keys to list, read, write and delete there"},
    Known{"AllAccessDisabled", Code::kUnauthorized, ""},
    Known{"QuotaExceeded", Code::kNoSpace, "raise the quota or make room"},
    Known{"XMinioStorageFull", Code::kNoSpace, "make room on the server"},
    Known{"KeyTooLongError", Code::kNameTooLong, ""},
    Known{"EntityTooLarge", Code::kTooBig, ""},
    Known{"InvalidRange", Code::kDataLoss, ""},
    Known{"NotImplemented", Code::kNotSupported, ""},
    Known{"MethodNotAllowed", Code::kNotSupported, ""},
    // The body did not arrive as it was signed: the next attempt may.
    Known{"BadDigest", Code::kUnavailable, ""},
    Known{"InvalidDigest", Code::kUnavailable, ""},
    Known{"XAmzContentSHA256Mismatch", Code::kUnavailable, ""},
    Known{"IncompleteBody", Code::kUnavailable, ""},
    Known{"RequestTimeout", Code::kUnavailable, ""},
    Known{"OperationAborted", Code::kUnavailable, ""},
    Known{"ConditionalRequestConflict", Code::kUnavailable, ""},
};

}  // namespace

Status s3_status(const HttpResponse& response, const S3Error& error, std::string_view what,
                 const S3Place& place) {
  const std::string context = fmt::format("{}: {}", place.text(), what);
  const std::string said = error.code.empty()      ? fmt::format("HTTP status {}", response.status)
                           : error.message.empty() ? error.code
                                                   : fmt::format("{} ({})", error.code, error.message);

  std::string region(response.header("x-amz-bucket-region"));
  if (region.empty()) region = error.region;
  const bool elsewhere = (response.status >= 300 && response.status < 400) ||
                         error.code == "PermanentRedirect" || error.code == "AuthorizationHeaderMalformed" ||
                         error.code == "IllegalLocationConstraintException";
  if (elsewhere) {
    std::string advice = "check region and endpoint";
    if (!region.empty() && region != place.region) advice = fmt::format("set region = \"{}\"", region);
    if (!error.endpoint.empty())
      advice += fmt::format(" or endpoint = \"{}://{}\"", place.scheme, error.endpoint);
    return {Code::kInvalid, fmt::format("{}: the bucket is served elsewhere: {}; {}", context, said, advice)};
  }
  if (error.code == "NoSuchBucket") {
    return {Code::kUnavailable,
            fmt::format("{}: bucket \"{}\" is not there; create it, or correct url", context, place.bucket)};
  }
  for (const Known& known : kKnown) {
    if (known.code != error.code) continue;
    return {known.meaning, known.advice.empty() ? fmt::format("{}: {}", context, said)
                                                : fmt::format("{}: {}; {}", context, said, known.advice)};
  }
  return {code_of_http_status(response.status), fmt::format("{}: {}", context, said)};
}

}  // namespace shoebox
