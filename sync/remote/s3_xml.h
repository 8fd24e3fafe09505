// The XML that S3 speaks: listings, errors, multipart. Answers are untrusted: bounded by the transfer
// loop, without DTDs and entities of their own, and of the expected kind, or refused with kUnavailable
// (a proxy's page is no answer of the remote).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

struct S3Error {
  std::string code;  // "NoSuchKey"; empty when the body is no S3 error
  std::string message;
  std::string region;    // what the server expects, when it says so
  std::string endpoint;  // likewise
};
// Never fails: a body that is no S3 error gives an empty code.
S3Error parse_s3_error(std::string_view xml);

struct S3Listed {
  std::string key;  // whole key in the bucket, decoded
  std::string etag;
  uint64_t size = 0;
  int64_t modified_s = 0;
};
struct S3Listing {
  std::vector<S3Listed> objects;
  std::string next_token;  // empty: the last page
};
Result<S3Listing> parse_s3_listing(std::string_view xml);

struct S3Part {
  uint32_t number = 0;
  std::string etag;
  uint64_t size = 0;
};
struct S3Parts {
  std::vector<S3Part> parts;
  uint32_t next_marker = 0;  // 0: the last page
};
Result<S3Parts> parse_s3_parts(std::string_view xml);

// Uploads in parts that were begun and neither completed nor ended.
struct S3Upload {
  std::string key;  // whole key in the bucket, decoded
  std::string id;
};
struct S3Uploads {
  std::vector<S3Upload> uploads;
  std::string next_key, next_id;  // empty: the last page
};
Result<S3Uploads> parse_s3_uploads(std::string_view xml);

// UploadId of an InitiateMultipartUploadResult.
Result<std::string> parse_s3_upload_id(std::string_view xml);
// ETag of a CompleteMultipartUploadResult, CopyObjectResult or CopyPartResult, "" where it names none
// (Ceph). Such an answer may be an error in spite of its status 200; then `error` is filled.
Result<std::string> parse_s3_result_etag(std::string_view xml, std::string_view root, S3Error* error);

// Body of CompleteMultipartUpload.
std::string complete_multipart_xml(const std::vector<S3Part>& parts);

// "2009-10-12T17:50:30.000Z"; 0 when it is none.
int64_t parse_iso_time_s(const std::string& text);

}  // namespace shoebox
