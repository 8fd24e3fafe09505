// Uploads above 16 MiB, in parts, resumable after a crash or a reboot.
//
// `progress` (PutOptions) names the upload: "shoebox-multipart 1 SIZE SHA256 PART_BYTES UPLOAD-ID",
// then a line "NUMBER ETAG" for each part sent. A resumed upload believes neither this nor the server
// alone: a part counts when the server lists it (ListParts) with the size and the ETag that the bytes
// at hand have, or that was noted when they were sent. All bytes are read and hashed again.
//
// Completion may be answered never, twice, or with status 200 and an error: what counts is what stands
// there afterwards (HEAD), with the expected ETag and size.
//
// Used by one put() on its thread.
#pragma once

#include <string>

#include "sync/remote/remote.h"
#include "sync/remote/s3_client.h"

namespace shoebox {

struct MultipartProgress {
  uint64_t size = 0;
  std::string sha256;  // hex
  uint64_t part_bytes = 0;
  std::string upload_id;
  std::vector<S3Part> parts;  // sizes are not noted

  [[nodiscard]] std::string text() const;
  // kInvalid for what no version of us wrote.
  static Result<MultipartProgress> parse(const std::string& text);
};

class S3MultipartUpload {
 public:
  S3MultipartUpload(S3Client& client, std::string whole_key, int fd, const PutOptions& options,
                    const RequestContext& context, uint64_t part_bytes);
  Result<S3Head> run();

 private:
  // The earlier attempt when it fits this object and the server still knows it.
  Result<bool> resume();
  Status begin();
  Status send_parts();
  Status send_part(const S3Part& part, uint64_t offset, const BodyDigests& digests, std::string* etag);
  Status complete();
  // What stands at the key, if it is this upload's object.
  Result<S3Head> finished_object();
  Result<std::vector<S3Part>> listed_parts();
  void abort();
  Status save();
  [[nodiscard]] std::string what(std::string_view verb) const { return std::string(verb) + " " + key_; }

  S3Client& client_;
  const std::string key_;
  const int fd_;
  const PutOptions& options_;
  const RequestContext& context_;
  const uint64_t part_bytes_;
  MultipartProgress progress_;
  std::vector<S3Part> on_server_;  // as listed at resume
  std::string whole_md5_;          // hex
  std::string expected_etag_;      // empty when the server's ETags are not MD5
};

// Copies an object of over 5 GiB, which CopyObject refuses, within the bucket.
Status s3_copy_in_parts(S3Client& client, const std::string& from, const std::string& to,
                        const S3Head& source, uint64_t part_bytes, const RequestContext& context);

// Value of x-amz-copy-source.
std::string s3_copy_source(const S3Place& place, const std::string& whole_key);

}  // namespace shoebox
