// A tree of folders on a server as remote: WebDAV and SFTP, over FolderServer.
//
// An upload goes to .shoebox/tmp, is confirmed there (by a hash that the server calculated, else by
// reading all of it back) and moved to its key in one step, so that nobody ever sees half an object and
// nothing is overwritten unasked.
//
// "Not there" is believed only while the marker .shoebox/remote stands: a server whose storage is not
// mounted, or a proxy, says 404 to everything.
//
// Threads: any; each call blocks on the server. No lock is held over a request.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "store/base/mutex.h"
#include "sync/remote/folder_server.h"
#include "sync/remote/remote.h"

namespace shoebox {

class FolderRemote final : public Remote {
 public:
  // `used_before`: the catalog knows copies here, so a folder without marker is not the owner's.
  // `only_look`: it is not made a remote either; check() says kNotFound of it.
  FolderRemote(std::string name, std::unique_ptr<FolderServer> server, bool used_before,
               bool only_look = false);

  [[nodiscard]] const std::string& name() const override { return name_; }
  Status check(const RequestContext& context) override;
  Result<RemoteObject> put(const std::string& key, int fd, const PutOptions& options,
                           const RequestContext& context) override;
  Result<RemoteObject> stat(const std::string& key, const RequestContext& context) override;
  Status get(const std::string& key, ByteRange range, const std::string& etag,
             const std::function<Status(std::string_view)>& sink, const RequestContext& context) override;
  Result<ListPage> list(const std::string& prefix, const std::string& next,
                        const RequestContext& context) override;
  Status copy(const std::string& from, const std::string& to, const RequestContext& context) override;
  // Leaves folders: a server removes one with all that came into it in the meantime.
  Status remove(const std::string& key, const RequestContext& context) override;
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override;

 private:
  struct Bytes;  // what an object must consist of
  struct Walk;   // one page of a listing

  // Key checked, and the folder is the owner's.
  Status begin(const std::string& key, const RequestContext& context);
  Status ready(const RequestContext& context);
  Status first_use(const RequestContext& context);
  Status read_marker(const RequestContext& context);
  void remove_stale_temporaries(const RequestContext& context);
  // Turns a "not found" of the server into knowledge: the marker still stands, or kUnavailable.
  Status not_found(const std::string& path, const RequestContext& context);

  Result<FileFacts> facts(const std::string& path, const RequestContext& context);
  // The file at a key; a folder there is kNotFound.
  Result<FileFacts> object(const std::string& key, const RequestContext& context);
  Result<bool> holds(const std::string& path, const FileFacts& facts, const Bytes& bytes,
                     const RequestContext& context);
  [[nodiscard]] Status no_folder(const std::string& key, const FileFacts& found) const;
  Result<Written> write_temporary(int fd, const PutOptions& options, const Bytes& bytes,
                                  const RequestContext& context);
  Result<RemoteObject> place(const std::string& temporary, const std::string& key, bool if_absent,
                             const Bytes& bytes, const RequestContext& context);
  // Makes it where it is missing; asks the server once for each.
  Status need_folder(const std::string& path, const RequestContext& context) EXCLUDES(mutex_);
  void forget_folder(const std::string& path) EXCLUDES(mutex_);
  Status make_folders(const std::string& path, const RequestContext& context);
  Status copy_through_here(const std::string& from, const std::string& to, const FileFacts& source,
                           const RequestContext& context);
  Status walk_folder(Walk& walk, const std::string& folder, int depth);
  Result<std::vector<FolderEntry>> entries_for(const Walk& walk, const std::string& folder);
  [[nodiscard]] std::string what(std::string_view verb, std::string_view key) const;

  const std::string name_;
  const std::unique_ptr<FolderServer> server_;
  const bool only_look_;
  std::atomic<bool> ready_{false};
  std::atomic<bool> seen_;  // the marker stood there once: from then on its absence means "not mounted"

  Mutex mutex_;
  std::set<std::string> known_folders_ GUARDED_BY(mutex_);  // some hundred bytes for each month of photos
  // The folder in which the last page was cut, so that the next page need not list it again.
  std::string kept_token_ GUARDED_BY(mutex_);
  std::string kept_folder_ GUARDED_BY(mutex_);
  std::vector<FolderEntry> kept_entries_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
