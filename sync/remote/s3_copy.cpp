#include "sync/remote/s3_copy.h"

#include <fmt/format.h>

#include <algorithm>

#include "sync/remote/s3_file_time.h"
#include "sync/remote/uri.h"

namespace shoebox {

std::string s3_copy_source(const S3Place& place, const std::string& whole_key) {
  return uri_encode("/" + place.bucket + "/" + whole_key, true);
}

Status s3_copy_in_parts(S3Client& client, const std::string& from, const std::string& to,
                        const S3Head& source, uint64_t part_bytes, const RequestContext& context) {
  S3Request begin;
  begin.what = "begin copy to " + to;
  begin.method = "POST";
  begin.whole_key = to;
  begin.query = {{"uploads", ""}};
  if (!source.sha256.empty()) begin.headers.emplace_back(kS3HashHeader, source.sha256);
  if (!source.file_time.empty()) begin.headers.emplace_back(kS3FileTimeHeader, source.file_time);
  SHOEBOX_ASSIGN(const HttpResponse begun, client.send(begin, context));
  SHOEBOX_ASSIGN(const std::string id, parse_s3_upload_id(begun.body));

  const auto copy_all = [&]() -> Status {
    std::vector<S3Part> parts;
    for (uint64_t offset = 0; offset < source.size; offset += part_bytes) {
      S3Part part{static_cast<uint32_t>(parts.size() + 1), "", std::min(part_bytes, source.size - offset)};
      S3Request request;
      request.what = fmt::format("copy part {} to {}", part.number, to);
      request.method = "PUT";
      request.whole_key = to;
      request.query = {{"partNumber", std::to_string(part.number)}, {"uploadId", id}};
      request.headers = {
          {"x-amz-copy-source", s3_copy_source(client.place(), from)},
          {"x-amz-copy-source-if-match", "\"" + source.etag + "\""},
          {"x-amz-copy-source-range", fmt::format("bytes={}-{}", offset, offset + part.size - 1)}};
      SHOEBOX_ASSIGN(const HttpResponse response, client.send(request, context));
      S3Error error;
      auto etag = parse_s3_result_etag(response.body, "CopyPartResult", &error);
      if (!etag || etag->empty()) {
        return {Code::kUnavailable, fmt::format("{}: no etag of the part: {}", request.what, error.code)};
      }
      part.etag = *etag;
      parts.push_back(std::move(part));
    }
    S3Request request;
    request.what = "complete copy to " + to;
    request.method = "POST";
    request.whole_key = to;
    request.query = {{"uploadId", id}};
    request.headers = {{"Content-Type", "application/xml"}};
    request.body = complete_multipart_xml(parts);
    SHOEBOX_ASSIGN(const HttpResponse response, client.send(request, context));
    S3Error error;
    auto etag = parse_s3_result_etag(response.body, "CompleteMultipartUploadResult", &error);
    if (!etag)
      return {Code::kUnavailable,
              fmt::format("{}: {} {}", request.what, etag.status().message(), error.code)};
    return Status::ok();
  };
  Status copied = copy_all();
  if (!copied) {
    S3Request abort;
    abort.what = "abort copy to " + to;
    abort.method = "DELETE";
    abort.whole_key = to;
    abort.query = {{"uploadId", id}};
    (void)client.send(abort, context).status();
  }
  return copied;
}

}  // namespace shoebox
