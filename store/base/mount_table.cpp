#include "store/base/mount_table.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <cerrno>

#include "store/base/file_io.h"

namespace shoebox {
namespace {

// The kernel writes blank, tab, newline and backslash in mountinfo as \ooo.
std::string unescape_octal(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](size_t k) {
      return i + k < text.size() && text[i + k] >= '0' && text[i + k] <= '7';
    };
    if (text[i] == '\\' && octal(1) && octal(2) && octal(3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> words;
  while (!line.empty()) {
    const size_t blank = line.find(' ');
    if (blank != 0) words.push_back(line.substr(0, blank));
    if (blank == std::string_view::npos) break;
    line.remove_prefix(blank + 1);
  }
  return words;
}

}  // namespace

std::vector<MountedFs> parse_mountinfo(std::string_view mountinfo) {
  std::vector<MountedFs> mounts;
  while (!mountinfo.empty()) {
    const size_t newline = mountinfo.find('\n');
    const std::vector<std::string_view> words = split(mountinfo.substr(0, newline));
    mountinfo.remove_prefix(newline == std::string_view::npos ? mountinfo.size() : newline + 1);
    // ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [OPTIONAL...] - TYPE SOURCE SUPER
    for (size_t i = 6; i + 2 < words.size(); ++i) {
      if (words[i] != "-") continue;
      mounts.push_back({std::string(words[2]), unescape_octal(words[4]), std::string(words[i + 1]),
                        unescape_octal(words[i + 2])});
      break;
    }
  }
  return mounts;
}

Result<std::vector<MountedFs>> mounted_file_systems() {
  SHOEBOX_ASSIGN(const std::string text, read_file("/proc/self/mountinfo", 16 << 20));
  return parse_mountinfo(text);
}

Result<std::string> mount_type(int fd) {
  struct stat st {};
  if (::fstat(fd, &st) != 0) return Status::from_errno(errno, "stat");
  const std::string device = fmt::format("{}:{}", major(st.st_dev), minor(st.st_dev));
  SHOEBOX_ASSIGN(const std::vector<MountedFs> mounts, mounted_file_systems());
  for (const MountedFs& mount : mounts) {
    if (mount.device == device) return mount.type;
  }
  return std::string();
}

}  // namespace shoebox
