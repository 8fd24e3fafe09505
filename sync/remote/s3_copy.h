// Copies of S3 objects that the server makes by itself, also of those too large for one request.
//
// Used by S3Remote; any thread.
#pragma once

#include <string>

#include "sync/remote/remote.h"
#include "sync/remote/s3_client.h"

namespace shoebox {

// Copies an object of over 5 GiB, which CopyObject refuses, within the bucket.
Status s3_copy_in_parts(S3Client& client, const std::string& from, const std::string& to,
                        const S3Head& source, uint64_t part_bytes, const RequestContext& context);

// Value of x-amz-copy-source.
std::string s3_copy_source(const S3Place& place, const std::string& whole_key);

}  // namespace shoebox
