// Lines over a socket, bounded, with the peer's going away noticed. Used by both ends.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

inline constexpr size_t kMaxRequestBytes = 4 << 20;
inline constexpr size_t kMaxAnswerBytes = 64 << 20;

// Not thread-safe, but send() and receive() may run on different threads.
class LineSocket {
 public:
  explicit LineSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  // Sends `line` and a newline. kCancelled: the peer went away, or takes nothing for 10 s.
  Status send(std::string_view line);
  // The next line without its newline; nullopt when the peer closed before one began. kTooBig:
  // longer than `max_bytes`; kTimeout: not whole after `timeout_ms` (-1: wait); kCancelled when
  // `wake_fd` (-1: none) became readable.
  Result<std::optional<std::string>> receive(size_t max_bytes, int timeout_ms, int wake_fd);
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
  std::string buffer_;
};

}  // namespace shoebox
