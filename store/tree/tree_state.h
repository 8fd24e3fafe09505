// What all operations of Tree share: where a directory stands, checked reads, new inodes, names and
// link counts. Private to store/tree.
//
// An operation makes one Operation, works inside its transaction and commits. Threads: any; the
// transaction's writer lock is what keeps two operations apart.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/mutex.h"
#include "store/catalog/catalog.h"
#include "store/settings.h"
#include "store/tree/departed_names.h"
#include "store/tree/set_aside_names.h"
#include "store/tree/trash_breaker.h"
#include "store/tree/tree.h"
#include "store/tree/tree_paths.h"
#include "store/tree/view_engine.h"
#include "store/tree/view_rows.h"

namespace shoebox {

inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxSymlinkBytes = 4095;
inline constexpr uint32_t kMaxLinks = 65000;  // as ext4

struct TreeCore {
  explicit TreeCore(const Tree::Dependencies& d)
      : catalog(d.catalog),
        clock(d.clock),
        settings(d.settings),
        engine(d.views, d.clock),
        rows(d.views, d.clock) {}

  Catalog& catalog;
  const Clock& clock;
  const SettingsView settings;
  ViewEngine engine;
  ViewRows rows;
  TrashBreaker breaker;
  DepartedNames departed;
  SetAsideNames set_aside;
  // Set before threads start.
  std::function<bool(InodeNo)> is_open = [](InodeNo) { return false; };
  std::function<void(ContentNo)> decode_wanted = [](ContentNo) {};
  std::function<Result<uint64_t>(ContentNo)> local_bytes;
};

struct Tree::State final : TreeCore {
  using TreeCore::TreeCore;
};

// One change: a transaction, who asked, and the one time that all its records get.
struct Operation {
  Operation(TreeCore& tree, const Caller& who)
      : core(tree), transaction(tree.catalog.begin()), txn(*transaction), caller(who), now(tree.clock.now()) {
    if (!caller.from_kernel) txn.tell_all_names();
  }

  // Part of a change that somebody else began and commits.
  Operation(TreeCore& tree, Transaction& running) : core(tree), txn(running), now(tree.clock.now()) {}

  TreeCore& core;
  std::unique_ptr<Transaction> transaction;  // null: somebody else's
  Transaction& txn;
  Caller caller;
  Timestamp now;

  // Photos of which an inode went to Trash and others stay, as far as those do not follow: seen to at the
  // end.
  std::vector<PhotoId> left_to_twins;

  [[nodiscard]] Status commit() {
    for (const PhotoId photo : left_to_twins) SHOEBOX_TRY(core.engine.left_to_twins(txn, photo));
    return transaction->commit();
  }
};

// What kind of place a directory is.
enum class Place : uint8_t {
  kRoot,
  kLibrary,
  kView,
  kTrash,          // Trash/
  kTrashFiles,     // .Trash-$UID/files: the same place as Trash/
  kTrashNotes,     // .Trash-$UID itself, info/ and others: ordinary small files
  kTrashedFolder,  // a folder that lies in Trash, and what is below it
};
[[nodiscard]] Place place_of(InodeNo number, const InodeRecord& directory);
[[nodiscard]] inline bool is_trash(Place place) {
  return place == Place::kTrash || place == Place::kTrashFiles || place == Place::kTrashedFolder;
}

struct Directory {
  InodeNo number;
  InodeRecord record;
  Place place = Place::kRoot;
};

// --- checked reads
Status check_new_name(std::string_view name);
Result<InodeRecord> need_inode(const CatalogReader& reader, InodeNo number);
Result<Directory> need_directory(const CatalogReader& reader, InodeNo number);
// For what is about to be put there: a folder of Dates that the caller emptied a moment ago, and still sees,
// stands again. (tree_departed.cpp)
Result<Directory> need_standing_directory(Operation& op, InodeNo number);
Result<DentryRecord> need_dentry(const CatalogReader& reader, InodeNo directory, std::string_view name);
Status need_free(const CatalogReader& reader, InodeNo directory, std::string_view name);
// Names of the inode that stand in Library, in byte order of (directory, name).
Result<std::vector<NameOf>> library_names(const CatalogReader& reader, InodeNo inode);
[[nodiscard]] Status not_permitted(std::string_view what, std::string_view name, std::string_view why);

// --- new inodes
// Owner, group, mode and ACLs as the parent says; writes nothing but the ACL xattrs of `number`.
Result<InodeRecord> new_inode(Operation& op, InodeNo number, const Directory& parent, uint32_t mode);

// --- names and links
// The kernel believes that this name went or names something else: it must look again.
Status tell_again(Operation& op, InodeNo directory, std::string_view name);
// nlink as the names are now (ViewRows::recount), and ctime.
Status relink(Operation& op, InodeNo inode);
Status check_links(const InodeRecord& record, std::string_view name);
// mtime and ctime of a directory whose names changed; `subfolders` changes its nlink.
Status touch_directory(Operation& op, InodeNo directory, int subfolders = 0);
// nlink is 0: kept while open, else erased with its hold on the content.
Status settle_unlinked(Operation& op, InodeNo inode);

// --- photos
// Goes to Trash rather than away: by what the decoder found, else by its name.
Result<bool> is_precious(const CatalogReader& reader, const InodeRecord& record, std::string_view name);
// The inode has a real name in Library now: PhotoId (the one its bytes have, if known) and uploads.
Status become_real(Operation& op, InodeNo inode, std::string_view name);
// The inode has a PhotoId now: its bytes, if it has some, are queued, and decoded if nobody has yet.
Status meet_content(Operation& op, InodeNo inode);
Status ensure_jobs(Operation& op, ContentNo content);
// Adopted bytes were read whole; see Tree::content_hashed.
Status hash_adopted(Operation& op, ContentNo content, ContentRecord record, const ContentHashes& hashes,
                    Residence residence);
void want_decode(Operation& op, ContentNo content);
// Rows after the photo's record changed: as decoded when it is, else as they are.
Status redo_rows(Operation& op, PhotoId photo);
// user.xdg.* and user.baloo.*: stand on every inode of a photo.
[[nodiscard]] bool is_shared_xattr(std::string_view name);
Status copy_xattrs(Operation& op, InodeNo from, InodeNo to, bool shared_only);

}  // namespace shoebox
