// Requests to one WebDAV server, with its login: what DavServer and the chunked upload are made of.
//
// The server is asked once, without a password, which scheme it wants: sending a photo only to be asked
// who we are would send it twice. Basic is taken over TLS (a round trip less), else Digest where offered.
// A refused login is read anew and tried once more. All else is for the uploader and fetcher to repeat.
//
// Threads: any; blocks in the transfer loop.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>

#include "sync/remote/dav_url.h"
#include "sync/remote/login.h"
#include "sync/remote/transfer_loop.h"

namespace shoebox {

struct DavRequest {
  std::string what;  // for messages: "put a.jpg"
  std::string method;
  std::string url;
  NameValues headers = {};
  std::string body = {};
  int body_fd = -1;
  ByteRange body_range = {};
  size_t max_body_bytes = 1 << 20;
  std::chrono::milliseconds patience{0};
  std::function<Status(std::string_view)> sink = {};
  std::function<Status(const HttpResponse&)> accept = {};
  std::function<void(uint64_t)> on_bytes_sent = {};
};

// The scheme to answer these WWW-Authenticate headers with; kNone when none of them is known.
HttpAuth choose_http_auth(const HttpResponse& response, bool tls);

class DavClient {
 public:
  DavClient(DavPlace place, std::string ca_file, const RemoteSettings& settings,
            std::shared_ptr<TransferLoop> loop);

  [[nodiscard]] const DavPlace& place() const { return place_; }
  // Ok for 2xx only. kNotFound for 404 and 409 (no such folder), which the caller must not believe yet;
  // kConflict for 412. `refusal` gets the answer when not null.
  Result<HttpResponse> send(const DavRequest& request, const RequestContext& context,
                            HttpResponse* refusal = nullptr);
  // PROPFIND of one path (depth "0") or of a folder and what is in it ("1").
  Result<HttpResponse> propfind(const std::string& what, const std::string& url, const char* depth,
                                const RequestContext& context, HttpResponse* refusal = nullptr);

 private:
  Result<HttpResponse> run(const DavRequest& request, const Login& login, HttpAuth auth,
                           const RequestContext& context);
  Status ask_for_scheme(const RequestContext& context);
  [[nodiscard]] Status refused(const HttpResponse& response, const std::string& what, bool had_login) const;

  const DavPlace place_;
  const std::string ca_file_;
  LoginSource login_;
  const std::shared_ptr<TransferLoop> loop_;  // shared by all remotes
  std::atomic<HttpAuth> auth_{HttpAuth::kNone};
  std::atomic<bool> asked_{false};
};

}  // namespace shoebox
