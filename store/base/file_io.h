// Files of the local disk: descriptors that close themselves, whole reads and writes, and the
// three steps that make a file durable (write to a temporary name, fsync, rename, fsync the folder).
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

// Owns a file descriptor. Movable, closes on destruction (errors of close are lost: fsync first).
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

// open(2) with O_CLOEXEC added, EINTR repeated.
Result<UniqueFd> open_file(const std::string& path, int flags, mode_t mode = 0600);
Result<UniqueFd> open_at(int dir_fd, const std::string& name, int flags, mode_t mode = 0600);

// Reads up to `bytes` at `offset`; fewer only at the end of the file.
Result<size_t> pread_full(int fd, void* buffer, size_t bytes, uint64_t offset);
Result<std::string> read_file(const std::string& path, size_t max_bytes = 64 << 20);
// Writes all bytes, or says which errno stopped it.
Status pwrite_full(int fd, const void* buffer, size_t bytes, uint64_t offset);
Status write_full(int fd, std::string_view bytes);

Status fsync_fd(int fd, std::string_view path_for_message);
Status fdatasync_fd(int fd, std::string_view path_for_message);
// Makes names created in, renamed into or removed from `path` durable.
Status fsync_dir(const std::string& path);

// Replaces `path` with these bytes so that a crash leaves the old file or the new one.
Status write_file_atomically(const std::string& path, std::string_view bytes, mode_t mode = 0600);

// mkdir that is content when the folder stands already.
Status make_dir(const std::string& path, mode_t mode = 0700);
Status make_dirs(const std::string& path, mode_t mode = 0700);

// Bytes free for this user, and the size, of the file system under `path`.
struct DiskSpace {
  uint64_t free_bytes = 0;
  uint64_t total_bytes = 0;
};
Result<DiskSpace> disk_space(const std::string& path);

}  // namespace shoebox
