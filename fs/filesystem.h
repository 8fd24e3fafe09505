// What the FUSE operations share. Operations are free functions (ops.h, op_*.cpp); libfuse hands
// them this as the session's userdata.
//
// Owned by the mounting process; outlives the session. Threads: any.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "fs/handles.h"
#include "fs/open_directory.h"
#include "fs/options.h"
#include "fs/parked_reads.h"
#include "fs/passthrough_table.h"
#include "store/base/ids.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Evictor;
class FileHandle;
class Files;
class Library;
class Tree;

// An open(2) of a regular file.
struct OpenFile {
  InodeNo inode;
  std::shared_ptr<FileHandle> file;  // shared: a parked read outlives a release
  bool writable = false;
  bool in_passthrough_table = false;
  RefusedReads refused;
  std::atomic<bool> reads_remote{false};  // somebody wants bytes that are not on this disk
};

// How long the kernel may believe attributes, names and absent names: for as long as the
// invalidator says nothing. An hour bounds what a lost notification can do.
inline constexpr double kCacheSeconds = 3600;

struct Filesystem {
  Filesystem(Library& library, MountOptions mount_options);

  Catalog& catalog;
  ContentStore& contents;
  Tree& tree;
  Files& files;
  Evictor& evictor;
  const std::string library_path;
  const MountOptions options;
  const bool bytes_never_change;  // of any file, while this mount lives

  HandleTable<OpenFile> open_files;
  HandleTable<OpenDirectory> open_directories;
  ParkedReads parked_reads;
  std::atomic<bool> passes_through{false};  // from INIT on (passthrough.h)
  PassthroughTable passthrough;
};

}  // namespace shoebox
