// The messages between DecoderPool and shoebox-decoder, and the frames that carry them (WIRE.md).
//
// The parent parses replies as untrusted: the process that made them has read a hostile file. Every
// length has a bound, every value a range; a reply that breaks one is refused as a whole.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/file_io.h"
#include "store/base/result.h"
#include "store/decode/media_decoder.h"

namespace shoebox::wire {

inline constexpr uint8_t kVersion = 4;
inline constexpr size_t kMaxRequestBytes = 8 << 10;
inline constexpr size_t kMaxReplyBytes = 8 << 20;
inline constexpr size_t kMaxNames = 256;       // people, tags
inline constexpr size_t kMaxNameBytes = 1024;  // one person, tag, or name of a place
inline constexpr size_t kMaxFieldBytes = 256;  // mime, make, model
inline constexpr size_t kMaxCaptionBytes = 8 << 10;
inline constexpr size_t kMaxSidecarBytes = 4 << 20;  // far above any that a program writes; not read
inline constexpr size_t kMaxThumbnails = 4;
inline constexpr size_t kMaxThumbnailBytes = 3 << 20;

struct Request {
  std::string name;  // of the file, to help guess a format
  // Bytes that are not there and read as zeros; empty: all are there.
  ByteRange hole{};
};

std::string encode_ready();
Status parse_ready(std::string_view bytes);
std::string encode(const Request& request);
Result<Request> parse_request(std::string_view bytes);
std::string encode(const DecodedMedia& media);
Result<DecodedMedia> parse_reply(std::string_view bytes);

// At most `bytes` of `text`, cut between characters.
std::string_view clip_utf8(std::string_view text, size_t bytes);
[[nodiscard]] bool is_utf8(std::string_view text);

using Deadline = std::chrono::steady_clock::time_point;

// One frame: 32-bit big-endian length and payload. `fd` (>= 0) goes with its first byte.
Status send_frame(int socket, std::string_view payload, int fd = -1);
// For how long somebody waits: until `deadline`, or until `given_up` (>= 0) can be read.
struct Patience {
  Patience(Deadline until, int given_up_fd = -1)
      : deadline(until), given_up(given_up_fd) {}  // NOLINT: implicit
  Deadline deadline;
  int given_up;
};

// kTimeout: nothing came until the deadline. kCancelled: given up before.
Status wait_readable(int socket, Patience patience);
// kTimeout: not all there at the deadline. kCancelled: given up before. kUnavailable: the other side is gone.
// kDataLoss: longer than `max_bytes`. A descriptor that came along goes to `fd`, or is closed when that is
// null.
Result<std::string> receive_frame(int socket, size_t max_bytes, Patience patience, UniqueFd* fd = nullptr);

}  // namespace shoebox::wire
