// What all operations need around their one call into the store: who asks, and the ways to answer.
// Runs on FUSE workers; replies of parked reads on fetch threads.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <vector>

#include "fs/filesystem.h"
#include "fs/fuse_api.h"
#include "store/tree/tree.h"

namespace shoebox {

Filesystem& filesystem_of(fuse_req_t request);
Caller caller_of(fuse_req_t request);
inline InodeNo inode_no(fuse_ino_t number) { return InodeNo(number); }

// What stat(2) shows: the record, what open handles have not committed yet, and mount options.
struct stat stat_of(const Filesystem& filesystem, InodeNo number, InodeRecord record);
// An entry as the kernel may cache it.
fuse_entry_param entry_of(const Filesystem& filesystem, const Entry& entry);
// The same for many; inode 0 for one that is gone.
std::vector<fuse_entry_param> entries_of(const Filesystem& filesystem, const std::vector<InodeNo>& numbers);

// Answers with the errno of a failure; logs what an owner could act on.
void reply_failure(fuse_req_t request, const Status& failure);
void reply_status(fuse_req_t request, const Status& status);
void reply_entry(fuse_req_t request, const Result<Entry>& entry);

// The handle behind fi->fh, or null after having answered EBADF.
std::shared_ptr<OpenFile> open_file_of(fuse_req_t request, const fuse_file_info* info);

}  // namespace shoebox
