// Mount options: what stands after -o, in fstab, or what mount(8) passes on.
//
// Those that concern how files look are applied by fs/reply.cpp, those that the kernel knows are
// handed to libfuse, those that concern fstab only are accepted and dropped, others are refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

struct MountOptions {
  bool read_only = false;
  bool allow_other = false;
  std::optional<uint32_t> uid, gid;  // every file seems to belong to them
  std::optional<uint32_t> umask;     // every file seems to have mode 0777 & ~umask
  std::vector<std::string> kernel;   // for libfuse: "nosuid", "noatime", ...

  // What files look like is not what they are: ACLs would contradict it.
  [[nodiscard]] bool overrides_attributes() const { return uid || gid || umask; }
};

// Each element may hold several options, separated by commas. Of contradicting ones the last counts.
Result<MountOptions> parse_mount_options(const std::vector<std::string>& options);

}  // namespace shoebox
