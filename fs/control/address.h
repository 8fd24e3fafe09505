// Where the control socket of a library is, whatever the length of the library's path.
#pragma once

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
};
Result<ControlAddress> control_address(const std::string& library);

}  // namespace shoebox
