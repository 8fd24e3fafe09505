// The lock that shoebox-decoder closes behind itself before it reads the first byte of a file:
// resource limits, no_new_privs, Landlock where the kernel has it, and a seccomp allow-list.
#pragma once

#include <cstddef>

#include "store/base/result.h"

namespace shoebox {

struct SandboxLimits {
  size_t address_space_bytes = size_t{4} << 30;  // not applied under AddressSanitizer
  unsigned cpu_s = 4200;  // backstop: 400 files of at most 10 s; the parent's deadline comes first
};

// From now on: no path can be opened, no socket made, no program run, no process but this one
// signalled; memory, files and core dumps are limited. Cannot be undone. Threads that exist already
// are locked in as well. What a decoder never does (execve, socket, ptrace ...) kills the process;
// the rest of what is not allowed fails with EPERM, opening a path with EACCES.
Status lock_in(const SandboxLimits& limits);

// Built with a sanitizer: its runtime maps memory as it likes, and the sandbox lets it.
[[nodiscard]] bool sandbox_is_relaxed();

}  // namespace shoebox
