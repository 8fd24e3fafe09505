#include "fs/command/import_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>

#include "fs/command/escape.h"
#include "store/base/file_io.h"
#include "store/tree/name_class.h"

namespace shoebox {
namespace {

// What stands in the folder of every remote that is not encrypted (sync/remote/LAYOUT.md).
constexpr const char* kBackupMark = ".shoebox";
constexpr const char* kBackup = "a backup of Shoebox, which --move would delete";

struct DirCloser {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

Result<std::vector<std::string>> names_in(const std::string& path) {
  // Not through a symlink: a folder may be swapped for one while we walk.
  SHOEBOX_ASSIGN(UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const std::unique_ptr<DIR, DirCloser> dir(::fdopendir(fd.get()));
  if (!dir) return Status::from_errno(errno, "list " + printable(path));
  fd.release();
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
    errno = 0;
  }
  if (errno != 0) return Status::from_errno(errno, "list " + printable(path));
  std::sort(names.begin(), names.end());
  return names;
}

std::filesystem::path real_path(const std::string& folder) {
  std::error_code failed;
  std::filesystem::path real = std::filesystem::canonical(folder, failed);
  return failed ? std::filesystem::path(folder) : real;
}

}  // namespace

std::string backup_around(const std::string& folder, const std::vector<std::string>& remotes) {
  std::set<std::filesystem::path> known;
  for (const std::string& remote : remotes) known.insert(real_path(remote));
  for (std::filesystem::path here = real_path(folder);; here = here.parent_path()) {
    struct stat st {};
    const bool marked = ::lstat((here / kBackupMark).c_str(), &st) == 0 && S_ISDIR(st.st_mode);
    if (marked || known.contains(here)) return here.string();
    if (!here.has_relative_path()) return {};
  }
}

Result<std::vector<ImportSource>> scan_source(
    const std::string& folder, const std::vector<LeftOut>& except, bool leave_backups,
    const CancelToken& cancel,
    const std::function<void(const std::string& path, const std::string& why)>& skip) {
  struct stat top {};
  if (::stat(folder.c_str(), &top) != 0) return Status::from_errno(errno, printable(folder));
  if (!S_ISDIR(top.st_mode)) return Status(Code::kNotDirectory, printable(folder) + ": is not a folder");
  std::vector<ImportSource> files;
  std::vector<std::string> open = {""};
  while (!open.empty()) {
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    const std::string below = open.back();
    open.pop_back();
    // The trailing "/." lets the folder itself be named by a symlink.
    const Result<std::vector<std::string>> names =
        names_in(below.empty() ? folder + "/." : folder + "/" + below);
    if (!names) {
      if (below.empty()) return names.status();
      skip(below, names.status().message());
      continue;
    }
    if (leave_backups && std::binary_search(names->begin(), names->end(), kBackupMark)) {
      skip(below, kBackup);
      continue;
    }
    std::vector<std::string> folders;
    for (const std::string& name : *names) {
      const std::string path = below.empty() ? name : below + "/" + name;
      struct stat st {};
      if (::lstat((folder + "/" + path).c_str(), &st) != 0) {
        skip(path, Status::from_errno(errno, "stat").message());
      } else if (S_ISDIR(st.st_mode) && name.front() == '.') {
        skip(path, "a hidden folder");
      } else if (const auto out =
                     std::find_if(except.begin(), except.end(),
                                  [&](const LeftOut& one) { return one.path == folder + "/" + path; });
                 S_ISDIR(st.st_mode) && out != except.end()) {
        skip(path, out->why);
      } else if (S_ISDIR(st.st_mode)) {
        folders.push_back(path);
      } else if (S_ISLNK(st.st_mode)) {
        skip(path, "a symbolic link");
      } else if (!S_ISREG(st.st_mode)) {
        skip(path, "no regular file");
      } else if (classify_name(name) == NameClass::kJunk) {
        skip(path, "hidden, temporary or a desktop's own file");
      } else {
        files.push_back({path,
                         static_cast<uint64_t>(st.st_size),
                         {st.st_mtim.tv_sec, static_cast<uint32_t>(st.st_mtim.tv_nsec)},
                         st.st_mode & 0777,
                         st.st_dev,
                         st.st_ino});
      }
    }
    open.insert(open.end(), folders.rbegin(), folders.rend());
  }
  return files;
}

}  // namespace shoebox
