// What FolderRemote needs of a server that keeps files in folders: one call each, without any thought of
// what a library needs. WebDAV and SFTP implement it.
//
// Paths are below the folder of the remote's url, '/'-separated, "" for that folder itself; the caller
// checked them (check_key).
//
// Threads: every function from any thread; each blocks until done, cancelled or past its deadline.
// Errors as in remote.h, except that kNotFound is what the server said and not yet believed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sync/remote/remote.h"

namespace shoebox {

struct FileFacts {
  bool is_folder = false;
  uint64_t size = 0;
  std::string etag;
  int64_t modified_s = 0;
  // In hex, as the server itself calculated them of the bytes that it got; empty when it offers none.
  std::string sha256;
  std::string md5;
};

struct FolderEntry {
  std::string name;  // one name without '/', not "." or ".."
  FileFacts facts;
};

// What became of a write.
struct Written {
  std::string path;        // where the bytes stand: the path asked for, or that of the attempt taken up
  std::string sha256;      // as FileFacts::sha256, of the bytes on their way in
  bool resumable = false;  // a later write with the saved progress finds them here
};

class FolderServer {
 public:
  virtual ~FolderServer() = default;
  // "davs://host/photos", for messages.
  [[nodiscard]] virtual const std::string& text() const = 0;

  virtual Result<FileFacts> facts(const std::string& path, const RequestContext& context) = 0;
  // Everything in the folder, in any order; kUnavailable when the answer may be incomplete.
  virtual Result<std::vector<FolderEntry>> entries(const std::string& folder,
                                                   const RequestContext& context) = 0;
  // As Remote::get. REQUIRES: the range is not empty.
  virtual Status read(const std::string& path, ByteRange range, const std::string& etag,
                      const std::function<Status(std::string_view)>& sink, const RequestContext& context) = 0;
  // Writes options.size bytes of `fd` to the path, over what is there; nothing about it is atomic.
  // kNotFound when its folder is missing. Progress as in PutOptions.
  virtual Result<Written> write(const std::string& path, int fd, const PutOptions& options,
                                const RequestContext& context) = 0;
  // Ok when something stands there already. kNotFound when its parent is missing.
  virtual Status make_folder(const std::string& path, const RequestContext& context) = 0;
  // In one step for whoever reads there. Without `replace`: kConflict when something stands at `to`.
  // kNotFound when `from`, or the folder of `to`, is missing.
  virtual Status move(const std::string& from, const std::string& to, bool replace,
                      const RequestContext& context) = 0;
  // kNotSupported when the server cannot copy by itself. kNotFound as for move().
  virtual Status copy(const std::string& from, const std::string& to, const RequestContext& context) = 0;
  virtual Status remove_file(const std::string& path, const RequestContext& context) = 0;
  // Gives a file a modification time after `later_than_s`, for an etag that differs from that of the file
  // it replaces. Ok where the server's etags need no help.
  virtual Status set_time_after(const std::string& path, int64_t later_than_s,
                                const RequestContext& context) = 0;
};

}  // namespace shoebox
