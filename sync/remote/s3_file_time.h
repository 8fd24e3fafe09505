// The time of a file beside its object on S3, as rclone and s3fs write it: metadata `mtime`, in seconds since
// 1970 with up to nine digits behind a point (rclone's documentation of its S3 backend, "Modification
// times").
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/base/clock.h"

namespace shoebox {

inline constexpr const char* kS3FileTimeHeader = "x-amz-meta-mtime";

std::string s3_file_time(Timestamp time);
// None for what is no such time, or beyond the year 9999.
std::optional<Timestamp> parse_s3_file_time(std::string_view text);

}  // namespace shoebox
