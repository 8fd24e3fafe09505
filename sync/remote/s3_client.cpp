#include "sync/remote/s3_client.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdlib>

#include "store/base/log.h"
#include "store/settings.h"
#include "sync/remote/http_answer.h"
#include "sync/remote/s3_file_time.h"

namespace shoebox {
namespace {

constexpr int64_t kWrongClock_s = 5 * 60;  // servers allow 15 minutes; below this a 403 has other reasons

int64_t now_s() { return SystemClock().now().seconds; }

// Others may stand in credentials_file by now: new ones, or those that its owner corrected.
bool keys_refused(const S3Error& error) {
  return error.code == "ExpiredToken" || error.code == "InvalidToken" || error.code == "InvalidAccessKeyId" ||
         error.code == "SignatureDoesNotMatch";
}

}  // namespace

S3Client::S3Client(S3Place place, std::string ca_file, const RemoteSettings& settings,
                   std::shared_ptr<TransferLoop> loop)
    : place_(std::move(place)),
      ca_file_(std::move(ca_file)),
      credentials_(settings),
      loop_(std::move(loop)) {}

Result<HttpResponse> S3Client::send_signed(const S3Request& request, const Credentials& credentials,
                                           const RequestContext& context) {
  const int64_t time_s = now_s() + clock_skew_s_;
  SignableRequest signable;
  signable.method = request.method;
  signable.path = place_.path(request.whole_key);
  signable.query = request.query;
  signable.payload_sha256 =
      request.payload_sha256.empty() ? sha256(request.body).hex() : request.payload_sha256;
  signable.headers = request.headers;
  signable.headers.emplace_back("Host", place_.host_header());
  signable.headers.emplace_back("x-amz-date", amz_date(time_s));
  signable.headers.emplace_back("x-amz-content-sha256", signable.payload_sha256);
  if (!credentials.session_token.empty()) {
    signable.headers.emplace_back("x-amz-security-token", credentials.session_token);
  }

  HttpRequest http;
  http.method = request.method;
  http.url = place_.url(request.whole_key, request.query);
  http.headers = signable.headers;
  http.headers.emplace_back("Authorization",
                            authorization(signable, {place_.region, "s3", time_s}, credentials));
  http.ca_file = ca_file_;
  http.body = request.body;
  http.body_fd = request.body_fd;
  http.body_range = request.body_range;
  http.sink = request.sink;
  http.accept = request.accept;
  http.on_bytes_sent = request.on_bytes_sent;
  return loop_->run(http, context);
}

bool S3Client::correct_clock(const HttpResponse& response, const S3Error& error) {
  if (response.status != 403) return false;
  if (!error.code.empty() && error.code != "RequestTimeTooSkewed") return false;
  const int64_t date = parse_http_time_s(std::string(response.header("date")));
  if (date == 0) return false;
  const int64_t skew = date - now_s();
  if (std::llabs(skew - clock_skew_s_) < kWrongClock_s) return false;
  clock_skew_s_ = skew;
  log::warning("{}: this machine's clock is {} s off that of the server; signing with the server's",
               place_.host, -skew);
  return true;
}

Result<HttpResponse> S3Client::send(const S3Request& request, const RequestContext& context,
                                    HttpResponse* refusal) {
  bool clock_corrected = false;
  bool keys_renewed = false;
  for (;;) {
    SHOEBOX_ASSIGN(const Credentials credentials, credentials_.get());
    auto response = send_signed(request, credentials, context);
    if (!response) return response.status().with_context(fmt::format("{}: {}", place_.text(), request.what));
    if (context.hints != nullptr) context.hints->retry_after_s = retry_after_s(*response, now_s());
    if (response->success()) return response;

    const S3Error error = parse_s3_error(response->body);
    if (!clock_corrected && correct_clock(*response, error)) {
      clock_corrected = true;
      continue;
    }
    if (!keys_renewed && keys_refused(error)) {
      credentials_.refused(credentials);
      auto renewed = credentials_.get();
      keys_renewed = true;
      if (renewed &&
          (renewed->secret_key != credentials.secret_key || renewed->access_key != credentials.access_key ||
           renewed->session_token != credentials.session_token)) {
        continue;
      }
    }
    if (refusal != nullptr) *refusal = *response;
    Status status = s3_status(*response, error, request.what, place_);
    // An answer to a HEAD has no body that could say SlowDown.
    if (request.method == "HEAD" && response->status == 503)
      return {Code::kThrottled, status.message() + ", which may ask to slow down"};
    return status;
  }
}

Result<S3Head> S3Client::head(const std::string& whole_key, const RequestContext& context) {
  S3Request request;
  request.what = "stat " + whole_key;
  request.method = "HEAD";
  request.whole_key = whole_key;
  HttpResponse refusal;
  auto response = send(request, context, &refusal);
  if (!response) {
    if (refusal.status == 404) return confirm_absent(whole_key, context);
    return response.status();
  }
  S3Head head;
  head.etag = plain_etag(response->header("etag"));
  head.modified_s = parse_http_time_s(std::string(response->header("last-modified")));
  head.sha256 = response->header(kS3HashHeader);
  head.file_time = response->header(kS3FileTimeHeader);
  const std::string_view length = response->header("content-length");
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), head.size);
  if (error != std::errc() || end != length.data() + length.size() || head.etag.empty()) {
    return Status(Code::kUnavailable,
                  fmt::format("{}: {}: the answer lacks size or etag", place_.text(), request.what));
  }
  return head;
}

Status S3Client::confirm_absent(const std::string& whole_key, const RequestContext& context) {
  S3Request request;
  request.what = "stat " + whole_key;
  request.query = {{"list-type", "2"}, {"max-keys", "1"}, {"prefix", whole_key}, {"encoding-type", "url"}};
  SHOEBOX_ASSIGN(const HttpResponse response, send(request, context));
  SHOEBOX_ASSIGN(const S3Listing listing, parse_s3_listing(response.body));
  // The key itself sorts first among all that start with it.
  if (!listing.objects.empty() && listing.objects.front().key == whole_key) {
    return {Code::kUnavailable, fmt::format("{}: {}: listed, but not found; trying again later may help",
                                            place_.text(), request.what)};
  }
  return {Code::kNotFound, fmt::format("{}: {}: no such object", place_.text(), request.what)};
}

}  // namespace shoebox
