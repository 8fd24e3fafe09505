#include "store/base/mount_type.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>
#include <sstream>

#include "store/base/file_io.h"

namespace shoebox {

// proc(5): "36 35 0:53 / /mnt rw,noatime shared:1 - fuse.shoebox /srv/library rw"; the third word is the
// device.
Result<std::string> mount_type(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return Status::from_errno(errno, "stat");
  const std::string device = fmt::format("{}:{}", major(st.st_dev), minor(st.st_dev));
  SHOEBOX_ASSIGN(const std::string table, read_file("/proc/self/mountinfo", 16 << 20));
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string id, parent, on, word;
    words >> id >> parent >> on;
    if (on != device) continue;
    while (words >> word && word != "-") continue;
    if (words >> word) return word;
  }
  return std::string();
}

}  // namespace shoebox
