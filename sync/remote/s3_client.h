// Signed requests to one bucket: what s3_remote and s3_multipart are made of.
//
// A clock that is wrong is corrected from the server's Date and the request sent once more; expired
// keys are read anew and tried once more. Everything else is for the uploader and fetcher to repeat.
//
// Threads: any; blocks in the transfer loop.
#pragma once

#include <atomic>
#include <memory>
#include <optional>

#include "sync/remote/credentials.h"
#include "sync/remote/digests.h"
#include "sync/remote/s3_status.h"
#include "sync/remote/transfer_loop.h"

namespace shoebox {

// Metadata of each object we put: its SHA-256 in hex, for others to check and for us after a lost answer.
inline constexpr const char* kS3HashHeader = "x-amz-meta-shoebox-sha256";

struct S3Request {
  std::string what;  // for messages: "put a.jpg"
  std::string method = "GET";
  std::string whole_key;  // with the prefix; "" for the bucket
  NameValues query;
  NameValues headers;
  std::string body;
  int body_fd = -1;
  ByteRange body_range;
  std::string payload_sha256;  // hex; empty: of `body`
  std::function<Status(std::string_view)> sink;
  std::function<Status(const HttpResponse&)> accept;
  std::function<void(uint64_t)> on_bytes_sent;
};

struct S3Head {
  std::string etag;
  uint64_t size = 0;
  int64_t modified_s = 0;
  std::string sha256;     // hex, from kS3HashHeader; empty for objects of others
  std::string file_time;  // as kS3FileTimeHeader has it; empty where there is none
};

class S3Client {
 public:
  S3Client(S3Place place, std::string ca_file, const RemoteSettings& settings,
           std::shared_ptr<TransferLoop> loop);

  [[nodiscard]] const S3Place& place() const { return place_; }
  // Ok for 2xx only; refusals become a Status (s3_status.h). `refusal` gets the answer when not null.
  Result<HttpResponse> send(const S3Request& request, const RequestContext& context,
                            HttpResponse* refusal = nullptr);
  // kNotFound only after a listing confirmed it: HEAD answers carry no reason.
  Result<S3Head> head(const std::string& whole_key, const RequestContext& context);

 private:
  Result<HttpResponse> send_signed(const S3Request& request, const Credentials& credentials,
                                   const RequestContext& context);
  // True when the refusal came from a wrong clock and the clock is corrected now.
  bool correct_clock(const HttpResponse& response, const S3Error& error);
  Status confirm_absent(const std::string& whole_key, const RequestContext& context);

  const S3Place place_;
  const std::string ca_file_;
  CredentialsSource credentials_;
  const std::shared_ptr<TransferLoop> loop_;  // shared by all remotes
  std::atomic<int64_t> clock_skew_s_{0};      // server's time minus ours
};

}  // namespace shoebox
