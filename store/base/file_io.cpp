#include "store/base/file_io.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "store/base/kill_point.h"

namespace shoebox {

void UniqueFd::reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode) {
  return open_at(AT_FDCWD, path, flags, mode);
}

Result<UniqueFd> open_at(int dir_fd, const std::string& name, int flags, mode_t mode) {
  for (;;) {
    const int fd = ::openat(dir_fd, name.c_str(), flags | O_CLOEXEC, mode);
    if (fd >= 0) return UniqueFd(fd);
    if (errno != EINTR) return Status::from_errno(errno, "open " + name);
  }
}

Result<size_t> pread_full(int fd, void* buffer, size_t bytes, uint64_t offset) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t n =
        ::pread(fd, static_cast<char*>(buffer) + done, bytes - done, static_cast<off_t>(offset + done));
    if (n == 0) break;
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::from_errno(errno, "read");
    }
    done += static_cast<size_t>(n);
  }
  return done;
}

Result<std::string> read_file(const std::string& path, size_t max_bytes) {
  SHOEBOX_ASSIGN(UniqueFd fd, open_file(path, O_RDONLY));
  struct stat st {};
  if (::fstat(fd.get(), &st) != 0) return Status::from_errno(errno, "stat " + path);
  std::string bytes;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(fd.get(), buffer, sizeof buffer);
    if (n == 0) return bytes;
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::from_errno(errno, "read " + path);
    }
    bytes.append(buffer, static_cast<size_t>(n));
    if (bytes.size() > max_bytes) {
      return Status(Code::kTooBig, fmt::format("{}: larger than the {} bytes allowed", path, max_bytes));
    }
  }
}

Status pwrite_full(int fd, const void* buffer, size_t bytes, uint64_t offset) {
  size_t done = 0;
  while (done < bytes) {
    const ssize_t n = ::pwrite(fd, static_cast<const char*>(buffer) + done, bytes - done,
                               static_cast<off_t>(offset + done));
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::from_errno(errno, "write");
    }
    done += static_cast<size_t>(n);
  }
  return Status::ok();
}

Status write_full(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return Status::from_errno(errno, "write");
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return Status::ok();
}

Status fsync_fd(int fd, std::string_view path_for_message) {
  if (::fsync(fd) != 0) return Status::from_errno(errno, fmt::format("fsync {}", path_for_message));
  return Status::ok();
}

Status fdatasync_fd(int fd, std::string_view path_for_message) {
  if (::fdatasync(fd) != 0) {
    return Status::from_errno(errno, fmt::format("fdatasync {}", path_for_message));
  }
  return Status::ok();
}

Status fsync_dir(const std::string& path) {
  SHOEBOX_ASSIGN(UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
  return fsync_fd(fd.get(), path);
}

Status write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string temporary = fmt::format("{}.tmp.{}", path, ::getpid());
  {
    SHOEBOX_ASSIGN(UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode));
    Status written = write_full(fd.get(), bytes);
    if (written) written = fsync_fd(fd.get(), temporary);
    if (!written) {
      ::unlink(temporary.c_str());
      return written.with_context(path);
    }
  }
  kill_point("file-replaced");
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(temporary.c_str());
    return Status::from_errno(error, "rename to " + path);
  }
  const size_t slash = path.rfind('/');
  return fsync_dir(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

Status make_dir(const std::string& path, mode_t mode) {
  if (::mkdir(path.c_str(), mode) == 0 || errno == EEXIST) return Status::ok();
  return Status::from_errno(errno, "mkdir " + path);
}

Status make_dirs(const std::string& path, mode_t mode) {
  for (size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    SHOEBOX_TRY(make_dir(path.substr(0, slash), mode));
  }
  return make_dir(path, mode);
}

Result<DiskSpace> disk_space(const std::string& path) {
  struct statvfs st {};
  if (::statvfs(path.c_str(), &st) != 0) return Status::from_errno(errno, "statvfs " + path);
  return DiskSpace{uint64_t{st.f_bavail} * st.f_frsize, uint64_t{st.f_blocks} * st.f_frsize};
}

}  // namespace shoebox
