#include "fs/command/import_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "fs/command/arguments.h"
#include "fs/command/escape.h"
#include "store/base/file_hash.h"
#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/bring_back.h"
#include "store/catalog/catalog.h"
#include "store/content/content_store.h"
#include "store/files.h"
#include "store/library.h"
#include "store/lost_copies.h"
#include "store/remote_edit.h"

namespace shoebox {
namespace {

constexpr size_t kPiece = 1 << 20;  // large enough for full disk speed, small enough to be interrupted
constexpr size_t kMaxXattrBytes = 64 << 10;

std::string joined(const std::string& folder, const std::string& name) {
  if (folder.empty() || name.empty()) return folder + name;
  return folder + "/" + name;
}

std::pair<std::string, std::string> split_path(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// "IMG_1 (2).jpg", the spelling that views use for taken names.
std::string numbered(const std::string& name, int number) {
  const size_t dot = name.rfind('.');
  const bool extension = dot != std::string::npos && dot != 0;
  const std::string stem = extension ? name.substr(0, dot) : name;
  return fmt::format("{} ({}){}", stem, number, extension ? name.substr(dot) : "");
}

// A hidden name, so that a half-copied file is no photo and states nothing; the same for the same
// source, so that the next run finds and replaces it.
std::string temporary_name(const std::string& path) {
  return fmt::format(".shoebox-import.{}", sha256(path).hex().substr(0, 16));
}

bool unchanged(const struct stat& st, const ImportSource& file) {
  return S_ISREG(st.st_mode) && st.st_dev == file.device && st.st_ino == file.inode &&
         static_cast<uint64_t>(st.st_size) == file.size && st.st_mtim.tv_sec == file.mtime.seconds &&
         static_cast<uint32_t>(st.st_mtim.tv_nsec) == file.mtime.nanoseconds;
}

bool is_in_trash(const std::string& path) {
  return path.starts_with("Trash/") || path.starts_with(".Trash-");
}

// To be in these folders says something about a photo.
bool states_membership(const std::string& folder) {
  return folder.starts_with("Albums/") || folder.starts_with("People/");
}

// Tags, ratings and comments that desktops keep in user.*; what cannot be kept is no reason to
// refuse the photo.
void copy_xattrs(int fd, Tree& tree, InodeNo inode) {
  std::string names(kMaxXattrBytes, '\0');
  const ssize_t length = ::flistxattr(fd, names.data(), names.size());
  if (length <= 0) return;
  names.resize(static_cast<size_t>(length));
  std::string value(kMaxXattrBytes, '\0');
  for (size_t at = 0; at < names.size();) {
    const std::string name = names.c_str() + at;
    at += name.size() + 1;
    if (!name.starts_with("user.") || name.starts_with("user.shoebox.")) continue;
    const ssize_t bytes = ::fgetxattr(fd, name.c_str(), value.data(), value.size());
    if (bytes < 0) continue;
    [[maybe_unused]] const Status set = tree.setxattr(
        inode, name, std::string_view(value).substr(0, static_cast<size_t>(bytes)), Tree::XattrMode::kAny);
  }
}

}  // namespace

FolderImport::FolderImport(Library& library, std::string folder, std::string into)
    : library_(library), folder_(std::move(folder)), into_(std::move(into)) {}

Result<InodeNo> FolderImport::ensure_folder(const std::string& path) {
  InodeNo here = kRootInode;
  for (size_t at = 0; at < path.size();) {
    const size_t slash = std::min(path.find('/', at), path.size());
    const std::string name = path.substr(at, slash - at);
    at = slash + 1;
    if (name.empty()) continue;
    Result<Entry> entry = library_.tree().lookup(here, name);
    if (!entry && entry.code() == Code::kNotFound) {
      entry = library_.tree().mkdir(here, name, 0755, Caller::command());
      // Somebody may have been faster through the drive.
      if (!entry && entry.code() == Code::kExists) entry = library_.tree().lookup(here, name);
    }
    if (!entry) return entry.status().with_context("folder " + printable(path));
    if (!S_ISDIR(entry->inode.mode)) {
      return Status(Code::kNotDirectory,
                    fmt::format("{} is in the way: it is not a folder", printable(path)));
    }
    here = entry->number;
  }
  return here;
}

Result<bool> FolderImport::same_bytes(const InodeRecord& inode, uint64_t size,
                                      const ContentHash& hash) const {
  if (!S_ISREG(inode.mode) || inode.size != size) return false;
  if (!inode.content) return size == 0;
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, library_.catalog().content(inode.content));
  if (!content) return false;
  if (content->state == ContentState::kAdopted) return same_adopted(inode.content, size, hash);
  if (content->state == ContentState::kSealed) return content->sha256 == hash;
  SHOEBOX_ASSIGN(const UniqueFd fd, library_.contents().open_local(inode.content));
  SHOEBOX_ASSIGN(const ContentHash staged, sha256_of_file(fd.get(), CancelToken()));
  return staged == hash;
}

// Reading all of it makes its hash known, or finds that the bytes are known ones.
Result<bool> FolderImport::same_adopted(ContentNo content, uint64_t size, const ContentHash& hash) const {
  SHOEBOX_TRY(fetch_whole(library_, content, size, CancelToken()));
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> now, library_.catalog().content(content));
  if (now) return now->state == ContentState::kSealed && now->sha256 == hash;
  SHOEBOX_ASSIGN(const std::optional<ContentNo> known, library_.catalog().content_by_hash(hash));
  return known.has_value();
}

// Known to be spoiled on this disk, with no other copy: such bytes are no reason to leave good ones out.
Result<bool> FolderImport::is_damaged(ContentNo content) const {
  SHOEBOX_ASSIGN(const auto copies, library_.catalog().copies(content));
  if (!copies.empty()) return false;
  return library_.catalog().is_known_damaged(content);
}

// Bytes that the library knows need no copy, unless the only copy of them is known to be lost. Those of
// another file of this size and time change nothing.
Status FolderImport::bring_back_lost(ContentNo content, int fd, const CancelToken& cancel) const {
  if (!content) return Status::ok();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, library_.catalog().content(content));
  if (!record || record->state != ContentState::kSealed) return Status::ok();
  SHOEBOX_ASSIGN(const std::vector<std::string> lost, lost_copies_of(library_.catalog(), content));
  if (lost.empty()) {
    if (record->residence == Residence::kLocal) return Status::ok();
    SHOEBOX_ASSIGN(const auto copies, library_.catalog().copies(content));
    if (!copies.empty()) return Status::ok();
  }
  // Before anything is dropped for them.
  SHOEBOX_ASSIGN(const ContentHash hash, sha256_of_file(fd, cancel));
  if (hash != record->sha256) return Status::ok();
  const auto go_on = [&cancel](uint64_t) {
    return cancel.cancelled() ? Status(Code::kCancelled, "interrupted") : Status::ok();
  };
  return bring_back(library_.catalog(), library_.contents(), library_.outbox(), content, fd, go_on);
}

Result<std::optional<ImportOutcome>> FolderImport::known_photo(const ContentHash& hash) const {
  SHOEBOX_ASSIGN(const std::optional<ContentNo> content, library_.catalog().content_by_hash(hash));
  if (!content) return std::optional<ImportOutcome>();
  SHOEBOX_ASSIGN(const bool damaged, is_damaged(*content));
  if (damaged) return std::optional<ImportOutcome>();
  // Equal sidecars and texts belong beside each of their photos; only photos are wanted once.
  SHOEBOX_ASSIGN(const std::optional<PhotoId> photo, library_.catalog().photo_of_content(*content));
  if (!photo) return std::optional<ImportOutcome>();
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, library_.catalog().inodes_of_content(*content));
  for (const InodeNo inode : inodes) {
    const Result<std::string> path = library_.tree().path_of(inode);
    if (path && !path->empty() && !is_in_trash(*path)) {
      return std::optional(ImportOutcome{ImportVerdict::kKnown, *path, "", inode});
    }
  }
  return std::optional<ImportOutcome>();
}

Result<InodeNo> FolderImport::copy_in(const ImportSource& file, int fd, InodeNo folder,
                                      const std::string& name, const CancelToken& cancel,
                                      const std::function<void(uint64_t)>& on_bytes) {
  Tree& tree = library_.tree();
  Files& files = library_.files();
  const Caller caller = Caller::command();
  const std::string temporary = temporary_name(folder_ + "/" + file.path);
  // Left by a run that was killed.
  if (const Status gone = tree.unlink(folder, temporary, caller); !gone && gone.code() != Code::kNotFound)
    return gone;
  SHOEBOX_ASSIGN(const Entry entry, tree.create(folder, temporary, S_IFREG | file.mode, caller));
  const auto fill = [&]() -> Status {
    OpenFlags flags;
    flags.write = true;
    SHOEBOX_ASSIGN(std::shared_ptr<FileHandle> handle, files.open(entry.number, flags));
    const auto write_all = [&]() -> Status {
      std::vector<char> piece(kPiece);
      uint64_t at = 0;
      for (;;) {
        if (cancel.cancelled()) return {Code::kCancelled, "interrupted"};
        SHOEBOX_ASSIGN(const size_t bytes, pread_full(fd, piece.data(), piece.size(), at));
        if (bytes > 0) {
          SHOEBOX_ASSIGN(const size_t written,
                         files.write(handle, at, std::string_view(piece.data(), bytes)));
          if (written != bytes) return {Code::kNoSpace, "the library's disk is full"};
          on_bytes(bytes);
        }
        at += bytes;
        if (bytes < piece.size()) break;
      }
      struct stat now {};
      if (::fstat(fd, &now) != 0) return Status::from_errno(errno, "stat");
      if (at != file.size || !unchanged(now, file))
        return {Code::kConflict, "it changed while it was read; run again"};
      AttributeChange times;
      times.mtime = file.mtime;
      SHOEBOX_ASSIGN(const InodeRecord record, tree.setattr(entry.number, times, caller));
      files.mtime_set(entry.number, record.mtime);
      return files.flush(handle);
    };
    const Status status = write_all();
    files.release(std::move(handle));
    return status;
  };
  Status status = fill();
  if (status) {
    copy_xattrs(fd, tree, entry.number);
    kill_point("import-written");
    status = tree.rename(folder, temporary, folder, name, RenameMode::kNoReplace, caller);
  }
  // As close() promises: the name survives a power cut too.
  kill_point("import-named");
  if (status) status = library_.catalog().sync();
  if (!status) {
    [[maybe_unused]] const Status removed = tree.unlink(folder, temporary, caller);
    return status;
  }
  return entry.number;
}

Result<ImportOutcome> FolderImport::import_opened(const ImportSource& file, int fd, const CancelToken& cancel,
                                                  const std::function<void(uint64_t)>& on_bytes) {
  Tree& tree = library_.tree();
  const auto [below, name] = split_path(file.path);
  const std::string folder_path = joined(into_, below);
  const std::string path = joined(folder_path, name);
  Result<Entry> there = tree.resolve(path);
  if (!there && there.code() != Code::kNotFound && there.code() != Code::kNotDirectory) return there.status();
  if (there && S_ISREG(there->inode.mode) && there->inode.size == file.size &&
      there->inode.mtime == file.mtime) {
    SHOEBOX_ASSIGN(const bool damaged, is_damaged(there->inode.content));
    SHOEBOX_TRY(bring_back_lost(there->inode.content, fd, cancel));
    if (!damaged) return ImportOutcome{ImportVerdict::kAlreadyThere, path, "", there->number};
  }
  SHOEBOX_ASSIGN(const ContentHash hash, sha256_of_file(fd, cancel));
  // One imported a moment ago may have the same bytes, and is known by its hash once sealed.
  if (sizes_.contains(file.size)) library_.files().drain();
  // At its path, or at the number it got there because other bytes had the path first. Never over what
  // is there: a second camera also has an IMG_0001.JPG.
  int number = 1;
  const auto candidate = [&number, &given = name] { return number == 1 ? given : numbered(given, number); };
  if (const Result<Entry> folder = tree.resolve(folder_path); folder) {
    for (;; ++number) {
      const Result<Entry> taken = tree.lookup(folder->number, candidate());
      if (!taken && taken.code() == Code::kNotFound) break;
      if (!taken) return taken.status();
      SHOEBOX_ASSIGN(const bool same, same_bytes(taken->inode, file.size, hash));
      SHOEBOX_ASSIGN(const bool damaged, is_damaged(taken->inode.content));
      if (same && !damaged) {
        SHOEBOX_TRY(bring_back_lost(taken->inode.content, fd, cancel));
        return ImportOutcome{ImportVerdict::kAlreadyThere, joined(folder_path, candidate()), "",
                             taken->number};
      }
    }
  }
  if (file.size > 0) {
    SHOEBOX_ASSIGN(std::optional<ImportOutcome> known, known_photo(hash));
    if (known) {
      SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, library_.catalog().inode(known->inode));
      if (inode) SHOEBOX_TRY(bring_back_lost(inode->content, fd, cancel));
      if (!states_membership(folder_path)) return *known;
      // As cp and a drag do.
      SHOEBOX_ASSIGN(const InodeNo folder, ensure_folder(folder_path));
      SHOEBOX_ASSIGN(const std::vector<NameOf> names, library_.catalog().names_of(known->inode));
      const bool there_already =
          std::any_of(names.begin(), names.end(), [&](const NameOf& one) { return one.directory == folder; });
      if (there_already) return *known;
      for (;; ++number) {
        const Result<Entry> added = tree.link(known->inode, folder, candidate(), Caller::command());
        if (!added && added.code() == Code::kExists) continue;
        if (!added) return added.status();
        SHOEBOX_TRY(library_.catalog().sync());
        return ImportOutcome{ImportVerdict::kAdded, joined(folder_path, candidate()), known->path,
                             known->inode};
      }
    }
  }
  SHOEBOX_ASSIGN(const InodeNo folder, ensure_folder(folder_path));
  for (;; ++number) {
    const Result<InodeNo> copied = copy_in(file, fd, folder, candidate(), cancel, on_bytes);
    if (!copied && copied.code() == Code::kExists) continue;  // somebody was faster through the drive
    if (!copied) return copied.status();
    sizes_.insert(file.size);
    return ImportOutcome{number == 1 ? ImportVerdict::kImported : ImportVerdict::kRenamed,
                         joined(folder_path, candidate()), "", *copied};
  }
}

ImportOutcome FolderImport::import_file(const ImportSource& file, const CancelToken& cancel,
                                        const std::function<void(uint64_t)>& on_bytes) {
  const auto failed = [](const Status& status) {
    return ImportOutcome{ImportVerdict::kFailed, "", status.message(), InodeNo()};
  };
  const Result<UniqueFd> fd = open_file(folder_ + "/" + file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fd) return failed(fd.status());
  struct stat now {};
  if (::fstat(fd->get(), &now) != 0) return failed(Status::from_errno(errno, "stat"));
  if (!unchanged(now, file))
    return failed(Status(Code::kConflict, "it changed since the folder was listed; run again"));
  Result<ImportOutcome> outcome = import_opened(file, fd->get(), cancel, on_bytes);
  return outcome ? std::move(*outcome) : failed(outcome.status());
}

Status FolderImport::remove_source(const ImportSource& file, const ImportOutcome& outcome) {
  const std::string source = folder_ + "/" + file.path;
  SHOEBOX_ASSIGN(const UniqueFd fd, open_file(source, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  struct stat now {};
  if (::fstat(fd.get(), &now) != 0) return Status::from_errno(errno, "stat");
  if (!unchanged(now, file)) return {Code::kConflict, "the source changed meanwhile"};
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, library_.catalog().inode(outcome.inode));
  if (!inode) return {Code::kNotFound, "it was removed from the library meanwhile"};
  if (inode->content || file.size != 0) {
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> content, library_.catalog().content(inode->content));
    if (content && content->state == ContentState::kAdopted)
      return {Code::kBusy,
              "the library's bytes were adopted and never read, so nothing tells that they are the same"};
    if (!content || content->state != ContentState::kSealed) return {Code::kBusy, "it is being written"};
    SHOEBOX_ASSIGN(const auto copies, library_.catalog().copies(inode->content));
    // Copies on remotes that left the settings are out of reach, and what is known to be lost is none.
    const std::vector<RemoteSettings>& remotes = library_.settings().remotes;
    SHOEBOX_ASSIGN(const std::vector<std::string> lost, lost_copies_of(library_.catalog(), inode->content));
    int64_t confirmed = 0;
    for (const auto& [remote, copy] : copies) {
      const std::string& name = remote;  // a lambda cannot hold a binding
      const bool in_settings =
          std::any_of(remotes.begin(), remotes.end(), [&](const auto& one) { return one.name == name; });
      SHOEBOX_ASSIGN(const bool let_go, remote_is_let_go(library_.catalog(), remote));
      const bool is_lost = std::find(lost.begin(), lost.end(), remote) != lost.end();
      if (in_settings && !let_go && !is_lost && copy.size == content->size) ++confirmed;
    }
    if (confirmed < static_cast<int64_t>(library_.settings().copies)) {
      return {Code::kBusy,
              fmt::format("it is backed up on {} of {} remotes", confirmed, library_.settings().copies)};
    }
    // Same size and time were enough to skip copying; they are not enough to delete.
    SHOEBOX_ASSIGN(const ContentHash hash, sha256_of_file(fd.get(), CancelToken()));
    if (hash != content->sha256) return {Code::kConflict, "the library has other bytes at this path"};
  }
  kill_point("import-synced");
  if (::unlink(source.c_str()) != 0) return Status::from_errno(errno, "delete");
  kill_point("import-moved");
  return Status::ok();
}

void FolderImport::remove_empty_folders(const std::vector<ImportSource>& files) {
  std::set<std::string, std::greater<>> folders;  // deepest first: "a/b" is after "a"
  for (const ImportSource& file : files) {
    for (std::string below = split_path(file.path).first; !below.empty(); below = split_path(below).first) {
      folders.insert(below);
    }
  }
  for (const std::string& below : folders)
    ::rmdir((folder_ + "/" + below).c_str());  // fails while anything is left
}

}  // namespace shoebox
