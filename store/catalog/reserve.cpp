#include "store/catalog/reserve.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "store/base/log.h"

namespace shoebox {
namespace {

constexpr uint64_t kShareOfDisk = 8;

}  // namespace

Reserve::Reserve(std::string folder, uint64_t bytes)
    : folder_(std::move(folder)), path_(folder_ + "/reserve"), wanted_bytes_(bytes) {}

Status Reserve::make_room_to_open() {
  const auto space = disk_space(folder_);
  if (!space) return Status::ok();
  wanted_bytes_ = std::min(wanted_bytes_, std::max(space->total_bytes / kShareOfDisk, kOpenBytes));
  if (space->free_bytes >= kOpenBytes) return Status::ok();
  // What is given back is counted by itself: of a disk on which root wrote all that is kept for root, the
  // system goes on saying that nothing is free.
  uint64_t room = space->free_bytes;
  if (struct stat st{}; ::stat(path_.c_str(), &st) == 0 && st.st_size > 0) {
    const auto size = static_cast<uint64_t>(st.st_size);
    const uint64_t given = std::min({size, static_cast<uint64_t>(st.st_blocks) * 512, kOpenBytes - room});
    if (::truncate(path_.c_str(), static_cast<off_t>(size - given)) == 0) room += given;
  }
  // A little may be lost to the disk's own bookkeeping.
  if (room >= kOpenBytes / 2) return Status::ok();
  return {Code::kNoSpace,
          fmt::format("catalog {}: {} MiB free on its disk, opening it needs {} MiB; free some "
                      "space and try again",
                      folder_, room >> 20, kOpenBytes >> 20)};
}

void Reserve::open() {
  given_back_ = wanted_bytes_;
  auto file = open_file(path_, O_RDWR | O_CREAT);
  if (!file) return;  // the disk is full or read-only: there is nothing to set aside
  file_ = std::move(*file);
  struct stat st {};
  if (::fstat(file_.get(), &st) == 0)
    set_bytes(
        std::min<uint64_t>(static_cast<uint64_t>(st.st_size), static_cast<uint64_t>(st.st_blocks) * 512));
  uint64_t missing = wanted_bytes_ - std::min(bytes_, wanted_bytes_);
  if (const auto space = disk_space(folder_))
    missing = std::min(missing, space->free_bytes - std::min(space->free_bytes, kSwitchBytes));
  take(missing);
}

void Reserve::fill() { take(wanted_bytes_ - std::min(bytes_, wanted_bytes_)); }

// Or as much of it as there is.
void Reserve::take(uint64_t missing) {
  if (!file_) return;
  for (; missing > 4096; missing /= 2) {
    const auto size = static_cast<off_t>(bytes_ + missing);
    if (::posix_fallocate(file_.get(), 0, size) == 0) {
      set_bytes(static_cast<uint64_t>(size));
      return;
    }
    (void)::ftruncate(file_.get(), static_cast<off_t>(bytes_));  // what a failed try left
  }
}

bool Reserve::give_back(uint64_t bytes) {
  if (!file_ || bytes_ == 0) return false;
  const uint64_t left = bytes_ - std::min(bytes, bytes_);
  if (::ftruncate(file_.get(), static_cast<off_t>(left)) != 0) return false;
  set_bytes(left);
  if (!std::exchange(warned_full_, true)) {
    log::warning("catalog {}: disk full, living on its reserve of {} MiB; free some space", folder_,
                 wanted_bytes_ >> 20);
  }
  return true;
}

void Reserve::set_bytes(uint64_t bytes) {
  bytes_ = bytes;
  given_back_ = wanted_bytes_ - std::min(bytes, wanted_bytes_);
}

}  // namespace shoebox
