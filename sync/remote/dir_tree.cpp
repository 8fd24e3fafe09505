#include "sync/remote/dir_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>

#include "store/remote_places.h"
#include "sync/remote/temporary.h"

namespace shoebox {
namespace {

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW;

std::vector<std::string> folders_of(const std::string& key) {
  std::vector<std::string> names;
  size_t begin = 0;
  for (size_t slash = key.find('/'); slash != std::string::npos; slash = key.find('/', begin)) {
    names.push_back(key.substr(begin, slash - begin));
    begin = slash + 1;
  }
  return names;
}

// What a crash left in the temporary folder. Young files may be uploads of another machine.
void remove_stale_temporaries(int root_fd) {
  const int fd = ::openat(root_fd, kRemoteTemporaries, kFolder | O_CLOEXEC);
  if (fd < 0) return;
  DIR* dir = ::fdopendir(fd);
  if (dir == nullptr) {
    ::close(fd);
    return;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> closer(dir, ::closedir);
  const time_t now = ::time(nullptr);
  while (const dirent* entry = ::readdir(dir)) {
    struct stat st {};
    if (::fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        now - st.st_mtime > kStaleTemporary_s) {
      ::unlinkat(fd, entry->d_name, 0);
    }
  }
}

}  // namespace

Status dir_error(int error, std::string_view what) {
  const std::string message = fmt::format("{}: {}", what, std::strerror(error));
  switch (error) {
    case EACCES:
    case EPERM:
    case EROFS: return {Code::kUnauthorized, message};
    case EIO:
    case ESTALE:
    case ENOTCONN:
    case ENODEV:
    case ENXIO:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENETDOWN:
    case ENETUNREACH:
    case ETIMEDOUT:
    case ECONNABORTED:
    case EREMOTEIO: return {Code::kUnavailable, message};
    case ELOOP: return {Code::kInvalid, message + "; symlinks in a remote's folder are not followed"};
    case EILSEQ: return {Code::kInvalid, message};
    default: return Status::from_errno(error, what);
  }
}

Status sync_folder(int fd, std::string_view path_for_message) {
  if (::fsync(fd) == 0 || errno == EINVAL || errno == EOPNOTSUPP) return Status::ok();
  return dir_error(errno, fmt::format("fsync the folder of {}", path_for_message));
}

std::string DirTree::leaf(const std::string& key) {
  const size_t slash = key.rfind('/');
  return slash == std::string::npos ? key : key.substr(slash + 1);
}

Result<UniqueFd> DirTree::open_root() {
  // The owner may have put a symlink in the path to the folder; only below it none is followed.
  UniqueFd root(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!root) {
    if (errno == ENOENT || errno == ENOTDIR) {
      return Status(Code::kUnavailable,
                    fmt::format("folder {} is not there: mount it, or make it with mkdir -p", root_));
    }
    return dir_error(errno, "open " + root_);
  }
  struct stat st {};
  if (::fstat(root.get(), &st) != 0) return dir_error(errno, "stat " + root_);
  if (st.st_dev != device_) {
    // Perhaps mounted since the settings were read.
    SHOEBOX_TRY(refuse_on_drive(root.get()).with_context("folder " + root_));
    device_ = st.st_dev;
  }
  if (::fstatat(root.get(), kRemoteMarker, &st, AT_SYMLINK_NOFOLLOW) == 0) {
    if (!read_) {
      SHOEBOX_TRY(read_marker(root.get()));
      remove_stale_temporaries(root.get());
      read_ = true;
    }
    seen_ = true;
    return root;
  }
  if (errno != ENOENT) return dir_error(errno, fmt::format("stat {}/{}", root_, kRemoteMarker));
  if (seen_) {
    return Status(Code::kUnavailable,
                  fmt::format("{} has no {}, so it is not the folder used before: mount it, or make that "
                              "file if the backup there was removed on purpose",
                              root_, kRemoteMarker));
  }
  if (only_look_) return no_remote_yet(root_);
  SHOEBOX_TRY(first_use(root.get()));
  seen_ = true;
  return root;
}

Result<std::vector<std::string>> DirTree::temporaries(int root_fd) const {
  const std::string path = root_ + "/" + kRemoteTemporaries;
  UniqueFd fd(::openat(root_fd, kRemoteTemporaries, kFolder | O_CLOEXEC));
  if (!fd && errno == ENOENT) return std::vector<std::string>();
  if (!fd) return dir_error(errno, "open " + path);
  const int folder_fd = fd.get();
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::fdopendir(folder_fd), ::closedir);
  if (!dir) return dir_error(errno, "list " + path);
  fd.release();
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr && errno != 0) return dir_error(errno, "list " + path);
    if (entry == nullptr) return names;
    struct stat st {};
    const bool there = ::fstatat(folder_fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISREG(st.st_mode)) names.emplace_back(entry->d_name);
  }
}

Status DirTree::remove_temporary(int root_fd, const std::string& name) const {
  const std::string path = fmt::format("{}/{}", kRemoteTemporaries, name);
  SHOEBOX_ASSIGN(const UniqueFd folder, open_parent(root_fd, path));
  if (::unlinkat(folder.get(), name.c_str(), 0) == 0 || errno == ENOENT) return Status::ok();
  return dir_error(errno, fmt::format("remove {}/{}", root_, path));
}

Status DirTree::read_marker(int root_fd) const {
  const std::string path = root_ + "/" + kRemoteMarker;
  const UniqueFd marker(::openat(root_fd, kRemoteMarker, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!marker) return dir_error(errno, "open " + path);
  char text[kMaxMarkerBytes];
  const ssize_t bytes = ::pread(marker.get(), text, sizeof text, 0);
  if (bytes < 0) return dir_error(errno, "read " + path);
  return check_remote_marker({text, static_cast<size_t>(bytes)}, path);
}

Status DirTree::first_use(int root_fd) {
  SHOEBOX_ASSIGN(const UniqueFd meta, make_parent(root_fd, kRemoteMarker));
  const std::string name = leaf(kRemoteMarker);
  UniqueFd marker(::openat(meta.get(), name.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!marker) return dir_error(errno, fmt::format("create {}/{}", root_, kRemoteMarker));
  SHOEBOX_TRY(write_full(marker.get(), remote_marker_text()));
  if (::fsync(marker.get()) != 0) return dir_error(errno, fmt::format("fsync {}/{}", root_, kRemoteMarker));
  return sync_folder(meta.get(), fmt::format("{}/{}", root_, kRemoteMarker));
}

Result<UniqueFd> DirTree::open_parent(int root_fd, const std::string& key) const {
  UniqueFd at(::fcntl(root_fd, F_DUPFD_CLOEXEC, 0));
  if (!at) return dir_error(errno, "open " + root_);
  for (const std::string& name : folders_of(key)) {
    UniqueFd next(::openat(at.get(), name.c_str(), kFolder | O_CLOEXEC));
    if (!next) {
      // A file where the key has a folder: the object cannot be there either.
      return dir_error(errno == ENOTDIR ? ENOENT : errno, fmt::format("open {}/{}", root_, key));
    }
    at = std::move(next);
  }
  return at;
}

Result<UniqueFd> DirTree::make_parent(int root_fd, const std::string& key) const {
  UniqueFd at(::fcntl(root_fd, F_DUPFD_CLOEXEC, 0));
  if (!at) return dir_error(errno, "open " + root_);
  for (const std::string& name : folders_of(key)) {
    UniqueFd next(::openat(at.get(), name.c_str(), kFolder | O_CLOEXEC));
    if (!next && errno == ENOENT) {
      if (::mkdirat(at.get(), name.c_str(), 0755) != 0 && errno != EEXIST) {
        return dir_error(errno, fmt::format("mkdir {} for {}/{}", name, root_, key));
      }
      SHOEBOX_TRY(sync_folder(at.get(), fmt::format("{}/{}", root_, key)));
      next.reset(::openat(at.get(), name.c_str(), kFolder | O_CLOEXEC));
    }
    if (!next && errno == ENOTDIR) {
      // O_NOFOLLOW on a symlink to a folder reports ENOTDIR as well as a plain file does.
      return Status(Code::kInvalid, fmt::format("{} in {}/{} is not a folder", name, root_, key));
    }
    if (!next) return dir_error(errno, fmt::format("open the folder of {}/{}", root_, key));
    at = std::move(next);
  }
  return at;
}

void DirTree::remove_empty_parents(int root_fd, const std::string& key) const {
  std::string path = key;
  for (size_t slash = path.rfind('/'); slash != std::string::npos; slash = path.rfind('/')) {
    path.resize(slash);
    if (path == kRemoteMetaFolder || path == kRemoteTemporaries) return;
    auto parent = open_parent(root_fd, path);
    if (!parent || ::unlinkat(parent->get(), leaf(path).c_str(), AT_REMOVEDIR) != 0) return;
  }
}

}  // namespace shoebox
