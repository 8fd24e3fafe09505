// A file system that shows a folder and fails, for tests: the fault proxy of remotes that are folders (a
// share of a NAS, what an SFTP server serves).
//
//     fault_folder FOLDER MOUNTPOINT [SEED]
//
// Says "ready" once it is mounted, then obeys lines on its standard input, and ends with it:
//
//     faults NAME=PROBABILITY...   from now on; those not named become 0; "limit=N" ends them after N
//     stats                        one line of JSON: {"requests": 3, "bytes_up": …, "bytes_down": …,
//     "faults": {…}}
//
// Each request meets at most one fault: as often as the probabilities say together, chosen among those that
// can happen to it.
//
//     eio estale etimedout enotconn  the server is not asked
//     eacces                         permission denied, of what opens or changes something
//     enospc edquot                  of what needs room
//     gone                           the root has nothing of the meta folder: the storage is not mounted
//     there stall                          answered after two seconds truncate                       half of
//     what was asked for is read, as if the file ended there cut                            half of what was
//     to be written is, then EIO flip flip_up                   one bit of what is read, or of what is
//     written, is another size etag                      a size, or a time, is told that is not the file's
//     lost                           done, but EIO is told
//     double                         done twice, the second outcome is told, as by NFS without a reply cache
#define FUSE_USE_VERSION 32
#include <dirent.h>
#include <fcntl.h>
#include <fuse3/fuse.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

enum Can : unsigned {
  kChanges = 1,
  kGrows = 2,
  kReads = 4,
  kWrites = 8,
  kTells = 16,
  kRepeats = 32,
  kMeta = 64
};

struct Kind {
  int error;      // told without the server being asked; 0: something else happens
  unsigned must;  // what the request must be able to do, any of; 0: nothing
};
const std::map<std::string, Kind> kKinds = {{"eio", {EIO, 0}},
                                            {"estale", {ESTALE, 0}},
                                            {"etimedout", {ETIMEDOUT, 0}},
                                            {"enotconn", {ENOTCONN, 0}},
                                            {"eacces", {EACCES, kChanges}},
                                            {"enospc", {ENOSPC, kGrows}},
                                            {"edquot", {EDQUOT, kGrows}},
                                            {"gone", {ENOENT, kMeta}},
                                            {"stall", {0, 0}},
                                            {"truncate", {0, kReads}},
                                            {"cut", {0, kWrites}},
                                            {"flip", {0, kReads}},
                                            {"flip_up", {0, kWrites}},
                                            {"size", {0, kTells}},
                                            {"etag", {0, kTells}},
                                            {"lost", {0, kChanges}},
                                            {"double", {0, kRepeats}}};

std::string root;

class Faults {
 public:
  void seed(unsigned number) { random_.seed(number); }
  void set(std::istringstream& words) {
    const std::lock_guard lock(mutex_);
    weights_.clear();
    left_ = -1;
    std::string word;
    while (words >> word) {
      const std::string name = word.substr(0, word.find('='));
      const double value = std::stod(word.substr(word.find('=') + 1));
      if (name == "limit") left_ = static_cast<long>(value);
      if (kKinds.contains(name)) weights_[name] = value;
    }
  }
  // What happens to a request that can do this; empty: nothing.
  std::string draw(unsigned can) {
    const std::lock_guard lock(mutex_);
    ++requests_;
    double all = 0;
    for (const auto& [name, weight] : weights_) all += weight;
    if (left_ == 0 || unit() >= all) return {};
    std::vector<std::string> names;
    std::vector<double> weights;
    for (const auto& [name, weight] : weights_) {
      const unsigned must = kKinds.at(name).must;
      if (weight <= 0 || (must != 0 && (can & must) == 0)) continue;
      names.push_back(name);
      weights.push_back(weight);
    }
    if (names.empty()) return {};
    const std::string& name =
        names[std::discrete_distribution<size_t>(weights.begin(), weights.end())(random_)];
    ++counts_[name];
    if (left_ > 0) --left_;
    return name;
  }
  size_t below(size_t limit) {
    const std::lock_guard lock(mutex_);
    return std::uniform_int_distribution<size_t>(0, limit - 1)(random_);
  }
  void moved(uint64_t up, uint64_t down) {
    const std::lock_guard lock(mutex_);
    bytes_up_ += up;
    bytes_down_ += down;
  }
  std::string stats() {
    const std::lock_guard lock(mutex_);
    std::ostringstream out;
    out << "{\"requests\": " << requests_ << ", \"bytes_up\": " << bytes_up_
        << ", \"bytes_down\": " << bytes_down_ << ", \"faults\": {";
    const char* comma = "";
    for (const auto& [name, count] : counts_) {
      out << comma << '"' << name << "\": " << count;
      comma = ", ";
    }
    out << "}}";
    return out.str();
  }

 private:
  double unit() { return std::uniform_real_distribution<double>(0, 1)(random_); }
  std::mutex mutex_;
  std::mt19937 random_;
  std::map<std::string, double> weights_;
  std::map<std::string, uint64_t> counts_;
  uint64_t requests_ = 0, bytes_up_ = 0, bytes_down_ = 0;
  long left_ = -1;  // -1: no end
} faults;

std::string real(const char* path) { return root + path; }
int outcome(long result) { return result < 0 ? -errno : 0; }

bool is_meta(const char* path) { return std::string(path).starts_with("/.shoebox"); }

// Does `work` with what befalls it. `fault` tells what the work itself has to see to.
int with(const char* path, unsigned can, const std::function<int(const std::string& fault)>& work) {
  if (path != nullptr && is_meta(path)) can |= kMeta;
  const std::string fault = faults.draw(can);
  if (fault.empty()) return work(fault);
  if (const int error = kKinds.at(fault).error; error != 0) return -error;
  if (fault == "stall") std::this_thread::sleep_for(std::chrono::seconds(2));
  const int done = work(fault);
  if (fault == "double") return work(fault);
  return fault == "lost" ? -EIO : done;
}

int on_getattr(const char* path, struct stat* st, fuse_file_info* info) {
  return with(path, kTells, [&](const std::string& fault) {
    const int done =
        outcome(info != nullptr ? ::fstat(static_cast<int>(info->fh), st) : ::lstat(real(path).c_str(), st));
    if (S_ISREG(st->st_mode) && fault == "size") st->st_size += 1000;
    if (S_ISREG(st->st_mode) && fault == "etag") st->st_mtim.tv_sec += 2;
    return done;
  });
}

int on_open(const char* path, fuse_file_info* info) {
  return with(path, kChanges, [&](const std::string& fault) {
    const int fd = ::open(real(path).c_str(), (info->flags & ~O_DIRECT) | O_CLOEXEC);
    if (fd < 0) return -errno;
    info->fh = static_cast<uint64_t>(fd);
    info->direct_io = 1;  // the kernel shall not answer in our place
    if (fault == "lost") ::close(fd);
    return 0;
  });
}

int on_create(const char* path, mode_t mode, fuse_file_info* info) {
  int fd = -1;
  return with(path, kChanges | kGrows | kRepeats, [&](const std::string& fault) {
    if (fd >= 0) ::close(fd);
    fd = ::open(real(path).c_str(), (info->flags & ~O_DIRECT) | O_CREAT | O_CLOEXEC, mode);
    if (fd < 0) return -errno;
    info->fh = static_cast<uint64_t>(fd);
    info->direct_io = 1;
    if (fault == "lost") ::close(fd);
    return 0;
  });
}

int on_read(const char* path, char* buffer, size_t size, off_t at, fuse_file_info* info) {
  return with(path, kReads, [&](const std::string& fault) {
    if (fault == "truncate") size /= 2;
    const ssize_t n = ::pread(static_cast<int>(info->fh), buffer, size, at);
    if (n < 0) return -errno;
    if (n > 0 && fault == "flip")
      buffer[faults.below(static_cast<size_t>(n))] ^= static_cast<char>(1U << faults.below(8));
    faults.moved(0, static_cast<uint64_t>(n));
    return static_cast<int>(n);
  });
}

int on_write(const char* path, const char* data, size_t size, off_t at, fuse_file_info* info) {
  return with(path, kChanges | kGrows | kWrites, [&](const std::string& fault) {
    std::string bytes(data, size);
    if (fault == "flip_up" && size > 0) bytes[faults.below(size)] ^= static_cast<char>(1U << faults.below(8));
    const ssize_t n =
        ::pwrite(static_cast<int>(info->fh), bytes.data(), fault == "cut" ? size / 2 : size, at);
    if (n < 0) return -errno;
    faults.moved(static_cast<uint64_t>(n), 0);
    return fault == "cut" ? -EIO : static_cast<int>(n);
  });
}

int on_fsync(const char* path, int, fuse_file_info* info) {
  return with(path, kChanges | kGrows,
              [&](const std::string&) { return outcome(::fsync(static_cast<int>(info->fh))); });
}

int on_flush(const char* path, fuse_file_info*) {
  return with(path, kGrows, [](const std::string&) { return 0; });  // what NFS tells at close
}

int on_release(const char*, fuse_file_info* info) { return outcome(::close(static_cast<int>(info->fh))); }

int on_unlink(const char* path) {
  return with(path, kChanges | kRepeats,
              [&](const std::string&) { return outcome(::unlink(real(path).c_str())); });
}

int on_mkdir(const char* path, mode_t mode) {
  return with(path, kChanges | kGrows | kRepeats,
              [&](const std::string&) { return outcome(::mkdir(real(path).c_str(), mode)); });
}

int on_rmdir(const char* path) {
  return with(path, kChanges | kRepeats,
              [&](const std::string&) { return outcome(::rmdir(real(path).c_str())); });
}

int on_rename(const char* from, const char* to, unsigned flags) {
  return with(from, kChanges | kRepeats, [&](const std::string&) {
    return outcome(::renameat2(AT_FDCWD, real(from).c_str(), AT_FDCWD, real(to).c_str(), flags));
  });
}

int on_link(const char* from, const char* to) {
  return with(from, kChanges | kRepeats,
              [&](const std::string&) { return outcome(::link(real(from).c_str(), real(to).c_str())); });
}

int on_truncate(const char* path, off_t size, fuse_file_info*) {
  return with(path, kChanges | kGrows,
              [&](const std::string&) { return outcome(::truncate(real(path).c_str(), size)); });
}

int on_utimens(const char* path, const timespec times[2], fuse_file_info*) {
  return with(path, kChanges, [&](const std::string&) {
    return outcome(::utimensat(AT_FDCWD, real(path).c_str(), times, AT_SYMLINK_NOFOLLOW));
  });
}

int on_statfs(const char* path, struct statvfs* out) {
  return with(path, 0, [&](const std::string&) { return outcome(::statvfs(real(path).c_str(), out)); });
}

int on_opendir(const char* path, fuse_file_info*) {
  return with(path, 0, [](const std::string&) { return 0; });
}

int on_fsyncdir(const char* path, int, fuse_file_info*) {
  return with(path, kChanges, [&](const std::string&) {
    const int fd = ::open(real(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -errno;
    const int done = outcome(::fsync(fd));
    ::close(fd);
    return done;
  });
}

int on_readdir(const char* path, void* buffer, fuse_fill_dir_t fill, off_t, fuse_file_info*,
               fuse_readdir_flags) {
  return with(path, 0, [&](const std::string&) {
    DIR* dir = ::opendir(real(path).c_str());
    if (dir == nullptr) return -errno;
    while (const dirent* entry = ::readdir(dir))
      fill(buffer, entry->d_name, nullptr, 0, fuse_fill_dir_flags{});
    ::closedir(dir);
    return 0;
  });
}

void* on_init(fuse_conn_info*, fuse_config* config) {
  // Nothing is remembered by the kernel: each look is a request, as others may write there too.
  config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
  config->hard_remove = 1;
  config->use_ino = 0;
  return nullptr;
}

void obey(fuse* mounted, const std::string& mountpoint) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    if (verb == "faults") faults.set(words);
    std::cout << (verb == "stats" ? faults.stats() : "ok") << std::endl;
  }
  std::istringstream none;
  faults.set(none);
  fuse_exit(mounted);
  ::access(mountpoint.c_str(), F_OK);  // so that a thread of the loop wakes up and sees it
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::cerr << "fault_folder FOLDER MOUNTPOINT [SEED]\n";
    return 2;
  }
  root = argv[1];
  const std::string mountpoint = argv[2];
  faults.seed(argc > 3 ? static_cast<unsigned>(std::stoul(argv[3])) : 1);
  fuse_operations operations{};
  operations.init = on_init;
  operations.getattr = on_getattr;
  operations.open = on_open;
  operations.create = on_create;
  operations.read = on_read;
  operations.write = on_write;
  operations.fsync = on_fsync;
  operations.flush = on_flush;
  operations.release = on_release;
  operations.unlink = on_unlink;
  operations.mkdir = on_mkdir;
  operations.rmdir = on_rmdir;
  operations.rename = on_rename;
  operations.link = on_link;
  operations.truncate = on_truncate;
  operations.utimens = on_utimens;
  operations.statfs = on_statfs;
  operations.opendir = on_opendir;
  operations.fsyncdir = on_fsyncdir;
  operations.readdir = on_readdir;

  std::string name = "fault_folder", option = "-o",
              value = "default_permissions,fsname=fault_folder,subtype=fault";
  char* arguments[] = {name.data(), option.data(), value.data(), nullptr};
  fuse_args args = FUSE_ARGS_INIT(3, arguments);
  fuse* mounted = fuse_new(&args, &operations, sizeof operations, nullptr);
  if (mounted == nullptr || fuse_mount(mounted, mountpoint.c_str()) != 0) return 1;
  std::cout << "ready" << std::endl;
  std::thread orders([&] { obey(mounted, mountpoint); });
  orders.detach();
  fuse_loop_config config{};
  config.max_idle_threads = 10;
  const int ended = fuse_loop_mt(mounted, &config);
  fuse_unmount(mounted);
  ::_exit(ended < 0 ? 1 : 0);  // the thread may still wait for its last look
}
