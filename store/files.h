// Open files: reading (local, or waiting for a fetch), writing into staging, the commit that makes
// close() mean kept, and the sealing after the last close.
//
// One OpenInode per inode with open handles holds what is not in the catalog yet (size, mtime,
// dirty). Threads: any; files_state.h tells the lock order. Nothing here waits for the network but
// the first change of an evicted file through open() instead of open_async(), for at most 30 s.
// A ContentSource must have answered everything it was asked before this object goes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/live_settings.h"

namespace shoebox {

class Catalog;
class ContentSource;
class ContentStore;
class Tree;

struct OpenFlags {
  bool read = true;
  bool write = false;
  bool append = false;
  bool truncate = false;
};

// What read() answers: a piece of a local file to read, or memory, or an error.
struct ReadReply {
  int fd = -1;  // valid until the callback returns
  uint64_t fd_offset = 0;
  size_t bytes = 0;         // fewer than asked only at the end of the file
  std::string_view memory;  // used when fd < 0
};

class FileHandle;  // opaque; destroyed by release()

class Files {
 public:
  struct Dependencies {
    Catalog& catalog;
    ContentStore& contents;
    Tree& tree;
    const Clock& clock;
    SettingsView settings;
  };
  explicit Files(const Dependencies& dependencies);
  ~Files();

  // May be null (reading an evicted file then fails with kUnavailable). Set before use.
  void set_source(ContentSource* source);
  // Called after the last close with a content that was sealed or must be decoded. Set before use.
  void on_sealed(std::function<void(ContentNo)> callback);
  // Called with a sealed content whose bytes were written once more, and a file that has them, before that
  // file gives way to it; with an error it does not. It asks `go_on` before each block that it reads, and
  // ends with its error: somebody waits to write, or an unmount waits. Without it, bytes of which not all are
  // on this disk are kept twice. Set before use.
  using GoOn = std::function<Status(uint64_t blocks_read)>;
  void on_known(std::function<Status(ContentNo known, int fd, const GoOn& go_on)> callback);
  // Called when the disk is full before giving up: evicts, returns bytes freed.
  void on_disk_full(std::function<uint64_t(uint64_t bytes_wanted)> callback);

  // Called with the content that an open handle starts to read or write, for the evictor's order.
  void on_access(std::function<void(ContentNo)> callback);

  // Never fetches. The first write through a handle on an evicted file then fetches all of it and
  // blocks its caller for up to 30 s: where that must not be, use open_async().
  Result<std::shared_ptr<FileHandle>> open(InodeNo inode, OpenFlags flags);
  // As open(), but an evicted file that is opened for writing and not truncated is fetched first.
  // Calls `done` once: at once on this thread when nothing is missing, else on the fetching thread.
  // Fails with kTimeout after 30 s; what arrived stays, so that trying again goes on from there.
  void open_async(InodeNo inode, OpenFlags flags, CancelToken cancel,
                  std::function<void(Result<std::shared_ptr<FileHandle>>)> done);

  // Answers `done` exactly once: at once on this thread when the bytes are local, else from the
  // fetching thread. Blocks on nothing but the local disk.
  void read(const std::shared_ptr<FileHandle>& handle, uint64_t offset, size_t bytes, CancelToken cancel,
            std::function<void(const Result<ReadReply>&)> done);
  // True when the whole file is local, so that the kernel may read the fd itself (passthrough).
  [[nodiscard]] bool complete_local(const FileHandle& handle) const;
  [[nodiscard]] int local_fd(const FileHandle& handle) const;
  // The kernel got that descriptor for one more handle.
  void note_passed_through();

  // Bytes from memory; append handles write at the end, whatever `offset`. `done` is called once, on
  // this thread, as soon as the bytes are in the file; they are hashed after that, so that the writer
  // need not wait for it.
  void write(const std::shared_ptr<FileHandle>& handle, uint64_t offset, std::string_view bytes,
             const std::function<void(const Result<size_t>&)>& done);
  Result<size_t> write(const std::shared_ptr<FileHandle>& handle, uint64_t offset, std::string_view bytes);
  Status flush(const std::shared_ptr<FileHandle>& handle);  // close(2): durable unless durability = fsync
  Status fsync(const std::shared_ptr<FileHandle>& handle, bool data_only);
  // Always succeeds; a dirty handle (mmap writes) is committed, the last one seals.
  void release(std::shared_ptr<FileHandle> handle);

  // Gives a file that nobody has open other bytes: `change` commits them, under locks of the file that let
  // no writer in. What is cached of the bytes from before is dropped. kBusy: it is open.
  Status replace(InodeNo inode, const std::function<Status()>& change);

  Status truncate(InodeNo inode, uint64_t size);
  Status fallocate(const std::shared_ptr<FileHandle>& handle, int mode, uint64_t offset, uint64_t bytes);
  // SEEK_DATA / SEEK_HOLE.
  Result<uint64_t> seek(const std::shared_ptr<FileHandle>& handle, uint64_t offset, int whence);

  // Size, times and blocks as they are now, with what open handles have not committed yet.
  void overlay(InodeNo inode, InodeRecord& record) const;
  // 512-byte blocks on this disk; at least 1 for a non-empty file.
  [[nodiscard]] uint64_t blocks_of(InodeNo inode, const InodeRecord& record) const;
  // The same for who has read the content's record already.
  [[nodiscard]] uint64_t blocks_of(InodeNo inode, const InodeRecord& record,
                                   const std::optional<ContentRecord>& content) const;
  [[nodiscard]] bool is_open(InodeNo inode) const;
  // setattr(mtime) of an inode being written: the commit must keep it.
  void mtime_set(InodeNo inode, Timestamp mtime);
  // Whether some handle reads or writes this content now: the evictor leaves it.
  [[nodiscard]] bool content_in_use(ContentNo content) const;
  // Commits everything that is open, and seals it as far as a few seconds reach; for unmount.
  Status commit_all();
  // Seals contents that a crash left staged and closed. At mount, before serving; the hashing goes
  // on in the background.
  Status seal_leftovers();
  // Waits until nothing is to be committed or sealed after a last close. For tests and orderly ends.
  void drain();
  // Contents that wait to be committed or sealed after a last close.
  [[nodiscard]] size_t sealing() const;

  struct Counters {           // since the start
    uint64_t commits = 0;     // transactions of flush, fsync, release
    uint64_t data_syncs = 0;  // fdatasync of staging files
    uint64_t seals = 0;
    uint64_t hashed_again = 0;  // bytes read again to seal, because they were not written in order
    uint64_t clones = 0;        // sealed contents copied because somebody wrote
    uint64_t fetches = 0;       // asked of the ContentSource
    uint64_t passed = 0;        // handles that the kernel reads through by itself
  };
  [[nodiscard]] Counters counters() const;

  struct State;  // files_state.h, for the parts of this class only

 private:
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
