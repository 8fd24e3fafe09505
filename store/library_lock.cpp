#include "store/library_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace shoebox {

Result<LibraryLock> LibraryLock::take(const std::string& library, bool read_only) {
  const std::string path = library + "/lock";
  Result<UniqueFd> fd = read_only ? open_file(path, O_RDONLY) : open_file(path, O_RDWR | O_CREAT, 0600);
  if (!fd) {
    if (read_only && fd.code() == Code::kNotFound) return LibraryLock(UniqueFd());
    return fd.status();
  }
  while (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return Status::from_errno(errno, "lock " + path);
    std::string holder = read_file(path, 64).is_ok() ? *read_file(path, 64) : "";
    holder.erase(std::remove_if(holder.begin(), holder.end(), [](char c) { return c < '0' || c > '9'; }),
                 holder.end());
    return Status(Code::kBusy,
                  fmt::format("library {} is in use by process {}; unmount it, or let that one finish",
                              library, holder.empty() ? "unknown" : holder));
  }
  if (!read_only) {
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd->get(), 0) != 0) return Status::from_errno(errno, "write " + path);
    SHOEBOX_TRY(pwrite_full(fd->get(), pid.data(), pid.size(), 0));
  }
  return LibraryLock(std::move(*fd));
}

}  // namespace shoebox
