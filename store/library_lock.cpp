#include "store/library_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>

#include "store/base/log.h"

namespace shoebox {
namespace {

// Longer than the end of a mount takes with a remote that does not answer.
constexpr std::chrono::seconds kLongestEnd{30};
constexpr std::chrono::milliseconds kLookAgain{50};
constexpr std::string_view kEnding = "ending\n";

// The pid of whoever holds this flock, as the kernel tells it; empty where it does not.
std::string holder_by_kernel(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return {};
  const std::string file = fmt::format("{:02x}:{:02x}:{}", major(st.st_dev), minor(st.st_dev), st.st_ino);
  std::ifstream table("/proc/locks");  // "2: FLOCK  ADVISORY  WRITE 7113 fe:00:11018266 0 EOF"
  for (std::string line; std::getline(table, line);) {
    std::istringstream words(line);
    std::string number;
    std::string kind;
    std::string advisory;
    std::string access;
    std::string pid;
    std::string where;
    words >> number >> kind >> advisory >> access >> pid >> where;
    if (kind == "FLOCK" && where == file) return pid;
  }
  return {};
}

}  // namespace

void LibraryLock::mark_ending() {
  if (!fd_) return;
  const std::string text = fmt::format("{} {}", ::getpid(), kEnding);
  // For others only: without it they are told that the library is in use, which is so.
  if (const Status written = pwrite_full(fd_.get(), text.data(), text.size(), 0); !written)
    log::debug("lock: {}", written.message());
}

Result<LibraryLock> LibraryLock::take(const std::string& library, bool read_only,
                                      const WorthWaiting& worth_waiting) {
  const std::string path = library + "/lock";
  // Who mounts read-only says who it is as well, where that can be written.
  Result<UniqueFd> fd = read_only ? open_file(path, O_RDWR) : open_file(path, O_RDWR | O_CREAT, 0600);
  const bool writable = fd.is_ok();
  if (!fd && read_only) fd = open_file(path, O_RDONLY);
  if (!fd) {
    if (read_only && fd.code() == Code::kNotFound) return LibraryLock(UniqueFd());
    return fd.status();
  }
  const auto patience = std::chrono::steady_clock::now() + kLongestEnd;
  bool told = false;
  while (::flock(fd->get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return Status::from_errno(errno, "lock " + path);
    const Result<std::string> said = read_file(path, 64);
    std::string holder = said.is_ok() ? *said : "";
    bool ending = holder.ends_with(kEnding);
    holder.erase(std::remove_if(holder.begin(), holder.end(), [](char c) { return c < '0' || c > '9'; }),
                 holder.end());
    // On a read-only disk the file tells of whoever could write there last.
    if (const std::string real = holder_by_kernel(fd->get()); !real.empty() && real != holder) {
      holder = real;
      ending = false;
    }
    if (holder.empty()) holder = "unknown";
    if ((ending || (worth_waiting && worth_waiting(library))) &&
        std::chrono::steady_clock::now() < patience) {
      if (!std::exchange(told, true))
        log::info("library {} is in use by process {}; waiting for it", library, holder);
      std::this_thread::sleep_for(kLookAgain);
      continue;
    }
    return Status(Code::kBusy,
                  fmt::format("library {} is in use by process {}; unmount it, or let that one finish",
                              library, holder));
  }
  if (writable) {
    const std::string pid = fmt::format("{}\n", ::getpid());
    if (::ftruncate(fd->get(), 0) != 0) return Status::from_errno(errno, "write " + path);
    const Status written = pwrite_full(fd->get(), pid.data(), pid.size(), 0).with_context(path);
    if (written.code() == Code::kNoSpace)
      return {Code::kNoSpace, written.message() + "; make room on the disk of the library"};
    SHOEBOX_TRY(written);
  }
  return LibraryLock(std::move(*fd));
}

}  // namespace shoebox
