#include "sync/remote/crypt_scratch.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace shoebox {
namespace {

// Left for the catalog and for files being written meanwhile.
constexpr uint64_t kReserveBytes = 64 << 20;

// Enough for nearly every photo, and little for a machine even four times.
constexpr uint64_t kMostInMemoryBytes = 32 << 20;

bool in_memory(const std::string& folder) {
  struct statfs fs {};
  if (::statfs(folder.c_str(), &fs) != 0) return false;
  const auto type = static_cast<unsigned long>(fs.f_type);
  return type == TMPFS_MAGIC || type == RAMFS_MAGIC;
}

// A file without a name in this folder, as large as it will be.
Result<UniqueFd> unnamed_file(const std::string& folder, uint64_t bytes) {
  const std::string what = "make a temporary file in " + folder;
  UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    std::string path = folder + "/.shoebox-encrypting-XXXXXX";
    fd.reset(::mkostemp(path.data(), O_CLOEXEC));
    if (fd) ::unlink(path.c_str());
  }
  if (!fd) return Status::from_errno(errno, what);
  if (bytes > 0) {
    const int error = ::posix_fallocate(fd.get(), 0, static_cast<off_t>(bytes));
    if (error != 0) return Status::from_errno(error, what);
  }
  return fd;
}

bool has_room(const std::string& folder, uint64_t bytes) {
  const auto disk = disk_space(folder);
  return disk && disk->free_bytes >= bytes + kReserveBytes;
}

}  // namespace

Result<UniqueFd> CryptScratch::make(uint64_t bytes) const {
  Status why;
  if (!folder.empty()) {
    if (!has_room(folder, bytes) && make_room) make_room(bytes + kReserveBytes);
    if (has_room(folder, bytes)) {
      auto fd = unnamed_file(folder, bytes);
      if (fd) return fd;
      why = fd.status();
    }
  }
  const char* variable = std::getenv("TMPDIR");
  const std::string other = variable != nullptr && *variable == '/' ? variable : "/var/tmp";
  if (has_room(other, bytes) && (folder.empty() || !in_memory(other))) {
    auto fd = unnamed_file(other, bytes);
    if (fd) return fd;
    if (why) why = fd.status();
  }
  if (bytes <= kMostInMemoryBytes) {
    UniqueFd fd(::memfd_create("shoebox-encrypting", MFD_CLOEXEC));
    if (fd) return fd;
  }
  return Status(
      Code::kBusy,
      fmt::format("no room for an encrypted copy of {} bytes in {} or {}{}{}; free some, it is tried again",
                  bytes, folder.empty() ? "$TMPDIR" : folder, other, why ? "" : ": ", why.message()));
}

}  // namespace shoebox
