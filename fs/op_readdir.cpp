// opendir, readdir, readdirplus, releasedir, fsyncdir. open_directory.h tells what an offset is.
#include <cerrno>
#include <vector>

#include "fs/ops.h"
#include "fs/reply.h"
#include "store/catalog/catalog.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

std::shared_ptr<OpenDirectory> open_directory_of(fuse_req_t request, const fuse_file_info* info) {
  std::shared_ptr<OpenDirectory> open = filesystem_of(request).open_directories.find(info->fh);
  if (!open) fuse_reply_err(request, EBADF);
  return open;
}

// The kernel's buffer, as far as it is filled.
class Answer {
 public:
  Answer(fuse_req_t request, size_t size, bool plus) : request_(request), buffer_(size), plus_(plus) {}

  // False when there is no room for it.
  bool add(const DirectoryRow& row, const fuse_entry_param* attributes = nullptr) {
    char* const position = buffer_.data() + used_;
    const size_t room = buffer_.size() - used_;
    size_t needed = 0;
    if (plus_) {
      const fuse_entry_param entry =
          attributes && attributes->ino != 0 ? *attributes : without_attributes(row);
      needed = fuse_add_direntry_plus(request_, position, room, row.name.c_str(), &entry, row.offset);
    } else {
      struct stat type = {};
      type.st_ino = row.inode.value;
      type.st_mode = row.type;
      needed = fuse_add_direntry(request_, position, room, row.name.c_str(), &type, row.offset);
    }
    if (needed > room) return false;
    used_ += needed;
    return true;
  }

  // As many of `rows` from `first` on as there is room for.
  void add_all(const OpenDirectory::Rows& rows, size_t first) {
    if (!plus_) {
      while (first < rows.size() && add(rows[first])) ++first;
      return;
    }
    std::vector<InodeNo> numbers;
    size_t room = buffer_.size() - used_;
    for (size_t i = first; i < rows.size(); ++i) {
      const size_t needed = fuse_add_direntry_plus(request_, nullptr, 0, rows[i].name.c_str(), nullptr, 0);
      if (needed > room) break;
      room -= needed;
      numbers.push_back(rows[i].inode);
    }
    const std::vector<fuse_entry_param> entries = entries_of(filesystem_of(request_), numbers);
    for (size_t i = 0; i < entries.size() && add(rows[first + i], &entries[i]); ++i) {
    }
  }

  void send() { fuse_reply_buf(request_, buffer_.data(), used_); }

 private:
  // An entry with attributes counts as a lookup; "." and ".." never do, and what has gone meanwhile
  // has none.
  static fuse_entry_param without_attributes(const DirectoryRow& row) {
    fuse_entry_param entry = {};
    entry.attr.st_ino = row.inode.value;
    entry.attr.st_mode = row.type;
    return entry;
  }

  fuse_req_t request_;
  std::vector<char> buffer_;
  size_t used_ = 0;
  bool plus_;
};

void read_directory(fuse_req_t request, size_t size, off_t offset, const fuse_file_info* info, bool plus) {
  const std::shared_ptr<OpenDirectory> open = open_directory_of(request, info);
  if (!open) return;
  const Filesystem& filesystem = filesystem_of(request);
  const auto rows = open->rows(filesystem.tree, offset);
  if (!rows.is_ok()) return reply_failure(request, rows.status());

  Answer answer(request, size, plus);
  bool room = true;
  if (offset < kDotOffset) room = answer.add({kDotOffset, open->inode(), S_IFDIR, "."});
  if (room && offset < kDotDotOffset) {
    const Result<InodeNo> above = filesystem.tree.parent_of(open->inode());
    room = answer.add({kDotDotOffset, above.is_ok() ? *above : open->inode(), S_IFDIR, ".."});
  }
  if (room) answer.add_all(**rows, OpenDirectory::position_after(**rows, offset));
  answer.send();
}

}  // namespace

void op_opendir(fuse_req_t request, fuse_ino_t inode, fuse_file_info* info) {
  Filesystem& filesystem = filesystem_of(request);
  Result<InodeRecord> record = filesystem.tree.getattr(inode_no(inode));
  if (!record.is_ok()) return reply_failure(request, record.status());
  info->fh = filesystem.open_directories.add(
      std::make_shared<OpenDirectory>(inode_no(inode), std::move(record).value()));
  info->cache_readdir = 1;  // the invalidator drops it
  info->keep_cache = 1;
  if (fuse_reply_open(request, info) != 0) filesystem.open_directories.remove(info->fh);
}

void op_readdir(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  read_directory(request, size, offset, info, /*plus=*/false);
}

void op_readdirplus(fuse_req_t request, fuse_ino_t, size_t size, off_t offset, fuse_file_info* info) {
  read_directory(request, size, offset, info, /*plus=*/true);
}

void op_releasedir(fuse_req_t request, fuse_ino_t, fuse_file_info* info) {
  filesystem_of(request).open_directories.remove(info->fh);
  fuse_reply_err(request, 0);
}

void op_fsyncdir(fuse_req_t request, fuse_ino_t, int, fuse_file_info*) {
  reply_status(request, filesystem_of(request).catalog.sync());
}

}  // namespace shoebox
