#include "fs/session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "fs/filesystem.h"
#include "fs/fuse_api.h"
#include "fs/session_ops.h"
#include "fs/unmount.h"
#include "store/base/file_io.h"
#include "store/base/log.h"

namespace shoebox {
namespace {

// Enough that some may wait for the disk in a flush while others answer.
constexpr unsigned kWorkers = 12;

class Arguments {
 public:
  Arguments() { fuse_opt_add_arg(&arguments_, "shoebox"); }
  ~Arguments() { fuse_opt_free_args(&arguments_); }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  void option(const std::string& option) {
    // Commas and backslashes in a path must not end the option.
    std::string escaped;
    for (const char c : option) {
      if (c == ',' || c == '\\') escaped.push_back('\\');
      escaped.push_back(c);
    }
    fuse_opt_add_arg(&arguments_, "-o");
    fuse_opt_add_arg(&arguments_, escaped.c_str());
  }
  fuse_args* get() { return &arguments_; }

 private:
  fuse_args arguments_ = FUSE_ARGS_INIT(0, nullptr);
};

void to_log(fuse_log_level level, const char* format, va_list values) {
  char line[512];
  const int length = std::vsnprintf(line, sizeof(line), format, values);
  if (length <= 0) return;
  std::string_view text(line, std::min<size_t>(static_cast<size_t>(length), sizeof(line) - 1));
  while (text.ends_with('\n')) text.remove_suffix(1);
  if (level <= FUSE_LOG_WARNING) {
    log::warning("libfuse: {}", text);
  } else {
    log::debug("libfuse: {}", text);
  }
}

}  // namespace

Result<std::unique_ptr<Session>> Session::create(Filesystem& filesystem, const std::string& source) {
  fuse_set_log_func(to_log);
  Arguments arguments;
  const MountOptions& options = filesystem.options;
  arguments.option("default_permissions");
  arguments.option("fsname=" + source);
  arguments.option("subtype=shoebox");
  if (options.read_only) arguments.option("ro");
  if (options.allow_other) arguments.option("allow_other");
  for (const std::string& option : options.kernel) arguments.option(option);
  const fuse_lowlevel_ops ops = session_ops();
  fuse_session* session = fuse_session_new(arguments.get(), &ops, sizeof(ops), &filesystem);
  if (session == nullptr) {
    return Status(Code::kInvalid, "libfuse refuses the mount options; see the line above");
  }
  return std::unique_ptr<Session>(new Session(session));
}

Session::~Session() {
  unmount();
  fuse_session_destroy(session_);
}

Status Session::mount(const std::string& mountpoint) {
  if (fuse_session_mount(session_, mountpoint.c_str()) != 0) {
    return {Code::kIo,
            fmt::format("mount on {}: refused by the system; the lines above say why", mountpoint)};
  }
  mountpoint_ = mountpoint;
  mounted_ = true;
  return Status::ok();
}

void Session::raise_read_ahead() {
  struct stat root = {};
  if (stat(mountpoint_.c_str(), &root) != 0) return;
  const std::string path =
      fmt::format("/sys/class/bdi/{}:{}/read_ahead_kb", major(root.st_dev), minor(root.st_dev));
  const Result<UniqueFd> file = open_file(path, O_WRONLY);
  if (file.is_ok() && !write_full(file->get(), "1024")) log::debug("{}: not raised", path);
}

Status Session::run() {
  fuse_loop_config* config = fuse_loop_cfg_create();
  fuse_loop_cfg_set_clone_fd(config, 1);
  fuse_loop_cfg_set_max_threads(config, kWorkers);
  fuse_loop_cfg_set_idle_threads(config, kWorkers);
  const int result = fuse_session_loop_mt(session_, config);
  fuse_loop_cfg_destroy(config);
  if (result >= 0) return Status::ok();
  return Status::from_errno(-result, "serve the mount");
}

void Session::request_unmount() {
  {
    // Mapped pages that nobody wrote back yet; served by our own workers.
    const Result<UniqueFd> root = open_file(mountpoint_, O_RDONLY | O_DIRECTORY);
    if (root.is_ok() && syncfs(root->get()) != 0) {
      log::warning("write back what is mapped below {}: {}", mountpoint_, std::strerror(errno));
    }
  }
  if (unmount_path(mountpoint_, /*lazy=*/false)) return;  // run() returns by itself
  detach();
}

void Session::detach() {
  log::warning("{}: files below it are still in use; detached, their programs get errors from now on",
               mountpoint_);
  const Result<UniqueFd> root = open_file(mountpoint_, O_RDONLY | O_DIRECTORY);
  if (const Status detached = unmount_path(mountpoint_, /*lazy=*/true); !detached) {
    log::warning("{}", detached.message());
  }
  fuse_session_exit(session_);
  // A worker sees that only after its next request: give it one.
  struct statfs answer = {};
  if (root.is_ok() && fstatfs(root->get(), &answer) != 0) {
    log::debug("{}: {}", mountpoint_, std::strerror(errno));
  }
}

void Session::unmount() {
  if (!mounted_) return;
  mounted_ = false;
  fuse_session_unmount(session_);
}

int Session::invalidate_name(InodeNo directory, const std::string& name) {
  return fuse_lowlevel_notify_inval_entry(session_, directory.value, name.data(), name.size());
}

int Session::invalidate_attributes(InodeNo inode) {
  return fuse_lowlevel_notify_inval_inode(session_, inode.value, -1, 0);
}

int Session::invalidate_data(InodeNo inode) {
  return fuse_lowlevel_notify_inval_inode(session_, inode.value, 0, 0);
}

}  // namespace shoebox
