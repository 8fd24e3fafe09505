#include "sync/remote/dir_remote.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "sync/remote/checks.h"
#include "sync/remote/temporary.h"

namespace shoebox {
namespace {

constexpr size_t kPieceBytes = 256 * 1024;  // a cancelled call ends within one piece

Status check_object_key(const std::string& key) {
  SHOEBOX_TRY(check_key(key));
  if (is_reserved_key(key)) {
    return {Code::kInvalid, fmt::format("remote key {} is kept for the remote itself", key)};
  }
  return Status::ok();
}

// Calls `piece` with the bytes of [begin, end) of `fd`, in order, as fast as `pace` lets it. Short when the
// file ends earlier.
Result<uint64_t> read_pieces(int fd, ByteRange range, Pace* pace, const RequestContext& context,
                             const std::string& path, const std::function<Status(std::string_view)>& piece) {
  const size_t most = pace == nullptr ? kPieceBytes : std::min(kPieceBytes, pace->piece());
  std::string buffer(std::min<uint64_t>(most, std::max<uint64_t>(range.size(), 1)), '\0');
  uint64_t at = range.begin;
  while (at < range.end) {
    SHOEBOX_TRY(check_wanted(context));
    const size_t want = std::min<uint64_t>(buffer.size(), range.end - at);
    if (pace != nullptr) SHOEBOX_TRY(pace->wait(want, context));
    const ssize_t n = ::pread(fd, buffer.data(), want, static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return dir_error(errno, "read " + path);
    if (n == 0) break;
    SHOEBOX_TRY(piece(std::string_view(buffer.data(), static_cast<size_t>(n))));
    at += static_cast<uint64_t>(n);
  }
  return at - range.begin;
}

Result<ContentHash> hash_past_the_cache(int fd, uint64_t size, const RequestContext& context,
                                        const std::string& path) {
  // Only clean pages are dropped, which is why the caller synced before.
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
  Sha256 hash;
  SHOEBOX_TRY(read_pieces(fd, {0, size}, context.bandwidth.down, context, path, [&](std::string_view bytes) {
                hash.update(bytes.data(), bytes.size());
                return Status::ok();
              }).status());
  return hash.finish();
}

// Sets a whole, even second as mtime, which every file system keeps (FAT rounds to two), so that the
// ETag is still the same after a remount; later than that of the object it replaces.
Status settle_mtime(int fd, int parent_fd, const std::string& leaf, const std::string& path) {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  time_t second = now.tv_sec - now.tv_sec % 2;
  struct stat old {};
  if (::fstatat(parent_fd, leaf.c_str(), &old, AT_SYMLINK_NOFOLLOW) == 0 && old.st_mtime >= second) {
    second = old.st_mtime - old.st_mtime % 2 + 2;
  }
  const timespec times[2] = {{second, 0}, {second, 0}};
  // A share that maps all users to one refuses this; its own time then has to do.
  if (::futimens(fd, times) != 0 && errno != EPERM && errno != EACCES) {
    return dir_error(errno, "set the time of " + path);
  }
  return Status::ok();
}

}  // namespace

std::string dir_etag(const struct ::stat& st) {
  return fmt::format("{}-{}.{:09}", st.st_size, st.st_mtim.tv_sec, st.st_mtim.tv_nsec);
}

RemoteObject dir_object(const std::string& key, const struct ::stat& st) {
  return {key, dir_etag(st), static_cast<uint64_t>(st.st_size), st.st_mtime};
}

DirRemote::DirRemote(std::string name, std::string root, bool used_before, bool only_look)
    : name_(std::move(name)), tree_(std::move(root), used_before, only_look) {}

Result<UniqueFd> DirRemote::begin(const std::string& key, const RequestContext& context) {
  if (context.hints != nullptr) ++context.hints->requests;
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_TRY(check_object_key(key));
  return tree_.open_root();
}

Status DirRemote::check(const RequestContext& context) {
  if (context.hints != nullptr) ++context.hints->requests;
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const UniqueFd root, tree_.open_root());
  if (::faccessat(root.get(), ".", W_OK | X_OK, AT_EACCESS) != 0) {
    return dir_error(
        errno, fmt::format("folder {} cannot be written to; give this user the right to", tree_.root()));
  }
  return Status::ok();
}

Result<UniqueFd> DirRemote::open_object(int root_fd, const std::string& key, struct ::stat* st) const {
  SHOEBOX_ASSIGN(const UniqueFd parent, tree_.open_parent(root_fd, key));
  // O_NONBLOCK: a fifo put there by somebody must not stop us.
  UniqueFd fd(
      ::openat(parent.get(), DirTree::leaf(key).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return dir_error(errno, "open " + path_of(key));
  if (::fstat(fd.get(), st) != 0) return dir_error(errno, "stat " + path_of(key));
  if (!S_ISREG(st->st_mode)) {
    return Status(S_ISDIR(st->st_mode) ? Code::kNotFound : Code::kInvalid,
                  path_of(key) + " is no regular file");
  }
  return fd;
}

Result<RemoteObject> DirRemote::stat(const std::string& key, const RequestContext& context) {
  SHOEBOX_ASSIGN(const UniqueFd root, begin(key, context));
  struct ::stat st {};
  SHOEBOX_ASSIGN(const UniqueFd fd, open_object(root.get(), key, &st));
  return dir_object(key, st);
}

Status DirRemote::get(const std::string& key, ByteRange range, const std::string& etag,
                      const std::function<Status(std::string_view)>& sink, const RequestContext& context) {
  SHOEBOX_ASSIGN(const UniqueFd root, begin(key, context));
  struct ::stat st {};
  SHOEBOX_ASSIGN(const UniqueFd fd, open_object(root.get(), key, &st));
  if (!etag.empty() && etag != dir_etag(st)) {
    return {Code::kConflict, fmt::format("{} changed: etag is {}, not {}", path_of(key), dir_etag(st), etag)};
  }
  SHOEBOX_ASSIGN(const uint64_t got,
                 read_pieces(fd.get(), range, context.bandwidth.down, context, path_of(key), sink));
  // Somebody may write it in place meanwhile.
  if (!etag.empty() && (::fstat(fd.get(), &st) != 0 || etag != dir_etag(st))) {
    return {Code::kConflict, fmt::format("{} changed while it was read", path_of(key))};
  }
  if (got < range.size()) {
    return {Code::kDataLoss,
            fmt::format("{} ends at byte {}, before {}", path_of(key), range.begin + got, range.end)};
  }
  return Status::ok();
}

Result<RemoteObject> DirRemote::put(const std::string& key, int fd, const PutOptions& options,
                                    const RequestContext& context) {
  SHOEBOX_ASSIGN(const UniqueFd root, begin(key, context));
  if (options.if_absent) {
    struct ::stat st {};
    auto there = open_object(root.get(), key, &st);
    if (there) {
      // Whoever wrote it may have been cut off before it was durable, and a copy must be.
      SHOEBOX_TRY(fsync_fd(there->get(), path_of(key)));
      SHOEBOX_ASSIGN(const UniqueFd parent, tree_.open_parent(root.get(), key));
      SHOEBOX_TRY(sync_folder(parent.get(), path_of(key)));
      SHOEBOX_ASSIGN(const bool same, holds(root.get(), key, options.size, options.sha256, context));
      if (same) return dir_object(key, st);
      return Status(Code::kConflict, path_of(key) + " is there already with other bytes");
    }
    if (there.code() != Code::kNotFound) return there.status();
  }
  return store(root.get(), key, fd, options, context);
}

Result<bool> DirRemote::holds(int root_fd, const std::string& key, uint64_t size, const ContentHash& sha256,
                              const RequestContext& context) const {
  struct ::stat st {};
  SHOEBOX_ASSIGN(const UniqueFd fd, open_object(root_fd, key, &st));
  if (static_cast<uint64_t>(st.st_size) != size) return false;
  SHOEBOX_ASSIGN(const ContentHash hash, hash_past_the_cache(fd.get(), size, context, path_of(key)));
  return hash == sha256;
}

Result<ContentHash> DirRemote::copy_bytes(int from, int to, const PutOptions& options,
                                          const std::string& path, const RequestContext& context) const {
  Sha256 hash;
  uint64_t at = 0;
  SHOEBOX_ASSIGN(
      const uint64_t read,
      read_pieces(from, {0, options.size}, context.bandwidth.up, context, path, [&](std::string_view bytes) {
        hash.update(bytes.data(), bytes.size());
        for (size_t done = 0; done < bytes.size();) {
          const ssize_t n =
              ::pwrite(to, bytes.data() + done, bytes.size() - done, static_cast<off_t>(at + done));
          if (n < 0 && errno == EINTR) continue;
          if (n < 0) return dir_error(errno, "write " + path);
          done += static_cast<size_t>(n);
        }
        at += bytes.size();
        if (options.on_bytes) options.on_bytes(at);
        return Status::ok();
      }));
  if (read < options.size) {
    return Status(Code::kDataLoss,
                  fmt::format("{}: source ends after {} of {} bytes", path, read, options.size));
  }
  return hash.finish();
}

Result<RemoteObject> DirRemote::store(int root_fd, const std::string& key, int fd, const PutOptions& options,
                                      const RequestContext& context) {
  const std::string path = path_of(key);
  SHOEBOX_ASSIGN(const std::string unique, new_temporary_name());
  const std::string temporary = fmt::format("{}/{}", kRemoteTemporaries, unique);
  SHOEBOX_ASSIGN(const UniqueFd folder, tree_.make_parent(root_fd, temporary));
  SHOEBOX_ASSIGN(const UniqueFd parent, tree_.make_parent(root_fd, key));
  const std::string name = DirTree::leaf(temporary);
  UniqueFd out(
      ::openat(folder.get(), name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644));
  if (!out) return dir_error(errno, fmt::format("create {}/{}", tree_.root(), temporary));

  const auto attempt = [&]() -> Result<RemoteObject> {
    SHOEBOX_ASSIGN(const ContentHash sent, copy_bytes(fd, out.get(), options, path, context));
    if (!options.sha256.is_zero() && sent != options.sha256) {
      return Status(Code::kDataLoss,
                    path + ": the bytes that were read are not those of the hash that is known");
    }
    SHOEBOX_TRY(settle_mtime(out.get(), parent.get(), DirTree::leaf(key), path));
    if (::fsync(out.get()) != 0) return dir_error(errno, "fsync " + path);
    SHOEBOX_ASSIGN(const ContentHash kept, hash_past_the_cache(out.get(), options.size, context, path));
    if (kept != sent)
      return Status(Code::kDataLoss, path + ": the disk read back other bytes than were written");
    kill_point("put-written");
    SHOEBOX_TRY(check_wanted(context));
    SHOEBOX_TRY(place(root_fd, temporary, key, options.if_absent, context));
    struct ::stat st {};
    if (::fstat(out.get(), &st) != 0) return dir_error(errno, "stat " + path);
    return dir_object(key, st);
  };
  auto stored = attempt();
  if (!stored) {
    ::unlinkat(folder.get(), name.c_str(), 0);
    tree_.remove_empty_parents(root_fd, key);
  }
  return stored;
}

Status DirRemote::place(int root_fd, const std::string& temporary, const std::string& key, bool if_absent,
                        const RequestContext& context) const {
  // remove() of a neighbour may take the folder away as empty, once it is made: then it is made again.
  constexpr int kAttempts = 5;
  SHOEBOX_ASSIGN(const UniqueFd from, tree_.open_parent(root_fd, temporary));
  const std::string source = DirTree::leaf(temporary);
  const std::string target = DirTree::leaf(key);
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    SHOEBOX_ASSIGN(const UniqueFd to, tree_.make_parent(root_fd, key));
    int error = 0;
    if (if_absent) {
      error = ::renameat2(from.get(), source.c_str(), to.get(), target.c_str(), RENAME_NOREPLACE) == 0
                  ? 0
                  : errno;
      if (error == EINVAL || error == ENOSYS || error == EOPNOTSUPP) {
        // File systems without the flag (NFS, FAT): a hard link fails on an existing name as well.
        error = ::linkat(from.get(), source.c_str(), to.get(), target.c_str(), 0) == 0 ? 0 : errno;
        if (error == 0) ::unlinkat(from.get(), source.c_str(), 0);
      }
      if (error == EPERM || error == EOPNOTSUPP || error == EMLINK) {
        // Neither: put() looked just now, and one owner writes here.
        if (context.hints != nullptr) context.hints->looked_first = true;
        struct ::stat st {};
        error = ::fstatat(to.get(), target.c_str(), &st, AT_SYMLINK_NOFOLLOW) == 0 ? EEXIST : 0;
        if (error == 0)
          error = ::renameat(from.get(), source.c_str(), to.get(), target.c_str()) == 0 ? 0 : errno;
      }
    } else {
      error = ::renameat(from.get(), source.c_str(), to.get(), target.c_str()) == 0 ? 0 : errno;
    }
    if (error == 0) kill_point("put-placed");
    if (error == 0) return sync_folder(to.get(), path_of(key));
    if (error == EEXIST) return {Code::kConflict, path_of(key) + " is there already with other bytes"};
    if (error == EISDIR || error == ENOTEMPTY) {
      return {Code::kInvalid, path_of(key) + " is a folder; the object needs another key"};
    }
    if (error != ENOENT) return dir_error(error, "rename to " + path_of(key));
  }
  return {Code::kUnavailable, "the folder of " + path_of(key) + " keeps vanishing"};
}

Status DirRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  SHOEBOX_ASSIGN(const UniqueFd root, begin(from, context));
  SHOEBOX_TRY(check_object_key(to));
  struct ::stat st {};
  SHOEBOX_ASSIGN(const UniqueFd fd, open_object(root.get(), from, &st));
  PutOptions options;
  options.size = static_cast<uint64_t>(st.st_size);
  // What is read to be written must be what stands there, as the source may be removed.
  options.sha256 = context.source_sha256;
  if (options.sha256.is_zero()) {
    SHOEBOX_ASSIGN(options.sha256, hash_past_the_cache(fd.get(), options.size, context, path_of(from)));
    ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);  // read again, not remembered
  }
  return store(root.get(), to, fd.get(), options, context).status();
}

Status DirRemote::remove(const std::string& key, const RequestContext& context) {
  SHOEBOX_ASSIGN(const UniqueFd root, begin(key, context));
  auto parent = tree_.open_parent(root.get(), key);
  if (!parent) return parent.code() == Code::kNotFound ? Status::ok() : parent.status();
  if (::unlinkat(parent->get(), DirTree::leaf(key).c_str(), 0) != 0) {
    if (errno == ENOENT) return Status::ok();
    if (errno == EISDIR) return {Code::kInvalid, path_of(key) + " is a folder, not an object"};
    return dir_error(errno, "remove " + path_of(key));
  }
  SHOEBOX_TRY(sync_folder(parent->get(), path_of(key)));
  tree_.remove_empty_parents(root.get(), key);
  return Status::ok();
}

Result<uint64_t> DirRemote::remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                             const RequestContext& context) {
  if (!key.empty()) return 0;  // a temporary does not tell what it was to be
  if (context.hints != nullptr) ++context.hints->requests;
  SHOEBOX_TRY(check_wanted(context));
  SHOEBOX_ASSIGN(const UniqueFd root, tree_.open_root());
  SHOEBOX_ASSIGN(const std::vector<std::string> names, tree_.temporaries(root.get()));
  uint64_t removed = 0;
  for (const std::string& name : names) {
    if (is_temporary_of_this_process(name)) continue;
    SHOEBOX_ASSIGN(const bool wanted, given_up({"", name}));
    if (!wanted) continue;
    SHOEBOX_TRY(check_wanted(context));
    SHOEBOX_TRY(tree_.remove_temporary(root.get(), name));
    ++removed;
  }
  return removed;
}

}  // namespace shoebox
