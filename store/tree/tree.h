// The tree of names, as POSIX and the operation table of the design see it: Library as a plain
// POSIX tree, the views as statements about photos, Trash as the way back.
//
// Each operation is one transaction. Permission bits are checked by the kernel
// (default_permissions); what is checked here is what a place allows at all (kNotPermitted).
// Threads: any. tree_*.cpp holds one operation each; dispatch is by the directory's ViewId.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/clock.h"
#include "store/base/hash.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"
#include "store/live_settings.h"
#include "store/view.h"

namespace shoebox {

class Catalog;
class CatalogReader;
class Transaction;
struct OwnerStatements;

// Who asks. With FUSE_CAP_DONT_MASK off the kernel has applied the umask already: leave it 0. With
// it on, pass it: it counts only where the parent folder has no default ACL.
struct Caller {
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t pid = 0;
  uint32_t umask = 0;
  // The kernel asked, and knows of the names it asked for; else (a command) it is told of them too.
  bool from_kernel = true;

  // The owner of this process: who commands and the library's own work act as.
  static Caller command();
};

struct Entry {
  InodeNo number;
  InodeRecord inode;
  bool departing = false;  // the name is gone already and shown to this caller only: not to be cached
};

// Which attributes setattr changes; size is changed by Files::truncate.
struct AttributeChange {
  std::optional<uint32_t> mode;
  std::optional<uint32_t> uid, gid;
  std::optional<Timestamp> atime, mtime;  // given by the caller
  bool atime_now = false, mtime_now = false;
};

enum class RenameMode : uint8_t { kReplace, kNoReplace, kExchange };

// An object that was found on a remote and shall be a file (tree_adopt.cpp).
struct AdoptedFile {
  std::string path;   // below the mount point; one that is taken gets a number
  ContentNo content;  // whose parts are stored already (ContentStore::put_adopted); none: it is empty
  Timestamp mtime;
  bool mtime_is_its_own = false;  // somebody's program set it: it may serve as a guessed date
  std::string remote;
  RemoteCopy copy;                      // as it stands there; adopted_path is filled in
  std::optional<ContentHashes> hashes;  // known where all of it was read
};

class Tree {
 public:
  struct Dependencies {
    Catalog& catalog;
    const Clock& clock;
    SettingsView settings;
    std::vector<std::unique_ptr<View>>& views;
  };
  explicit Tree(const Dependencies& dependencies);
  ~Tree();

  // --- looking
  // A program that removes the names of a folder one by one still finds, and removes, what went by itself
  // with them: sidecars with their photo, folders of Dates with their last name; `pid` says who asks
  // (departed_names.h).
  Result<Entry> lookup(InodeNo directory, std::string_view name, uint32_t pid = 0) const;
  Result<InodeRecord> getattr(InodeNo number, uint32_t pid = 0) const;
  // In name order, after `after` ("" to start); "." and ".." are the caller's.
  Status readdir(InodeNo directory, std::string_view after,
                 const std::function<bool(const DirEntry&)>& fn) const;
  Result<InodeNo> parent_of(InodeNo directory) const;
  // Resolves a path below the mount point ("Albums/Trip/x.jpg").
  Result<Entry> resolve(std::string_view path) const;
  // A path below the mount point by which the inode is known; the Library one when it has one.
  Result<std::string> path_of(InodeNo number) const;

  // --- changing
  // A new empty regular file. The name shows at once; a photo's home and statements follow the table.
  Result<Entry> create(InodeNo directory, std::string_view name, uint32_t mode, const Caller& caller);
  Result<Entry> mkdir(InodeNo directory, std::string_view name, uint32_t mode, const Caller& caller);
  Result<Entry> mknod(InodeNo directory, std::string_view name, uint32_t mode, uint64_t rdev,
                      const Caller& caller);
  Result<Entry> symlink(InodeNo directory, std::string_view name, std::string_view target,
                        const Caller& caller);
  Result<Entry> link(InodeNo inode, InodeNo directory, std::string_view name, const Caller& caller);
  Status unlink(InodeNo directory, std::string_view name, const Caller& caller);
  Status rmdir(InodeNo directory, std::string_view name, const Caller& caller);
  Status rename(InodeNo from_directory, std::string_view from_name, InodeNo to_directory,
                std::string_view to_name, RenameMode mode, const Caller& caller);
  Result<InodeRecord> setattr(InodeNo number, const AttributeChange& change, const Caller& caller);

  // --- extended attributes: user.shoebox.* are computed, user.xdg.* and user.baloo.* stated, the
  // rest stored (POSIX ACLs too).
  Result<std::string> getxattr(InodeNo number, std::string_view name) const;
  Result<std::vector<std::string>> listxattr(InodeNo number) const;
  enum class XattrMode : uint8_t { kAny, kCreate, kReplace };
  Status setxattr(InodeNo number, std::string_view name, std::string_view value, XattrMode mode);
  Status removexattr(InodeNo number, std::string_view name);

  // --- what Files tells, inside its own transaction
  // The inode's bytes become `content`, which Files has put with references = 1. `record` is what the
  // inode shall be, still with its old content and photo; it is written here. The photo goes on with
  // the new bytes, and a photo's old ones become a version.
  Status replace_content(Transaction& txn, InodeNo inode, InodeRecord& record, ContentNo content);

  // --- what the importer tells, each one transaction
  // The content of these inodes was sealed: known bytes make twins (the content and photo of the
  // earlier one are taken over, unless its bytes could not be made whole: `apart`). Returns the content that
  // stands now.
  Result<ContentNo> content_sealed(ContentNo content, const ContentHashes& hashes, bool apart = false);
  // The hashes of adopted bytes (ContentState::kAdopted): known bytes make twins as above, but what stands
  // on the remote stays there, as the copy of the known bytes or as somebody's object. kLocal: the
  // bytes are an object of this disk now, and are decoded anew. kNotFound: erased meanwhile.
  Status content_hashed(ContentNo content, const ContentHashes& hashes, Residence residence);
  // Makes files of objects that were found on a remote; all or none. An object that is known under its
  // key and was replaced there replaces the file's bytes. Returns the path of each.
  Result<std::vector<std::string>> adopt(const std::vector<AdoptedFile>& files, const Caller& caller);
  // An object that was found on a remote holds the bytes of `known`, which has its name already: it is their
  // copy there, or somebody's object where they have one.
  Status adopt_copy(ContentNo known, const std::string& remote, RemoteCopy copy, const std::string& path);
  // The owner had said `said` about the photo, not `now`: what differs is taken back or added. Both as a
  // sidecar spells them. With nothing as `now` all that is told is added to what is said by now.
  Status change_statements(InodeNo number, const OwnerStatements& now, const OwnerStatements& said);
  // The file says this about itself: dates, people, home, view rows.
  Status photo_decoded(ContentNo content, const MediaInfo& info);
  // The name of an XMP sidecar with these bytes that a photo beside it waits for; empty: none does.
  Result<std::string> sidecar_wanted(ContentNo content) const;
  // A sidecar states this about the photos beside it.
  Status sidecar_read(ContentNo content, const MediaInfo& facts);

  // --- trash
  struct TrashEntry {
    InodeNo inode;
    std::string name;  // in Trash/
    TrashRecord record;
    uint64_t size = 0;
  };
  Result<std::vector<TrashEntry>> trash_list() const;
  Status trash_restore(InodeNo inode, const Caller& caller);
  // Removes for good; older_than_s = 0: all of it. Returns how many.
  Result<uint64_t> trash_empty(int64_t older_than_s);
  Status trash_allow();  // lifts the breaker for 10 minutes

  // Called at mount: removes inodes that were unlinked while open when the process died.
  Status forget_orphans();
  // Called at mount: where Settings::dates_layout is not the one the rows were made for, makes them anew.
  Status follow_layout();
  // Files tells which inodes have open handles, so that an unlinked one lives until its last close.
  void set_open_check(std::function<bool(InodeNo)> is_open);
  // Told after a commit by which sealed bytes became a photo's that nobody has decoded yet (a
  // temporary file got its real name): the importer shall take them. Set before threads start.
  void on_decode_wanted(std::function<void(ContentNo)> callback);
  // How many bytes are on this disk (ContentStore::local_bytes), for user.shoebox.state: without it
  // what was evicted is "remote", never "partial". Set before threads start.
  void set_local_bytes(std::function<Result<uint64_t>(ContentNo)> local_bytes);
  // Files calls it after the last close of an inode whose nlink is 0.
  Status drop_unlinked(InodeNo number);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoebox
