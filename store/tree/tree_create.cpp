// New names for new inodes: create, mknod, symlink, mkdir.
#include <fmt/format.h>
#include <sys/stat.h>

#include "store/base/file_names.h"
#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

constexpr std::string_view kTrashAliasPrefix = ".Trash-";

bool is_trash_alias_name(std::string_view name) {
  if (!name.starts_with(kTrashAliasPrefix)) return false;
  name.remove_prefix(kTrashAliasPrefix.size());
  return !name.empty() && name.size() <= 10 && name.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<Entry> put_new(Operation& op, const Directory& parent, std::string_view name, InodeNo number,
                      const InodeRecord& record) {
  op.txn.put_inode(number, record);
  SHOEBOX_TRY(op.txn.put_dentry(parent.number, name, {number, record.mode & S_IFMT, NameKind::kGiven},
                                Notice::kKernelKnows));
  SHOEBOX_TRY(touch_directory(op, parent.number, S_ISDIR(record.mode) ? 1 : 0));
  return Entry{number, record};
}

Result<Entry> committed(Operation& op, InodeNo number) {
  SHOEBOX_ASSIGN(auto record, need_inode(op.txn, number));
  SHOEBOX_TRY(op.commit());
  return Entry{number, std::move(record)};
}

// A regular file; maybe what a program writes in place of one that it set aside.
Result<Entry> begun(Operation& op, InodeNo directory, std::string_view name, InodeNo number) {
  SHOEBOX_ASSIGN(Entry entry, committed(op, number));
  op.core.set_aside.begun({directory, std::string(name)}, number, op.caller.pid, op.core.clock.steady());
  return entry;
}

// Everything but folders and regular files: only where the tree is a plain one.
Result<Entry> make_special(TreeCore& core, InodeNo directory, std::string_view name, uint32_t mode,
                           uint64_t rdev, std::string_view target, const Caller& caller) {
  SHOEBOX_TRY(check_new_name(name));
  Operation op(core, caller);
  SHOEBOX_ASSIGN(const Directory parent, need_standing_directory(op, directory));
  SHOEBOX_TRY(need_free(op.txn, directory, name));
  if (parent.place != Place::kLibrary)
    return not_permitted("create", name, "links and special files stand in Library only");
  const InodeNo number = op.txn.new_inode_no();
  SHOEBOX_ASSIGN(InodeRecord record, new_inode(op, number, parent, mode));
  record.rdev = rdev;
  record.symlink_target = target;
  record.size = target.size();
  SHOEBOX_ASSIGN(const Entry entry, put_new(op, parent, name, number, record));
  return committed(op, entry.number);
}

// What had been trashed before the file manager made its folder shows there as well.
Status fill_trash_files(Operation& op, InodeNo files, uint32_t uid) {
  std::vector<DirEntry> entries;
  SHOEBOX_TRY(op.txn.for_each_entry(kTrashInode, "", [&](const DirEntry& entry) {
    if (entry.dentry.type != S_IFDIR) entries.push_back(entry);
    return true;
  }));
  for (const DirEntry& entry : entries) {
    SHOEBOX_ASSIGN(const auto trash, op.txn.trash(entry.dentry.inode));
    if (trash && trash->uid == uid) SHOEBOX_TRY(op.txn.put_dentry(files, entry.name, entry.dentry));
  }
  return Status::ok();
}

}  // namespace

Result<Entry> Tree::create(InodeNo directory, std::string_view name, uint32_t mode, const Caller& caller) {
  SHOEBOX_TRY(check_new_name(name));
  Operation op(*state_, caller);
  SHOEBOX_ASSIGN(const Directory parent, need_standing_directory(op, directory));
  SHOEBOX_TRY(need_free(op.txn, directory, name));
  switch (parent.place) {
    case Place::kRoot: return not_permitted("create", name, "files go into Library or a view");
    case Place::kTrash:
    case Place::kTrashFiles:
    case Place::kTrashedFolder: return not_permitted("create", name, "Trash takes only what is moved there");
    default: break;
  }
  const InodeNo number = op.txn.new_inode_no();
  SHOEBOX_ASSIGN(InodeRecord record, new_inode(op, number, parent, (mode & ~S_IFMT) | S_IFREG));
  if (parent.place == Place::kView) {
    op.txn.put_inode(number, record);
    SHOEBOX_TRY(state_->engine.created(op.txn, directory, name, number));
    return begun(op, directory, name, number);
  }
  SHOEBOX_ASSIGN(const Entry entry, put_new(op, parent, name, number, record));
  if (parent.place == Place::kLibrary) {
    SHOEBOX_TRY(become_real(op, number, name));
    SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, directory, name));
  }
  return begun(op, directory, name, entry.number);
}

Result<Entry> Tree::mknod(InodeNo directory, std::string_view name, uint32_t mode, uint64_t rdev,
                          const Caller& caller) {
  if (S_ISREG(mode) || (mode & S_IFMT) == 0) return create(directory, name, mode, caller);
  if (S_ISDIR(mode) || S_ISLNK(mode))
    return Status(Code::kInvalid, fmt::format("mknod {}: not for folders and links", name));
  return make_special(*state_, directory, name, mode, rdev, "", caller);
}

Result<Entry> Tree::symlink(InodeNo directory, std::string_view name, std::string_view target,
                            const Caller& caller) {
  if (target.empty()) return Status(Code::kNotFound, fmt::format("symlink {}: an empty target", name));
  if (target.size() > kMaxSymlinkBytes)
    return Status(Code::kNameTooLong,
                  fmt::format("symlink {}: target over {} bytes", name, kMaxSymlinkBytes));
  return make_special(*state_, directory, name, S_IFLNK | 0777, 0, target, caller);
}

Result<Entry> Tree::mkdir(InodeNo directory, std::string_view name, uint32_t mode, const Caller& caller) {
  SHOEBOX_TRY(check_new_name(name));
  Operation op(*state_, caller);
  SHOEBOX_ASSIGN(const Directory parent, need_standing_directory(op, directory));
  SHOEBOX_TRY(need_free(op.txn, directory, name));
  if (parent.place == Place::kView) {
    SHOEBOX_ASSIGN(const InodeNo made,
                   state_->engine.mkdir(op.txn, directory, name, (mode & 07777) | S_IFDIR, caller));
    return committed(op, made);
  }
  const bool alias_root = parent.place == Place::kRoot && is_trash_alias_name(name);
  if (parent.place == Place::kRoot && !alias_root)
    return not_permitted("mkdir", name, "the top folders are fixed; folders go into Library or Albums");
  if (is_trash(parent.place)) return not_permitted("mkdir", name, "Trash takes only what is moved there");

  const InodeNo number = op.txn.new_inode_no();
  SHOEBOX_ASSIGN(InodeRecord record, new_inode(op, number, parent, (mode & ~S_IFMT) | S_IFDIR));
  if (alias_root) {
    record.view = ViewId::kTrashAlias;
    record.view_value = name.substr(kTrashAliasPrefix.size());
  } else if (parent.place == Place::kTrashNotes) {
    record.view_value = fmt::format("{}/{}", parent.record.view_value, name);
  }
  SHOEBOX_ASSIGN(const Entry entry, put_new(op, parent, name, number, record));
  // Only .Trash-$UID/files itself is the Trash; a deeper "files" is an ordinary folder.
  if (place_of(number, record) == Place::kTrashFiles)
    SHOEBOX_TRY(fill_trash_files(op, number, static_cast<uint32_t>(std::stoul(parent.record.view_value))));
  return committed(op, entry.number);
}

}  // namespace shoebox
