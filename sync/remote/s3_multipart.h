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
// Several parts are on their way at once, as many as the caller lets it (RequestContext::at_once), while the
// next one is hashed. They may end in any order, and each is noted when it did. A byte is read twice: once
// for the hashes of its part and of the whole, once to be sent.
//
// Used by one put() on its thread; the parts are sent by threads of their own.
#pragma once

#include <functional>
#include <string>
#include <vector>

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

class PartsInFlight;

class S3MultipartUpload {
 public:
  S3MultipartUpload(S3Client& client, std::string whole_key, int fd, const PutOptions& options,
                    const RequestContext& context, uint64_t part_bytes);
  Result<S3Head> run();

 private:
  // The earlier attempt when it fits this object and the server still knows it.
  Result<bool> resume();
  Status begin();
  struct Part {
    S3Part sent;  // the etag once it is
    uint64_t offset = 0;
    BodyDigests digests;
  };
  Status send_parts();
  [[nodiscard]] size_t at_once() const;
  Status hash_part(size_t index, Sha256& whole);
  // Whether the server has it from an earlier attempt.
  bool is_there(size_t index);
  // On the thread of that part.
  Status send_part(Part& part, const RequestContext& context, const std::function<void(uint64_t)>& on_bytes);
  // Waits for one of those under way, and notes it.
  Status land_part(PartsInFlight& flying);
  Status note_part(size_t index);
  void tell_bytes(const PartsInFlight& flying) const;
  void expect_etag();
  Status complete();
  // What stands at the key, if it is this upload's object.
  Result<S3Head> finished_object();
  Result<bool> is_md5_of_whole(const std::string& etag) const;
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
  std::vector<Part> parts_;        // of the whole object; while one is under way, of its thread
  uint64_t done_bytes_ = 0;        // of the parts that are there
  std::string expected_etag_;      // empty when the server's ETags are not MD5
};

}  // namespace shoebox
