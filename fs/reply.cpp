#include "fs/reply.h"

#include <cerrno>

#include "fs/errno_map.h"
#include "store/base/log.h"
#include "store/catalog/catalog.h"
#include "store/files.h"

namespace shoebox {
namespace {

// Programs size their buffers by it: one call of ours for what a page-sized one would need 16 for.
constexpr blksize_t kPreferredIoBytes = 64 * 1024;

timespec timespec_of(const Timestamp& time) {
  return {.tv_sec = time.seconds, .tv_nsec = static_cast<long>(time.nanoseconds)};
}

struct stat stat_with_blocks(const Filesystem& filesystem, InodeNo number, const InodeRecord& record,
                             uint64_t blocks) {
  const MountOptions& options = filesystem.options;
  struct stat result = {};
  result.st_ino = number.value;
  result.st_mode = options.umask ? (record.mode & S_IFMT) | (0777U & ~*options.umask) : record.mode;
  result.st_nlink = record.nlink;
  result.st_uid = options.uid.value_or(record.uid);
  result.st_gid = options.gid.value_or(record.gid);
  result.st_rdev = record.rdev;
  result.st_size = static_cast<off_t>(S_ISLNK(record.mode) ? record.symlink_target.size() : record.size);
  result.st_blksize = kPreferredIoBytes;
  result.st_blocks = static_cast<blkcnt_t>(blocks);
  result.st_atim = timespec_of(record.atime);
  result.st_mtim = timespec_of(record.mtime);
  result.st_ctim = timespec_of(record.ctime);
  return result;
}

fuse_entry_param entry_with(InodeNo number, const struct stat& attributes) {
  fuse_entry_param result = {};
  result.ino = number.value;
  result.generation = 0;  // inode numbers are never reused
  result.attr = attributes;
  result.attr_timeout = kCacheSeconds;
  result.entry_timeout = kCacheSeconds;
  return result;
}

}  // namespace

Filesystem& filesystem_of(fuse_req_t request) {
  return *static_cast<Filesystem*>(fuse_req_userdata(request));
}

Caller caller_of(fuse_req_t request) {
  const fuse_ctx* context = fuse_req_ctx(request);
  return {.uid = context->uid,
          .gid = context->gid,
          .pid = static_cast<uint32_t>(context->pid),
          .umask = context->umask};
}

struct stat stat_of(const Filesystem& filesystem, InodeNo number, InodeRecord record) {
  if (!S_ISREG(record.mode)) return stat_with_blocks(filesystem, number, record, 0);
  filesystem.files.overlay(number, record);
  return stat_with_blocks(filesystem, number, record, filesystem.files.blocks_of(number, record));
}

fuse_entry_param entry_of(const Filesystem& filesystem, const Entry& entry) {
  fuse_entry_param result = entry_with(entry.number, stat_of(filesystem, entry.number, entry.inode));
  if (entry.departing) result.entry_timeout = 0;
  return result;
}

std::vector<fuse_entry_param> entries_of(const Filesystem& filesystem, const std::vector<InodeNo>& numbers) {
  std::vector<fuse_entry_param> entries(numbers.size());
  Result<std::vector<std::optional<InodeRecord>>> records = filesystem.catalog.inodes(numbers);
  if (!records.is_ok()) return entries;
  std::vector<ContentNo> of_files;
  for (std::optional<InodeRecord>& record : *records) {
    of_files.push_back(record ? record->content : ContentNo());
  }
  const auto contents = filesystem.catalog.contents(of_files);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (!(*records)[i]) continue;
    InodeRecord& record = *(*records)[i];
    uint64_t blocks = 0;
    if (S_ISREG(record.mode)) {
      filesystem.files.overlay(numbers[i], record);
      blocks =
          filesystem.files.blocks_of(numbers[i], record, contents.is_ok() ? (*contents)[i] : std::nullopt);
    }
    entries[i] = entry_with(numbers[i], stat_with_blocks(filesystem, numbers[i], record, blocks));
  }
  return entries;
}

void reply_failure(fuse_req_t request, const Status& failure) {
  switch (failure.code()) {
    case Code::kIo:
    case Code::kDataLoss:
    case Code::kIncompatible: log::error("{}", failure.message()); break;
    default: break;  // the asking program is told; what concerns a remote is in "shoebox status"
  }
  fuse_reply_err(request, errno_of(failure.code()));
}

void reply_status(fuse_req_t request, const Status& status) {
  if (status.is_ok()) {
    fuse_reply_err(request, 0);
  } else {
    reply_failure(request, status);
  }
}

void reply_entry(fuse_req_t request, const Result<Entry>& entry) {
  if (!entry.is_ok()) return reply_failure(request, entry.status());
  const fuse_entry_param answer = entry_of(filesystem_of(request), *entry);
  fuse_reply_entry(request, &answer);
}

std::shared_ptr<OpenFile> open_file_of(fuse_req_t request, const fuse_file_info* info) {
  std::shared_ptr<OpenFile> open =
      info == nullptr ? nullptr : filesystem_of(request).open_files.find(info->fh);
  if (!open) fuse_reply_err(request, EBADF);
  return open;
}

}  // namespace shoebox
