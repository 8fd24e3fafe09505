#include "fs/unmount.h"

#include <fmt/format.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace shoebox {
namespace {

Status run_fusermount(const std::string& mountpoint, bool lazy) {
  std::vector<std::string> words = {"fusermount3", "-u", "-q"};
  if (lazy) words.emplace_back("-z");
  words.emplace_back("--");
  words.push_back(mountpoint);
  std::vector<char*> arguments;
  arguments.reserve(words.size() + 1);
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  if (const int error = posix_spawnp(&child, "fusermount3", nullptr, nullptr, arguments.data(), environ)) {
    return Status::from_errno(error, "run fusermount3");
  }
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Status::from_errno(errno, "wait for fusermount3");
  }
  if (status == 0) return Status::ok();
  return {Code::kBusy, fmt::format("unmount {}: in use", mountpoint)};
}

}  // namespace

Status unmount_path(const std::string& mountpoint, bool lazy) {
  if (umount2(mountpoint.c_str(), UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0) return Status::ok();
  if (errno == EPERM) return run_fusermount(mountpoint, lazy);
  return Status::from_errno(errno, fmt::format("unmount {}", mountpoint));
}

}  // namespace shoebox
