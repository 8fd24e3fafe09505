// DirRemote::list: the files of the folder in the order of their keys, a page at a time.
//
// The page token is the last key given. Each page walks only the folders on the way to it and after.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "sync/remote/checks.h"
#include "sync/remote/dir_remote.h"

namespace shoebox {
namespace {

constexpr size_t kPageObjects = 1000;  // as S3 does
constexpr int kMaxDepth = 512;         // a key of 1024 bytes has no more folders

struct Walk {
  const std::string& root;
  const std::string& prefix;
  const std::string& after;
  const RequestContext& context;
  ListPage page;
};

// Whether keys that start with `folder` ("a/b/") can be wanted.
bool wanted_folder(const Walk& walk, const std::string& folder) {
  const bool in_prefix = folder.starts_with(walk.prefix) || walk.prefix.starts_with(folder);
  const bool before = folder < walk.after && !walk.after.starts_with(folder);
  return in_prefix && !before;
}

Status walk_folder(Walk& walk, UniqueFd fd, const std::string& folder, int depth) {
  const std::string path = walk.root + "/" + folder;
  if (depth > kMaxDepth) return {Code::kInvalid, "folders nest too deeply in " + path};
  SHOEBOX_TRY(check_wanted(walk.context));
  const int folder_fd = fd.get();
  DIR* opened = ::fdopendir(folder_fd);
  if (opened == nullptr) return dir_error(errno, "list " + path);
  fd.release();
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(opened, ::closedir);

  // A folder sorts as its keys do: with the slash.
  std::vector<std::string> names;
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(dir.get());
    if (entry == nullptr) {
      // A listing that broke off must never look like a short one.
      if (errno != 0) return dir_error(errno, "list " + path);
      break;
    }
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    unsigned char type = entry->d_type;
    if (type == DT_UNKNOWN) {
      struct stat st {};
      if (::fstatat(folder_fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;
        return dir_error(errno, "stat " + path + name);
      }
      type = S_ISDIR(st.st_mode) ? DT_DIR : S_ISREG(st.st_mode) ? DT_REG : DT_LNK;
    }
    if (type == DT_DIR) name += '/';
    if (type == DT_DIR || type == DT_REG) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());

  for (const std::string& name : names) {
    if (!walk.page.next.empty()) return Status::ok();
    const std::string key = folder + name;
    if (name.ends_with('/')) {
      if (key == std::string(kRemoteTemporaries) + "/" || !wanted_folder(walk, key)) continue;
      UniqueFd below(::openat(folder_fd, name.substr(0, name.size() - 1).c_str(),
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!below) {
        if (errno == ENOENT) continue;  // removed since, as empty
        return dir_error(errno, "open " + walk.root + "/" + key);
      }
      SHOEBOX_TRY(walk_folder(walk, std::move(below), key, depth + 1));
      continue;
    }
    if (!key.starts_with(walk.prefix) || key <= walk.after || key == kRemoteMarker) continue;
    struct stat st {};
    if (::fstatat(folder_fd, name.c_str(), &st, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) continue;
      return dir_error(errno, "stat " + walk.root + "/" + key);
    }
    if (!S_ISREG(st.st_mode)) continue;
    if (walk.page.objects.size() == kPageObjects) {
      walk.page.next = walk.page.objects.back().key;
      return Status::ok();
    }
    walk.page.objects.push_back(dir_object(key, st));
  }
  return Status::ok();
}

}  // namespace

Result<ListPage> DirRemote::list(const std::string& prefix, const std::string& next,
                                 const RequestContext& context) {
  if (context.hints != nullptr) ++context.hints->requests;
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(UniqueFd root, tree_.open_root());
  Walk walk{tree_.root(), prefix, next, context, {}};
  SHOEBOX_TRY(walk_folder(walk, std::move(root), "", 0));
  return std::move(walk.page);
}

}  // namespace shoebox
