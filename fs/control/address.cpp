#include "fs/control/address.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

namespace shoebox {

Result<ControlAddress> control_address(const std::string& library) {
  ControlAddress result;
  SHOEBOX_ASSIGN(result.folder, open_file(library, O_PATH | O_DIRECTORY));
  result.address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", result.folder.get(), kControlSocketName);
  std::memcpy(result.address.sun_path, path.c_str(), path.size() + 1);  // far below 108 bytes
  result.length = sizeof result.address;
  return result;
}

Result<ControlAddress> abstract_control_address(const std::string& library) {
  ControlAddress result;
  SHOEBOX_ASSIGN(result.folder, open_file(library, O_PATH | O_DIRECTORY));
  struct stat st {};
  if (::fstat(result.folder.get(), &st) != 0) return Status::from_errno(errno, "stat " + library);
  result.address.sun_family = AF_UNIX;
  const std::string name = fmt::format("shoebox/{:x}/{:x}", st.st_dev, st.st_ino);
  std::memcpy(result.address.sun_path + 1, name.data(), name.size());  // a NUL in front makes it abstract
  result.length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return result;
}

bool peer_is_trusted(int socket_fd) {
  ucred peer{};
  socklen_t length = sizeof peer;
  if (::getsockopt(socket_fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace shoebox
