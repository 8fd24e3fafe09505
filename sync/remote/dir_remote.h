// A directory as remote (file://): the embedded default, a USB disk, a mounted NAS.
//
// An object is written to .shoebox/tmp of the same folder, synced, read back past the page cache,
// renamed to its readable key, and the folders are synced. Nobody ever sees half an object.
//
// Threads: any; every call blocks on the disk. Cancel and deadline are looked at between pieces: a
// network file system that hangs inside the kernel cannot be interrupted from here.
#pragma once

#include <string>

#include "sync/remote/dir_tree.h"
#include "sync/remote/remote.h"

struct stat;

namespace shoebox {

class DirRemote final : public Remote {
 public:
  // `used_before`: the catalog knows copies here, so a folder without marker is not mounted.
  DirRemote(std::string name, std::string root, bool used_before, bool only_look = false);

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
  Status remove(const std::string& key, const RequestContext& context) override;
  Result<uint64_t> remove_leftovers(const std::string& key, const IsGivenUp& given_up,
                                    const RequestContext& context) override;

 private:
  // Root folder, after the checks that every call starts with.
  Result<UniqueFd> begin(const std::string& key, const RequestContext& context);
  Result<UniqueFd> open_object(int root_fd, const std::string& key, struct ::stat* st) const;
  // Copies, syncs and reads back; then renames. options.sha256 zero: the hash of what was read counts.
  Result<RemoteObject> store(int root_fd, const std::string& key, int fd, const PutOptions& options,
                             const RequestContext& context);
  Result<ContentHash> copy_bytes(int from, int to, const PutOptions& options, const std::string& path,
                                 const RequestContext& context) const;
  Status place(int root_fd, const std::string& temporary, const std::string& key, bool if_absent,
               const RequestContext& context) const;
  // Whether what stands at `key` holds exactly these bytes.
  Result<bool> holds(int root_fd, const std::string& key, uint64_t size, const ContentHash& sha256,
                     const RequestContext& context) const;
  [[nodiscard]] std::string path_of(const std::string& key) const { return tree_.root() + "/" + key; }

  const std::string name_;
  DirTree tree_;
};

// Identity of a file's bytes as far as the file system tells: size and time. Inode numbers are left
// out: network and FAT file systems give others after a remount.
std::string dir_etag(const struct ::stat& st);
RemoteObject dir_object(const std::string& key, const struct ::stat& st);

}  // namespace shoebox
