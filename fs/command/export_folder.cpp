#include "fs/command/export_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <future>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "store/base/file_hash.h"
#include "store/base/file_io.h"
#include "store/base/kill_point.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"
#include "store/library.h"
#include "store/xmp_sidecar.h"

namespace shoebox {
namespace {

constexpr const char* kChanged = "it changed while it was read; run again";
constexpr size_t kPiece = 1 << 20;  // large enough for full disk speed, small enough to be interrupted

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "" : path.substr(0, slash);
}

std::array<timespec, 2> times_of(const InodeRecord& record) {
  return {timespec{record.atime.seconds, record.atime.nanoseconds},
          timespec{record.mtime.seconds, record.mtime.nanoseconds}};
}

Result<size_t> read_piece(Files& files, const std::shared_ptr<FileHandle>& handle, uint64_t offset,
                          std::vector<char>& buffer, const CancelToken& cancel) {
  std::promise<Result<size_t>> answer;
  files.read(handle, offset, buffer.size(), cancel, [&](const Result<ReadReply>& reply) {
    if (!reply) return answer.set_value(reply.status());
    if (reply->fd >= 0)
      return answer.set_value(pread_full(reply->fd, buffer.data(), reply->bytes, reply->fd_offset));
    std::copy(reply->memory.begin(), reply->memory.end(), buffer.begin());
    answer.set_value(reply->memory.size());
  });
  return answer.get_future().get();
}

// Gives a finished file its name, unless somebody has it. Not every file system knows NOREPLACE.
Status take_name(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Status::ok();
  if (errno == EINVAL || errno == ENOSYS) {
    struct stat st {};
    if (::lstat(to.c_str(), &st) == 0) {
      errno = EEXIST;
    } else if (::rename(from.c_str(), to.c_str()) == 0) {
      return Status::ok();
    }
  }
  if (errno == EEXIST) return {Code::kConflict, "another file has this path at the destination"};
  return Status::from_errno(errno, "rename");
}

// A temporary file that goes unless it got its name.
struct Temporary {
  std::string path;
  ~Temporary() {
    if (!path.empty()) ::unlink(path.c_str());
  }
};

}  // namespace

FolderExport::FolderExport(Library& library, std::string destination)
    : library_(library), destination_(std::move(destination)) {}

Result<std::vector<ExportItem>> FolderExport::list(const std::string& folder,
                                                   const CancelToken& cancel) const {
  SHOEBOX_ASSIGN(const Entry top, entry_at(library_, folder));
  std::vector<ExportItem> items = {{folder, top.number, top.inode}};
  for (size_t next = 0; next < items.size(); ++next) {
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    if (!S_ISDIR(items[next].record.mode)) continue;
    const std::string above = items[next].path;
    std::vector<DirEntry> entries;
    SHOEBOX_TRY(library_.tree().readdir(items[next].inode, "", [&](const DirEntry& entry) {
      entries.push_back(entry);
      return true;
    }));
    for (const DirEntry& entry : entries) {
      Result<InodeRecord> record = library_.tree().getattr(entry.dentry.inode);
      if (!record && record.code() == Code::kNotFound) continue;  // deleted since it was listed
      if (!record) return record.status();
      library_.files().overlay(entry.dentry.inode, *record);
      items.push_back({above + "/" + entry.name, entry.dentry.inode, std::move(*record)});
    }
  }
  return items;
}

Result<std::optional<ContentHash>> FolderExport::recorded_hash(const ExportItem& item) const {
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> now, library_.catalog().inode(item.inode));
  if (!now) return Status(Code::kNotFound, "it was deleted meanwhile");
  if (!now->content) return std::optional<ContentHash>();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, library_.catalog().content(now->content));
  if (!content || content->state != ContentState::kSealed) return std::optional<ContentHash>();
  return std::optional(content->sha256);
}

Result<ContentHash> FolderExport::copy_bytes(const std::shared_ptr<FileHandle>& handle, int to, uint64_t size,
                                             const CancelToken& cancel,
                                             const std::function<void(uint64_t)>& on_bytes) const {
  Sha256 hash;
  std::vector<char> piece(kPiece);
  uint64_t at = 0;
  for (;;) {
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    SHOEBOX_ASSIGN(const size_t bytes, read_piece(library_.files(), handle, at, piece, cancel));
    if (bytes == 0) break;
    hash.update(piece.data(), bytes);
    SHOEBOX_TRY(pwrite_full(to, piece.data(), bytes, at));
    at += bytes;
    on_bytes(bytes);
  }
  if (at != size) return Status(Code::kConflict, kChanged);
  return hash.finish();
}

Result<std::optional<ContentHash>> FolderExport::damaged_hash(const ExportItem& item,
                                                              const CancelToken& cancel) const {
  const std::optional<ContentHash> sound;
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> now, library_.catalog().inode(item.inode));
  if (!now || !now->content) return sound;
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, library_.catalog().content(now->content));
  if (!content || content->state != ContentState::kSealed || content->residence != Residence::kLocal)
    return sound;
  SHOEBOX_ASSIGN(const UniqueFd fd, library_.contents().open_local(now->content));
  SHOEBOX_ASSIGN(const ContentHash hash, sha256_of_file(fd.get(), cancel));
  return hash == content->sha256 ? sound : std::optional(hash);
}

void FolderExport::dress(int fd, const ExportItem& item) const {
  // What the destination cannot keep is no reason to refuse the photo.
  [[maybe_unused]] const int owned = ::fchown(fd, item.record.uid, item.record.gid);
  ::fchmod(fd, item.record.mode & 07777);
  if (const auto names = library_.tree().listxattr(item.inode); names) {
    for (const std::string& name : *names) {
      if (!name.starts_with("user.") || name.starts_with("user.shoebox.")) continue;
      const Result<std::string> value = library_.tree().getxattr(item.inode, name);
      if (value) ::fsetxattr(fd, name.c_str(), value->data(), value->size(), 0);
    }
  }
  ::futimens(fd, times_of(item.record).data());
}

Result<ExportVerdict> FolderExport::export_file(const ExportItem& item, const CancelToken& cancel,
                                                const std::function<void(uint64_t)>& on_bytes) {
  const std::string to = target(item.path);
  SHOEBOX_ASSIGN(const std::optional<ContentHash> recorded, recorded_hash(item));
  if (const Result<UniqueFd> there = open_file(to, O_RDONLY | O_NOFOLLOW | O_NONBLOCK); there) {
    struct stat st {};
    if (::fstat(there->get(), &st) != 0) return Status::from_errno(errno, "stat");
    bool same = S_ISREG(st.st_mode) && static_cast<uint64_t>(st.st_size) == item.record.size;
    if (same && recorded) {
      SHOEBOX_ASSIGN(const ContentHash hash, sha256_of_file(there->get(), cancel));
      same = hash == *recorded;
      if (!same) {
        SHOEBOX_ASSIGN(const auto spoiled, damaged_hash(item, cancel));
        if (spoiled == hash) return ExportVerdict::kDamaged;
      }
    }
    if (!same || (!recorded && item.record.size > 0)) {
      return Status(Code::kConflict, "another file has this path at the destination");
    }
    exported_.emplace(item.inode, to);
    return ExportVerdict::kAlreadyThere;
  } else if (there.code() != Code::kNotFound) {
    return there.status();
  }
  changed_folders_.insert(folder_of(to));
  if (const auto other = exported_.find(item.inode); other != exported_.end()) {
    if (::link(other->second.c_str(), to.c_str()) == 0) return ExportVerdict::kLinked;
  }
  Temporary temporary{fmt::format("{}/.shoebox-export-{}", folder_of(to), item.inode.value)};
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(temporary.path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600));
  SHOEBOX_ASSIGN(std::shared_ptr<FileHandle> handle, library_.files().open(item.inode, OpenFlags()));
  const Result<ContentHash> read = copy_bytes(handle, fd.get(), item.record.size, cancel, on_bytes);
  library_.files().release(std::move(handle));
  if (!read) return read.status();
  const bool damaged = recorded && *read != *recorded;
  if (damaged) {
    SHOEBOX_ASSIGN(const auto spoiled, damaged_hash(item, cancel));
    if (spoiled != *read) return Status(Code::kConflict, kChanged);
  }
  dress(fd.get(), item);
  SHOEBOX_TRY(fsync_fd(fd.get(), to));
  // Past the page cache: what is compared is what the disk gives back.
  [[maybe_unused]] const int dropped = ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
  SHOEBOX_ASSIGN(const ContentHash written, sha256_of_file(fd.get(), cancel));
  if (written != *read) {
    return Status(Code::kDataLoss,
                  "the destination gives other bytes back than were written; check that disk");
  }
  ::futimens(fd.get(), times_of(item.record).data());  // reading it again moved its atime
  kill_point("export-written");
  SHOEBOX_TRY(take_name(temporary.path, to));
  kill_point("export-named");
  temporary.path.clear();
  if (damaged) return ExportVerdict::kDamaged;  // each of its names is told
  exported_.emplace(item.inode, to);
  return ExportVerdict::kCopied;
}

Result<ExportVerdict> FolderExport::export_item(const ExportItem& item, const CancelToken& cancel,
                                                const std::function<void(uint64_t)>& on_bytes) {
  const std::string to = target(item.path);
  if (S_ISREG(item.record.mode)) return export_file(item, cancel, on_bytes);
  struct stat st {};
  const bool there = ::lstat(to.c_str(), &st) == 0;
  const auto in_the_way = Status(Code::kConflict, "something else has this path at the destination");
  if (S_ISDIR(item.record.mode)) {
    if (there && !S_ISDIR(st.st_mode)) return in_the_way;
    if (!there) {
      SHOEBOX_TRY(make_dir(to, 0700));
      changed_folders_.insert(folder_of(to));
      folders_.push_back(item);
    }
    return there ? ExportVerdict::kAlreadyThere : ExportVerdict::kCopied;
  }
  if (!S_ISLNK(item.record.mode)) return Status(Code::kNotSupported, "neither a file, a folder nor a link");
  if (there) {
    std::string text(item.record.symlink_target.size() + 1, '\0');
    const ssize_t length = ::readlink(to.c_str(), text.data(), text.size());
    text.resize(length > 0 ? static_cast<size_t>(length) : 0);
    if (text != item.record.symlink_target) return in_the_way;
    return ExportVerdict::kAlreadyThere;
  }
  if (::symlink(item.record.symlink_target.c_str(), to.c_str()) != 0)
    return Status::from_errno(errno, "symlink");
  changed_folders_.insert(folder_of(to));
  ::utimensat(AT_FDCWD, to.c_str(), times_of(item.record).data(), AT_SYMLINK_NOFOLLOW);
  return ExportVerdict::kCopied;
}

Result<bool> FolderExport::export_sidecar(const ExportItem& item) {
  if (!item.record.photo) return false;
  SHOEBOX_ASSIGN(const OwnerStatements said, owner_statements(library_.catalog(), item.record.photo));
  const std::string text = xmp_sidecar(said);
  if (text.empty()) return false;
  std::string path = item.path + ".xmp";
  const Result<Entry> own = library_.tree().resolve(path);
  if (!own && own.code() != Code::kNotFound) return own.status();
  if (own) path = ".shoebox/sidecars/" + path;
  const std::string to = target(path);
  if (const Result<std::string> there = read_file(to); there) {
    if (*there == text) return true;
    if (!own && there->find("urn:shoebox:xmp:1") == std::string::npos)
      return Status(Code::kConflict, "another file has the path of its sidecar at the destination");
  }
  if (own) SHOEBOX_TRY(make_dirs(folder_of(to), 0755));
  SHOEBOX_TRY(write_file_atomically(to, text, 0644));
  return true;
}

Status FolderExport::finish() {
  Status first;
  const auto note = [&first](Status status) {
    if (!status && first) first = std::move(status);
  };
  // Deepest first: setting a folder's time must come after all that changes it.
  for (auto item = folders_.rbegin(); item != folders_.rend(); ++item) {
    const Result<UniqueFd> fd = open_file(target(item->path), O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    if (fd)
      dress(fd->get(), *item);
    else
      note(fd.status());
  }
  for (const std::string& folder : changed_folders_) note(fsync_dir(folder));
  return first;
}

}  // namespace shoebox
