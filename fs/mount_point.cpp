#include "fs/mount_point.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

#include "fs/unmount.h"
#include "store/base/file_io.h"
#include "store/base/log.h"
#include "store/base/mount_table.h"
#include "store/base/paths.h"

namespace shoebox {
namespace {

std::string real_path(const std::string& path) {
  const std::unique_ptr<char, void (*)(void*)> resolved(realpath(path.c_str(), nullptr), std::free);
  return resolved ? resolved.get() : path;
}

// What is mounted last on exactly this path.
std::optional<MountedFs> mount_at(const std::string& path) {
  const Result<std::vector<MountedFs>> mounts = mounted_file_systems();
  std::optional<MountedFs> found;
  if (!mounts) return found;
  for (const MountedFs& mount : *mounts) {
    if (mount.mountpoint == path) found = mount;
  }
  return found;
}

// The first name in it, or none.
Result<std::optional<std::string>> first_name(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opendir(folder.c_str()), closedir);
  if (!dir) return Status::from_errno(errno, fmt::format("read the mount point {}", folder));
  errno = 0;
  while (const dirent* entry = readdir(dir.get())) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    return std::optional<std::string>(entry->d_name);
  }
  if (errno != 0) return Status::from_errno(errno, fmt::format("read the mount point {}", folder));
  return std::optional<std::string>();
}

}  // namespace

Status check_mount_point(const std::string& mountpoint, const std::string& library) {
  struct stat info = {};
  struct statvfs disk = {};
  // statvfs as well: the kernel remembers the attributes of a mount whose process is gone.
  if (stat(mountpoint.c_str(), &info) != 0 || statvfs(mountpoint.c_str(), &disk) != 0) {
    if (errno == ENOENT) {
      return {Code::kNotFound,
              fmt::format("mount point {} is not there; make it with: mkdir -p {}", mountpoint, mountpoint)};
    }
    if (errno != ENOTCONN && errno != ECONNABORTED)
      return Status::from_errno(errno, fmt::format("look at the mount point {}", mountpoint));
    const std::optional<MountedFs> dead = mount_at(mountpoint);
    if (!dead || dead->type != kShoeboxMountType) {
      return {Code::kBusy, fmt::format("the mount on {} is dead ({}); take it away with: umount -l {}",
                                       mountpoint, dead ? dead->type : "unknown type", mountpoint)};
    }
    log::warning("{}: takes away the mount that a process that died left there", mountpoint);
    SHOEBOX_TRY(unmount_path(mountpoint, /*lazy=*/true));
    return check_mount_point(mountpoint, library);
  }
  if (!S_ISDIR(info.st_mode)) {
    return {Code::kNotDirectory,
            fmt::format("mount point {} is not a folder; name an empty folder", mountpoint)};
  }
  const std::string path = real_path(mountpoint);
  if (const auto there = mount_at(path); there && there->type == kShoeboxMountType) {
    return {Code::kBusy, fmt::format("{} is mounted on {} already; unmount it first with: fusermount3 -u {}",
                                     there->source, mountpoint, mountpoint)};
  }
  const std::string library_path = real_path(library);
  if (lies_in(path, library_path) || lies_in(library_path, path)) {
    return {Code::kInvalid,
            fmt::format("mount point {} and library {} lie in each other; use separate folders", mountpoint,
                        library)};
  }
  SHOEBOX_ASSIGN(const std::optional<std::string> name, first_name(mountpoint));
  if (name) {
    return {
        Code::kNotEmpty,
        fmt::format("mount point {} is not empty, it holds \"{}\"; mount on an empty folder, and copy what "
                    "lies there in afterwards",
                    mountpoint, *name)};
  }
  return Status::ok();
}

Status check_fuse_device() {
  const Result<UniqueFd> device = open_file("/dev/fuse", O_RDWR);
  if (device.is_ok()) return Status::ok();
  if (device.code() == Code::kNotFound) {
    return {Code::kNotFound,
            "/dev/fuse is not there; load the module with \"modprobe fuse\", or start the container with "
            "--device /dev/fuse --cap-add SYS_ADMIN"};
  }
  return device.status().with_context("this system does not let you mount with FUSE");
}

}  // namespace shoebox
