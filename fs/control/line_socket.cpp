#include "fs/control/line_socket.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace shoebox {
namespace {

// A client that reads nothing for this long is taken for gone.
constexpr int kSendPatienceMs = 10'000;

}  // namespace

Status LineSocket::send(std::string_view line) {
  std::string bytes(line);
  bytes += '\n';
  size_t sent = 0;
  while (sent < bytes.size()) {
    pollfd ready{fd_.get(), POLLOUT, 0};
    const int polled = ::poll(&ready, 1, kSendPatienceMs);
    if (polled < 0 && errno == EINTR) continue;
    if (polled <= 0) return {Code::kCancelled, "the other end takes nothing any more"};
    const ssize_t n =
        ::send(fd_.get(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return {Code::kCancelled, "the other end went away"};
    }
    sent += static_cast<size_t>(n);
  }
  return Status::ok();
}

Result<std::optional<std::string>> LineSocket::receive(size_t max_bytes, int timeout_ms, int wake_fd) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(std::max(timeout_ms, 0));
  size_t searched = 0;
  for (;;) {
    const size_t newline = buffer_.find('\n', searched);
    if (newline != std::string::npos && newline <= max_bytes) {
      std::string line = buffer_.substr(0, newline);
      buffer_.erase(0, newline + 1);
      return std::optional(std::move(line));
    }
    searched = buffer_.size();
    if (buffer_.size() > max_bytes) {
      return Status(Code::kTooBig, fmt::format("a line longer than {} bytes", max_bytes));
    }
    int wait_ms = -1;
    if (timeout_ms >= 0) {
      const auto left =
          std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
      if (left.count() <= 0) return Status(Code::kTimeout, "no whole line in time");
      wait_ms = static_cast<int>(left.count());
    }
    pollfd ready[2] = {{fd_.get(), POLLIN, 0}, {wake_fd, POLLIN, 0}};
    const int polled = ::poll(ready, wake_fd >= 0 ? 2 : 1, wait_ms);
    if (polled < 0 && errno != EINTR) return Status::from_errno(errno, "wait for the control socket");
    if (polled <= 0) continue;
    if (wake_fd >= 0 && ready[1].revents != 0) return Status(Code::kCancelled, "told to stop");
    char bytes[65536];
    const ssize_t n = ::recv(fd_.get(), bytes, sizeof bytes, MSG_DONTWAIT);
    if (n < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return Status::from_errno(errno, "read from the control socket");
    }
    if (n == 0) {
      if (buffer_.empty()) return std::optional<std::string>();
      return Status(Code::kUnavailable, "the other end went away in the middle of a line");
    }
    buffer_.append(bytes, static_cast<size_t>(n));
  }
}

}  // namespace shoebox
