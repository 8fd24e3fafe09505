#include "fs/control/address.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>

#include <cstring>

namespace shoebox {

Result<ControlAddress> control_address(const std::string& library) {
  ControlAddress result;
  SHOEBOX_ASSIGN(result.folder, open_file(library, O_PATH | O_DIRECTORY));
  result.address.sun_family = AF_UNIX;
  const std::string path = fmt::format("/proc/self/fd/{}/{}", result.folder.get(), kControlSocketName);
  std::memcpy(result.address.sun_path, path.c_str(), path.size() + 1);  // far below 108 bytes
  return result;
}

}  // namespace shoebox
