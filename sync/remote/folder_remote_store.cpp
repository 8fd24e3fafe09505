// FolderRemote: what writes objects. To .shoebox/tmp, confirmed there, then moved into place.
#include <fcntl.h>
#include <fmt/format.h>

#include <cerrno>

#include "store/base/file_io.h"
#include "store/base/kill_point.h"
#include "sync/remote/checks.h"
#include "sync/remote/digests.h"
#include "sync/remote/folder_remote.h"
#include "sync/remote/remote_marker.h"
#include "sync/remote/temporary.h"

namespace shoebox {
namespace {

// Another writer may take a folder away between two steps.
constexpr int kPlaceAttempts = 5;
constexpr std::chrono::milliseconds kReplacePause{50};

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

Result<std::string> new_temporary() {
  SHOEBOX_ASSIGN(const std::string name, new_temporary_name());
  return fmt::format("{}/{}", kRemoteTemporaries, name);
}

}  // namespace

struct FolderRemote::Bytes {
  uint64_t size = 0;
  std::string sha256;  // hex, as are the others
  std::string md5;
};

Status FolderRemote::no_folder(const std::string& key, const FileFacts& found) const {
  if (!found.is_folder) return Status::ok();
  return {Code::kInvalid, what("put", key) + ": it is a folder; the object needs another key"};
}

Result<bool> FolderRemote::holds(const std::string& path, const FileFacts& found, const Bytes& bytes,
                                 const RequestContext& context) {
  if (found.is_folder || found.size != bytes.size) return false;
  if (!found.sha256.empty()) return found.sha256 == bytes.sha256;
  if (!found.md5.empty()) return found.md5 == bytes.md5;
  Sha256 hash;
  if (bytes.size > 0) {
    SHOEBOX_TRY(server_->read(
        path, {0, bytes.size}, "",
        [&](std::string_view piece) {
          hash.update(piece.data(), piece.size());
          return Status::ok();
        },
        context));
  }
  return hash.finish().hex() == bytes.sha256;
}

Result<RemoteObject> FolderRemote::put(const std::string& key, int fd, const PutOptions& options,
                                       const RequestContext& context) {
  SHOEBOX_TRY(begin(key, context));
  SHOEBOX_ASSIGN(const BodyDigests digests, digest_range(fd, {0, options.size}, nullptr, context));
  if (digests.sha256 != options.sha256) {
    return Status(Code::kDataLoss,
                  fmt::format("put {}: the local bytes are not those whose hash was recorded", key));
  }
  const Bytes bytes{options.size, digests.sha256.hex(), hex(digests.md5)};
  if (options.if_absent) {
    auto there = facts(key, context);
    if (there) {
      SHOEBOX_TRY(no_folder(key, *there));
      SHOEBOX_ASSIGN(const bool same, holds(key, *there, bytes, context));
      if (same) return RemoteObject{key, there->etag, there->size, there->modified_s};
      return Status(Code::kConflict, what("put", key) + ": something else stands there already");
    }
    if (there.code() != Code::kNotFound) return there.status();
  }
  SHOEBOX_ASSIGN(const Written written, write_temporary(fd, options, bytes, context));
  kill_point("put-uploaded");
  auto placed = place(written.path, key, options.if_absent, bytes, context);
  if (!placed && !written.resumable) (void)server_->remove_file(written.path, context);  // else as stale
  return placed;
}

// Where the bytes stand now, confirmed.
Result<Written> FolderRemote::write_temporary(int fd, const PutOptions& options, const Bytes& bytes,
                                              const RequestContext& context) {
  SHOEBOX_ASSIGN(const std::string fresh, new_temporary());
  SHOEBOX_TRY(need_folder(kRemoteTemporaries, context));
  auto written = server_->write(fresh, fd, options, context);
  if (written.code() == Code::kNotFound) {
    forget_folder(kRemoteTemporaries);
    SHOEBOX_TRY(need_folder(kRemoteTemporaries, context));
    written = server_->write(fresh, fd, options, context);
  }
  if (!written) {
    if (written.code() == Code::kNotFound) return not_found(fresh, context);
    (void)server_->remove_file(fresh, context);
    return written.status();
  }
  const std::string& temporary = written->path;
  const auto confirm = [&]() -> Result<bool> {
    SHOEBOX_ASSIGN(FileFacts found, facts(temporary, context));
    // What the server hashed on the way in is what it stored.
    if (found.sha256.empty()) found.sha256 = written->sha256;
    return holds(temporary, found, bytes, context);
  };
  const Result<bool> confirmed = confirm();
  if (confirmed && *confirmed) return written;
  if (!confirmed && written->resumable) return confirmed.status();
  (void)server_->remove_file(temporary, context);
  if (!confirmed) return confirmed.status();
  return Status(Code::kDataLoss, server_->text() + ": the server kept other bytes than were sent");
}

Result<RemoteObject> FolderRemote::place(const std::string& temporary, const std::string& key, bool if_absent,
                                         const Bytes& bytes, const RequestContext& context) {
  if (!if_absent) {
    // Etags made of size and time alone must not be those of the bytes that are replaced.
    auto old = server_->facts(key, context);
    if (old) SHOEBOX_TRY(no_folder(key, *old));
    if (old) SHOEBOX_TRY(server_->set_time_after(temporary, old->modified_s, context));
    if (!old && old.code() != Code::kNotFound) return old.status();
  }
  Status moved;
  for (int attempt = 0; attempt < kPlaceAttempts; ++attempt) {
    SHOEBOX_TRY(need_folder(folder_of(key), context));
    moved = server_->move(temporary, key, !if_absent, context);
    // rclone says 403 when the folder vanished.
    const bool folder_vanished =
        moved.code() == Code::kNotFound || (moved.code() == Code::kUnauthorized && attempt == 0);
    if (!folder_vanished && moved.code() != Code::kConflict) break;
    // Perhaps it was moved, and only the answer to that was lost or is that to a repetition.
    auto there = facts(key, context);
    if (there) {
      SHOEBOX_ASSIGN(const bool same, holds(key, *there, bytes, context));
      if (same) {
        (void)server_->remove_file(temporary, context);  // kNotFound unless somebody else put these bytes
        moved = Status::ok();
        break;
      }
      if (moved.code() == Code::kConflict) {
        return Status(Code::kConflict, what("put", key) + ": something else stands there already");
      }
    } else if (there.code() != Code::kNotFound) {
      return there.status();
    }
    forget_folder(folder_of(key));
  }
  if (moved.code() == Code::kNotFound || moved.code() == Code::kConflict) {
    return Status(Code::kUnavailable, fmt::format("{}: {}", what("put", key), moved.message()));
  }
  if (!moved) return moved;
  kill_point("put-moved");
  auto found = facts(key, context);
  // Somebody else replaces it: some servers remove the old one first.
  for (int attempt = 1; found.code() == Code::kNotFound && attempt < kPlaceAttempts; ++attempt) {
    SHOEBOX_TRY(pause_for(kReplacePause, context));
    found = facts(key, context);
  }
  if (found.code() == Code::kNotFound) return Status(Code::kUnavailable, found.status().message());
  if (!found) return found.status();
  if (found->is_folder || found->size != bytes.size) {
    return Status(Code::kUnavailable, fmt::format("{}: {} bytes stand there after the upload, not {}",
                                                  what("put", key), found->size, bytes.size));
  }
  return RemoteObject{key, found->etag, found->size, found->modified_s};
}

Status FolderRemote::need_folder(const std::string& path, const RequestContext& context) {
  if (path.empty()) return Status::ok();
  {
    const MutexLock lock(mutex_);
    if (known_folders_.contains(path)) return Status::ok();
  }
  auto there = facts(path, context);
  if (there.code() == Code::kNotFound) {
    SHOEBOX_TRY(make_folders(path, context));
    there = facts(path, context);
  }
  if (!there) return there.status();
  if (!there->is_folder) {
    return {Code::kInvalid, what("make", path) + ": a file stands where a folder is needed"};
  }
  const MutexLock lock(mutex_);
  known_folders_.insert(path);
  return Status::ok();
}

void FolderRemote::forget_folder(const std::string& path) {
  const MutexLock lock(mutex_);
  known_folders_.erase(path);
}

// REQUIRES: the path is not empty.
Status FolderRemote::make_folders(const std::string& path, const RequestContext& context) {
  // Not before it is sure that this is the owner's folder.
  const Status marker = not_found(path, context);
  if (marker.code() != Code::kNotFound) return marker;
  std::string missing = path;
  std::vector<std::string> to_make;
  for (;;) {
    const Status made = server_->make_folder(missing, context);
    if (made) break;
    if (made.code() != Code::kNotFound) return made;
    to_make.push_back(missing);
    missing = folder_of(missing);
    if (missing.empty()) return {Code::kUnavailable, made.message()};
  }
  for (auto folder = to_make.rbegin(); folder != to_make.rend(); ++folder) {
    const Status made = server_->make_folder(*folder, context);
    if (!made) return made.code() == Code::kNotFound ? Status(Code::kUnavailable, made.message()) : made;
  }
  return Status::ok();
}

Status FolderRemote::copy(const std::string& from, const std::string& to, const RequestContext& context) {
  SHOEBOX_TRY(begin(from, context));
  SHOEBOX_TRY(begin(to, context));
  SHOEBOX_ASSIGN(const FileFacts source, object(from, context));
  SHOEBOX_ASSIGN(const std::string temporary, new_temporary());
  SHOEBOX_TRY(need_folder(kRemoteTemporaries, context));
  const Status copied = server_->copy(from, temporary, context);
  if (copied.code() == Code::kNotSupported) return copy_through_here(from, to, source, context);
  if (copied.code() == Code::kNotFound) {
    forget_folder(kRemoteTemporaries);
    const Status gone = not_found(from, context);
    return gone.code() == Code::kNotFound ? Status(Code::kUnavailable, copied.message()) : gone;
  }
  if (!copied) return copied;
  const auto finish = [&]() -> Status {
    SHOEBOX_ASSIGN(const FileFacts made, facts(temporary, context));
    if (made.size != source.size || made.sha256 != source.sha256 || made.md5 != source.md5) {
      return {Code::kUnavailable, fmt::format("{}: the copy came out with {} bytes, not {}, or with another "
                                              "checksum",
                                              what("copy", from), made.size, source.size)};
    }
    return place(temporary, to, false, {source.size, source.sha256, source.md5}, context).status();
  };
  const Status finished = finish();
  if (!finished) (void)server_->remove_file(temporary, context);
  return finished;
}

Status FolderRemote::copy_through_here(const std::string& from, const std::string& to,
                                       const FileFacts& source, const RequestContext& context) {
  UniqueFd fd(::open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd) return Status::from_errno(errno, "make a file in /var/tmp");
  PutOptions options;
  options.size = source.size;
  const auto read = [&](int keep_in) -> Result<ContentHash> {
    Sha256 hash;
    uint64_t at = 0;
    const auto take = [&](std::string_view piece) {
      hash.update(piece.data(), piece.size());
      const uint64_t here = at;
      at += piece.size();
      return keep_in < 0 ? Status::ok() : pwrite_full(keep_in, piece.data(), piece.size(), here);
    };
    if (source.size > 0) SHOEBOX_TRY(get(from, {0, source.size}, source.etag, take, context));
    return hash.finish();
  };
  SHOEBOX_ASSIGN(options.sha256, read(fd.get()));
  // The copy is compared with what came here: that must be what stands there, as the source may be removed.
  ContentHash wanted = context.source_sha256;
  if (wanted.is_zero()) {
    SHOEBOX_ASSIGN(wanted, read(-1));
  }
  if (options.sha256 != wanted) {
    return {Code::kDataLoss, what("copy", from) + ": the server gave other bytes than stand there"};
  }
  return put(to, fd.get(), options, context).status();
}

}  // namespace shoebox
