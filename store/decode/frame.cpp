// Frames of the decoder wire over a stream socket, with a descriptor beside the first byte. Used by
// both sides; any thread, one at a time on a socket.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "store/base/coding.h"
#include "store/decode/wire.h"

namespace shoebox::wire {
namespace {

// Some of the bytes; a descriptor that came along goes to `fd`.
Result<size_t> receive_some(int socket, char* buffer, size_t bytes, UniqueFd* fd) {
  iovec part{.iov_base = buffer, .iov_len = bytes};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  // It died with unread bytes in its socket, or without.
  if (got < 0 && errno == ECONNRESET) return {Code::kUnavailable, "the other side closed the socket"};
  if (got < 0) return Status::from_errno(errno, "read from the decoder's socket");
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    int passed = -1;
    std::memcpy(&passed, CMSG_DATA(header), sizeof passed);
    UniqueFd owner(passed);
    if (fd != nullptr) *fd = std::move(owner);
  }
  if (got == 0) return {Code::kUnavailable, "the other side closed the socket"};
  return static_cast<size_t>(got);
}

Status receive_all(int socket, char* buffer, size_t bytes, Patience patience, UniqueFd* fd) {
  while (bytes > 0) {
    SHOEBOX_TRY(wait_readable(socket, patience));
    SHOEBOX_ASSIGN(const size_t got, receive_some(socket, buffer, bytes, fd));
    buffer += got;
    bytes -= got;
  }
  return Status::ok();
}

}  // namespace

Status wait_readable(int socket, Patience patience) {
  for (;;) {
    int timeout_ms = -1;
    if (patience.deadline != Deadline::max()) {
      const auto left =
          std::chrono::ceil<std::chrono::milliseconds>(patience.deadline - std::chrono::steady_clock::now());
      timeout_ms = static_cast<int>(std::max<int64_t>(0, left.count()));
    }
    // One that is negative is passed over.
    pollfd entries[] = {{.fd = socket, .events = POLLIN, .revents = 0},
                        {.fd = patience.given_up, .events = POLLIN, .revents = 0}};
    const int ready = ::poll(entries, std::size(entries), timeout_ms);
    if (ready > 0 && entries[1].revents != 0) return {Code::kCancelled, "nobody waits for the answer"};
    if (ready > 0) return Status::ok();
    if (ready == 0) return {Code::kTimeout, "no answer in time"};
    if (errno != EINTR) return Status::from_errno(errno, "poll on the decoder's socket");
  }
}

Status send_frame(int socket, std::string_view payload, int fd) {
  std::string frame;
  frame.reserve(payload.size() + 4);
  put_be32(frame, static_cast<uint32_t>(payload.size()));
  frame.append(payload);
  std::string_view rest = frame;
  while (!rest.empty()) {
    iovec part{.iov_base = const_cast<char*>(rest.data()), .iov_len = rest.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (fd >= 0) {
      message.msg_control = control;
      message.msg_controllen = sizeof control;
      cmsghdr* header = CMSG_FIRSTHDR(&message);
      header->cmsg_level = SOL_SOCKET;
      header->cmsg_type = SCM_RIGHTS;
      header->cmsg_len = CMSG_LEN(sizeof fd);
      std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    }
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno == EPIPE || errno == ECONNRESET)
        return {Code::kUnavailable, "the other side closed the socket"};
      return Status::from_errno(errno, "write to the decoder's socket");
    }
    fd = -1;  // it went with the first byte
    rest.remove_prefix(static_cast<size_t>(sent));
  }
  return Status::ok();
}

Result<std::string> receive_frame(int socket, size_t max_bytes, Patience patience, UniqueFd* fd) {
  char length[4];
  SHOEBOX_TRY(receive_all(socket, length, sizeof length, patience, fd));
  const size_t bytes = Decoder({length, sizeof length}).be32();
  if (bytes > max_bytes) {
    return {Code::kDataLoss, fmt::format("frame of {} bytes on the decoder's socket, at most {} are allowed",
                                         bytes, max_bytes)};
  }
  std::string payload(bytes, '\0');
  SHOEBOX_TRY(receive_all(socket, payload.data(), bytes, patience, nullptr));
  return payload;
}

}  // namespace shoebox::wire
