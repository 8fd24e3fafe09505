#include "sync/remote/dav_client.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/settings.h"
#include "sync/remote/checks.h"
#include "sync/remote/dav_xml.h"
#include "sync/remote/http_answer.h"

namespace shoebox {
namespace {

constexpr size_t kMaxListing = 64 << 20;  // some 100,000 photos in one folder
// Servers lock a folder while something is made in it, for moments.
constexpr int kLockedAttempts = 6;
constexpr std::chrono::milliseconds kLockedPause{50};  // doubled each time: 1.5 s in all

}  // namespace

HttpAuth choose_http_auth(const HttpResponse& response, bool tls) {
  bool basic = false;
  bool digest = false;
  for (const auto& [name, value] : response.headers) {
    if (name != "www-authenticate") continue;
    std::string lower = value;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](unsigned char c) { return std::tolower(c); });
    // Several challenges may share a header: `Digest realm="a", Basic realm="b"`.
    basic = basic || lower.starts_with("basic") || lower.find(", basic ") != std::string::npos;
    digest = digest || lower.starts_with("digest") || lower.find(", digest ") != std::string::npos;
  }
  if (basic && (tls || !digest)) return HttpAuth::kBasic;
  return digest ? HttpAuth::kDigest : HttpAuth::kNone;
}

DavClient::DavClient(DavPlace place, std::string ca_file, const RemoteSettings& settings,
                     std::shared_ptr<TransferLoop> loop)
    : place_(std::move(place)),
      ca_file_(std::move(ca_file)),
      login_(settings, place_.user),
      loop_(std::move(loop)) {}

Result<HttpResponse> DavClient::run(const DavRequest& request, const Login& login, HttpAuth auth,
                                    const RequestContext& context) {
  HttpRequest http;
  http.method = request.method;
  http.url = request.url;
  http.headers = request.headers;
  http.ca_file = ca_file_;
  http.auth = auth;
  http.user = login.user;
  http.password = login.password;
  http.body = request.body;
  http.body_fd = request.body_fd;
  http.body_range = request.body_range;
  http.patience = request.patience;
  http.max_body_bytes = request.max_body_bytes;
  http.sink = request.sink;
  http.accept = request.accept;
  http.on_bytes_sent = request.on_bytes_sent;
  auto response = loop_->run(http, context);
  if (!response) return response.status().with_context(fmt::format("{}: {}", place_.text, request.what));
  if (context.hints != nullptr) {
    context.hints->retry_after_s = retry_after_s(*response, SystemClock().now().seconds);
  }
  return response;
}

Status DavClient::ask_for_scheme(const RequestContext& context) {
  DavRequest request{"ask how to log in", "PROPFIND", place_.url("", true)};
  request.headers = {{"Depth", "0"}, {"Content-Type", "application/xml"}};
  request.body = dav_propfind_body();
  SHOEBOX_ASSIGN(const HttpResponse response, run(request, {}, HttpAuth::kNone, context));
  if (response.status >= 500 || response.status == 429) return refused(response, request.what, false);
  // Whoever may read without a login is asked for one when writing.
  if (response.status == 401) auth_ = choose_http_auth(response, place_.scheme == "https");
  asked_ = true;
  return Status::ok();
}

Result<HttpResponse> DavClient::send(const DavRequest& request, const RequestContext& context,
                                     HttpResponse* refusal) {
  SHOEBOX_ASSIGN(Login login, login_.get());
  bool renewed = false;
  int locked = 0;
  for (;;) {
    const bool has_login = !login.user.empty() && !login.password.empty();
    if (has_login && !asked_) SHOEBOX_TRY(ask_for_scheme(context));
    const HttpAuth used = has_login ? auth_.load() : HttpAuth::kNone;
    SHOEBOX_ASSIGN(HttpResponse response, run(request, login, used, context));
    if (response.success()) return response;
    if (response.status == 401 && has_login) {
      const HttpAuth wanted = choose_http_auth(response, place_.scheme == "https");
      if (wanted != used && wanted != HttpAuth::kNone && used == HttpAuth::kNone) {
        auth_ = wanted;
        continue;
      }
      if (!renewed) {
        renewed = true;
        login_.refused(login);
        auto again = login_.get();
        if (again && !(*again == login)) {
          login = std::move(again).value();
          auth_ = wanted;
          continue;
        }
      }
    }
    if (response.status == 423 && ++locked < kLockedAttempts) {
      SHOEBOX_TRY(pause_for(kLockedPause * (1 << (locked - 1)), context));
      continue;
    }
    const Status status = refused(response, request.what, has_login);
    if (refusal != nullptr) *refusal = std::move(response);
    return status;
  }
}

Status DavClient::refused(const HttpResponse& response, const std::string& what, bool had_login) const {
  std::string said = fmt::format("{}: {}: HTTP status {}", place_.text, what, response.status);
  if (const std::string message = dav_error_message(response.body); !message.empty()) {
    said += fmt::format(" ({})", message);
  }
  switch (response.status) {
    case 401:
      return {Code::kUnauthorized, said + (had_login ? "; check user and password"
                                                     : "; set credentials_file, with user and password")};
    case 403: return {Code::kUnauthorized, said + "; allow this user to read and write there"};
    case 404:
    case 409: return {Code::kNotFound, said};
    case 412: return {Code::kConflict, said};
    case 414: return {Code::kNameTooLong, said};
    case 423: return {Code::kUnavailable, said + ": locked by another program"};
    case 507: return {Code::kNoSpace, said + "; raise the quota or make room"};
    default: break;
  }
  if (response.status >= 300 && response.status < 400) {
    // Following it would carry the password elsewhere.
    return {Code::kInvalid, fmt::format("{}; the server redirects to {:.200}: write that into url", said,
                                        response.header("location"))};
  }
  return {code_of_http_status(response.status), said};
}

Result<HttpResponse> DavClient::propfind(const std::string& what, const std::string& url, const char* depth,
                                         const RequestContext& context, HttpResponse* refusal) {
  DavRequest request{what, "PROPFIND", url};
  request.headers = {{"Depth", depth}, {"Content-Type", "application/xml"}};
  request.body = dav_propfind_body();
  request.max_body_bytes = kMaxListing;
  return send(request, context, refusal);
}

}  // namespace shoebox
