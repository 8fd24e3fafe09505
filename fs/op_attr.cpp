// getattr, setattr, statfs.
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>

#include "fs/ops.h"
#include "fs/parked_request.h"
#include "fs/reply.h"
#include "store/evictor.h"
#include "store/files.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

Timestamp timestamp_of(const timespec& time) {
  return {.seconds = time.tv_sec, .nanoseconds = static_cast<uint32_t>(time.tv_nsec)};
}

void reply_attributes(fuse_req_t request, InodeNo number, InodeRecord record) {
  const struct stat attributes = stat_of(filesystem_of(request), number, std::move(record));
  fuse_reply_attr(request, &attributes, kCacheSeconds);
}

AttributeChange change_of(const struct stat& wanted, int changes) {
  AttributeChange change;
  if (changes & FUSE_SET_ATTR_MODE) change.mode = wanted.st_mode;
  if (changes & FUSE_SET_ATTR_UID) change.uid = wanted.st_uid;
  if (changes & FUSE_SET_ATTR_GID) change.gid = wanted.st_gid;
  if (changes & FUSE_SET_ATTR_ATIME_NOW) {
    change.atime_now = true;
  } else if (changes & FUSE_SET_ATTR_ATIME) {
    change.atime = timestamp_of(wanted.st_atim);
  }
  if (changes & FUSE_SET_ATTR_MTIME_NOW) {
    change.mtime_now = true;
  } else if (changes & FUSE_SET_ATTR_MTIME) {
    change.mtime = timestamp_of(wanted.st_mtim);
  }
  return change;
}

// A folder that was removed while somebody reads it: POSIX answers fstat with no links.
Result<InodeRecord> removed_but_open(const Filesystem& filesystem, InodeNo number) {
  const std::shared_ptr<OpenDirectory> open =
      filesystem.open_directories.find_if([&](const OpenDirectory& one) { return one.inode() == number; });
  if (!open) return Status(Code::kNotFound, "no such inode");
  InodeRecord record = open->when_opened();
  record.nlink = 0;
  return record;
}

constexpr int kOtherThanSize = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID |
                               FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME |
                               FUSE_SET_ATTR_MTIME_NOW;

// All but the size.
Result<InodeRecord> set_attributes(fuse_req_t request, InodeNo number, const struct stat& wanted,
                                   int changes) {
  const Filesystem& filesystem = filesystem_of(request);
  if ((changes & kOtherThanSize) == 0) return filesystem.tree.getattr(number);
  const AttributeChange change = change_of(wanted, changes);
  SHOEBOX_ASSIGN(InodeRecord record, filesystem.tree.setattr(number, change, caller_of(request)));
  // A file that is being written: the commit at close must keep the time that was set.
  if (change.mtime || change.mtime_now) filesystem.files.mtime_set(number, record.mtime);
  return record;
}

void set_and_reply(fuse_req_t request, InodeNo number, const struct stat& wanted, int changes,
                   const Status& resized) {
  if (!resized) return reply_failure(request, resized);
  Result<InodeRecord> record = set_attributes(request, number, wanted, changes);
  if (!record.is_ok()) return reply_failure(request, record.status());
  reply_attributes(request, number, std::move(record).value());
}

// truncate(2) by path to something that keeps bytes: an evicted file is fetched first, which may take
// a while, so the request is parked.
void resize_unopened(fuse_req_t request, InodeNo number, const struct stat& wanted, int changes) {
  Filesystem& filesystem = filesystem_of(request);
  const auto parked = ParkedRequest::create(filesystem, request);
  filesystem.files.open_async(number, {.read = true, .write = true}, parked->cancel_token(),
                              [parked, number, wanted, changes](Result<std::shared_ptr<FileHandle>> opened) {
                                Files& files = parked->filesystem().files;
                                const bool mine = parked->take();
                                if (!opened.is_ok()) {
                                  if (mine) reply_failure(parked->request(), opened.status());
                                  return;
                                }
                                std::shared_ptr<FileHandle> file = std::move(opened).value();
                                if (mine) {
                                  Status resized =
                                      files.truncate(number, static_cast<uint64_t>(wanted.st_size));
                                  if (resized) resized = files.flush(file);
                                  set_and_reply(parked->request(), number, wanted, changes, resized);
                                }
                                files.release(std::move(file));
                              });
  parked->park(/*may_refuse=*/false);
}

}  // namespace

void op_getattr(fuse_req_t request, fuse_ino_t inode, fuse_file_info*) {
  Result<InodeRecord> record = filesystem_of(request).tree.getattr(inode_no(inode), caller_of(request).pid);
  if (record.code() == Code::kNotFound) record = removed_but_open(filesystem_of(request), inode_no(inode));
  if (!record.is_ok()) return reply_failure(request, record.status());
  reply_attributes(request, inode_no(inode), std::move(record).value());
}

void op_setattr(fuse_req_t request, fuse_ino_t inode, struct stat* wanted, int changes,
                fuse_file_info* info) {
  const InodeNo number = inode_no(inode);
  Status resized;
  if (changes & FUSE_SET_ATTR_SIZE) {
    if (info == nullptr && wanted->st_size > 0) return resize_unopened(request, number, *wanted, changes);
    resized = filesystem_of(request).files.truncate(number, static_cast<uint64_t>(wanted->st_size));
  }
  set_and_reply(request, number, *wanted, changes, resized);
}

void op_statfs(fuse_req_t request, fuse_ino_t) {
  struct statvfs disk = {};
  if (statvfs(filesystem_of(request).library_path.c_str(), &disk) != 0) {
    fuse_reply_err(request, errno);
    return;
  }
  // What is backed up leaves by itself when a writer needs the room: programs that look at the free
  // space before they copy may count on it.
  const uint64_t unit = std::max<uint64_t>(1, disk.f_frsize);
  const Evictor& evictor = filesystem_of(request).evictor;
  const uint64_t evictable = evictor.evictable_bytes() / unit;
  const uint64_t kept = evictor.kept_free_bytes() / unit;
  disk.f_bfree = std::min<uint64_t>(disk.f_blocks, disk.f_bfree + evictable);
  disk.f_bavail = std::min<uint64_t>(disk.f_bfree, disk.f_bavail - std::min(disk.f_bavail, kept) + evictable);
  disk.f_namemax = 255;
  // Inodes are rows of the catalog: there are as many as there is room.
  disk.f_ffree = disk.f_favail = disk.f_bavail;
  disk.f_files = disk.f_blocks;
  fuse_reply_statfs(request, &disk);
}

}  // namespace shoebox
