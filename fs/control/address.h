// Where the control socket of a library is, whatever the length of the library's path.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

inline constexpr const char* kControlSocketName = "control.sock";

// An address that is valid while `folder` is open.
struct ControlAddress {
  UniqueFd folder;
  sockaddr_un address{};
  socklen_t length = 0;
  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address); }
};
// LIBRARY/control.sock.
Result<ControlAddress> control_address(const std::string& library);
// The abstract name that stands in for it where the disk is read-only and holds no socket: made of the
// device and inode of the folder. Anybody can bind or reach it, so both ends check the other's user.
Result<ControlAddress> abstract_control_address(const std::string& library);
// Whether the process at the other end belongs to root or to this user.
bool peer_is_trusted(int socket_fd);

}  // namespace shoebox
