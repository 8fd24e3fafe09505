// Into Trash: files by rm or by a rename, whole folders by a rename.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree_trash.h"

namespace shoebox {
namespace {

// The rows by which a file lies in Trash.
Status put_rows(Operation& op, InodeNo inode, uint32_t type, uint32_t owner, std::string_view wanted,
                const std::optional<TrashTarget>& target, Notice notice) {
  const DentryRecord dentry{inode, type, NameKind::kGiven};
  std::string name(wanted);
  if (target && target->directory == kTrashInode) {
    name = target->name;
    SHOEBOX_TRY(op.txn.put_dentry(kTrashInode, name, dentry, notice));
  } else {
    SHOEBOX_ASSIGN(name, unique_name(op.txn, kTrashInode, target ? target->name : name));
    SHOEBOX_TRY(op.txn.put_dentry(kTrashInode, name, dentry));
  }
  SHOEBOX_TRY(touch_directory(op, kTrashInode));
  if (target && target->directory != kTrashInode) {
    SHOEBOX_TRY(op.txn.put_dentry(target->directory, target->name, dentry, notice));
    return touch_directory(op, target->directory);
  }
  SHOEBOX_ASSIGN(const auto files, trash_files_of(op.txn, owner));
  if (!files) return Status::ok();
  SHOEBOX_ASSIGN(const std::string alias, unique_name(op.txn, *files, name));
  SHOEBOX_TRY(op.txn.put_dentry(*files, alias, dentry));
  return touch_directory(op, *files);
}

// Names outside Trash go; the views let go of the photo or show a twin in its place.
Status strip_names(Operation& op, InodeNo inode, const NameOf& asked, Notice notice) {
  SHOEBOX_TRY(op.core.engine.withdraw_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  for (const NameOf& name : names) {
    SHOEBOX_TRY(op.txn.erase_dentry(name.directory, name.name, name == asked ? notice : Notice::kTell));
    SHOEBOX_TRY(touch_directory(op, name.directory));
  }
  return Status::ok();
}

// The photo that no inode outside Trash carries any more shall be filed anew if it comes back in a view.
Status leave_photo(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));
  const PhotoId photo = record.photo;
  record.photo = PhotoId{};
  op.txn.put_inode(inode, record);
  if (!photo) return Status::ok();
  SHOEBOX_ASSIGN(const auto left, op.txn.inodes_of_photo(photo));
  if (!left.empty()) {
    op.left_to_twins.push_back(photo);
    return op.core.engine.refresh(op.txn, photo);
  }
  SHOEBOX_ASSIGN(auto photo_record, op.txn.photo(photo));
  if (!photo_record) return Status::ok();
  photo_record->homed = false;
  op.txn.put_photo(photo, *photo_record);
  return Status::ok();
}

Result<InodeNo> stand_in(Operation& op, InodeNo inode, InodeRecord record) {
  const InodeNo number = op.txn.new_inode_no();
  record.photo = PhotoId{};
  record.nlink = 1;
  record.ctime = op.now;
  op.txn.put_inode(number, record);
  SHOEBOX_TRY(retain_content(op.txn, record.content));
  SHOEBOX_TRY(copy_xattrs(op, inode, number, false));
  return number;
}

Result<uint64_t> count_photos(const CatalogReader& reader) {
  uint64_t photos = 0;
  SHOEBOX_TRY(reader.for_each_photo([&](PhotoId, const PhotoRecord& photo) {
    if (photo.info.kind == MediaKind::kPhoto || photo.info.kind == MediaKind::kVideo) ++photos;
    return true;
  }));
  return photos;
}

}  // namespace

Result<uint32_t> trash_owner(Operation& op, const std::optional<TrashTarget>& target) {
  if (!target || target->directory == kTrashInode) return op.caller.uid;
  SHOEBOX_ASSIGN(const auto files, op.txn.inode(target->directory));
  if (!files || files->view != ViewId::kTrashAlias) return op.caller.uid;
  return static_cast<uint32_t>(std::stoul(files->view_value));
}

Result<TrashRecord> remember(Operation& op, InodeNo inode, const NameOf& asked) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  TrashRecord trash;
  trash.trashed_s = op.now.seconds;
  trash.uid = op.caller.uid;
  trash.photo = record.photo;
  NameOf home = asked;
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, inode));
  bool has_home = false;
  for (const Row& row : rows) {
    if (!row.lives()) continue;
    trash.names.push_back({row.directory, row.name});
    if (!row.in_library()) continue;
    if (!has_home || NameOf{row.directory, row.name} == asked) home = {row.directory, row.name};
    has_home = true;
  }
  trash.directory = home.directory;
  SHOEBOX_ASSIGN(trash.path, path_of_name(op.txn, home));
  if (record.photo) {
    SHOEBOX_ASSIGN(const auto photo, op.txn.photo(record.photo));
    if (photo)
      for (const auto& [value, statement] : photo->statements)
        if (statement == Statement::kAsserted) trash.statements.push_back(value);
  }
  return trash;
}

Status strip(Operation& op, InodeNo inode, const NameOf& asked, const TrashRecord& trash, Notice notice) {
  SHOEBOX_TRY(strip_names(op, inode, asked, notice));
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));
  // A sidecar that goes says no more.
  if (!record.photo)
    for (const NameOf& name : trash.names)
      SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, name.directory, name.name));
  return leave_photo(op, inode);
}

Status admit_to_trash(Operation& op, uint64_t photos) {
  return op.core.breaker.admit(photos, op.core.settings->trash_breaker_percent, op.core.clock.steady(),
                               [&] { return count_photos(op.core.catalog); });
}

namespace {

Result<InodeNo> put_away(Operation& op, InodeNo inode, const NameOf& asked,
                         const std::optional<TrashTarget>& target, Notice notice) {
  SHOEBOX_ASSIGN(TrashRecord trash, remember(op, inode, asked));
  SHOEBOX_ASSIGN(trash.uid, trash_owner(op, target));
  SHOEBOX_TRY(strip(op, inode, asked, trash, notice));
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));

  InodeNo in_trash = inode;
  if (!target) {
    SHOEBOX_ASSIGN(in_trash, stand_in(op, inode, record));
    record.nlink = 0;
  } else {
    record.nlink = 1;
  }
  record.ctime = op.now;
  op.txn.put_inode(inode, record);
  op.txn.put_trash(in_trash, trash);
  SHOEBOX_TRY(
      put_rows(op, in_trash, record.mode & S_IFMT, trash.uid, asked.name, target, Notice::kKernelKnows));
  if (!target) SHOEBOX_TRY(settle_unlinked(op, inode));
  return in_trash;
}

}  // namespace

Status trash_file(Operation& op, InodeNo inode, const NameOf& asked,
                  const std::optional<TrashTarget>& target) {
  SHOEBOX_TRY(admit_to_trash(op, 1));
  return put_away(op, inode, asked, target, Notice::kKernelKnows).status();
}

Result<InodeNo> trash_along(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  if (names.empty()) return Status(Code::kNotFound, fmt::format("inode {}: has no name", inode.value));
  SHOEBOX_ASSIGN(const auto homes, library_names(op.txn, inode));
  return put_away(op, inode, homes.empty() ? names.front() : homes.front(), std::nullopt, Notice::kTell);
}

Result<std::vector<InodeNo>> inodes_to_trash(Operation& op, InodeNo inode, const NameOf& asked) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  if (!record.photo) return std::vector{inode};
  SHOEBOX_ASSIGN(const auto inodes, op.txn.inodes_of_photo(record.photo));
  // A twin that has no name but this one goes alone: the photo itself was not meant.
  SHOEBOX_ASSIGN(const auto rows, op.core.rows.of_inode(op.txn, inode));
  const auto lives = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return row.lives(); });
  const bool named_here = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
    return row.lives() && NameOf{row.directory, row.name} == asked;
  });
  if (inodes.size() > 1 && lives == 1 && named_here) return std::vector{inode};
  return inodes;
}

Status trash_photo(Operation& op, InodeNo inode, const NameOf& asked,
                   const std::optional<TrashTarget>& target) {
  SHOEBOX_ASSIGN(auto inodes, inodes_to_trash(op, inode, asked));
  std::set<InodeNo> sidecars;
  for (InodeNo one : inodes) {
    SHOEBOX_ASSIGN(auto beside, sidecars_of(op, one));
    sidecars.merge(beside);
  }
  // The others first, so that no row moves on to a twin that goes in its turn.
  std::erase(inodes, inode);
  for (InodeNo other : inodes) {
    SHOEBOX_ASSIGN(const auto names, op.txn.names_of(other));
    if (names.empty()) continue;
    SHOEBOX_TRY(admit_to_trash(op, 1));
    SHOEBOX_TRY(trash_along(op, other).status());
  }
  SHOEBOX_TRY(admit_to_trash(op, 1));
  SHOEBOX_ASSIGN(const InodeNo in_trash, put_away(op, inode, asked, target, Notice::kKernelKnows));
  return trash_sidecars(op, in_trash, sidecars);
}

Result<InodeNo> statement_stand_in(Operation& op, InodeNo inode, const NameOf& asked, uint32_t owner) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  TrashRecord trash;
  trash.trashed_s = op.now.seconds;
  trash.uid = owner;
  trash.photo = record.photo;
  trash.directory = asked.directory;
  trash.names = {asked};
  SHOEBOX_ASSIGN(trash.path, path_of_name(op.txn, asked));
  SHOEBOX_ASSIGN(const auto directory, need_inode(op.txn, asked.directory));
  SHOEBOX_ASSIGN(const ViewPath path, op.core.engine.path_of(op.txn, asked.directory));
  trash.statements = {{directory.view, ViewRows::joined(path)}};
  SHOEBOX_ASSIGN(const InodeNo in_trash, stand_in(op, inode, record));
  op.txn.put_trash(in_trash, trash);
  return in_trash;
}

Status trash_statement(Operation& op, InodeNo inode, const NameOf& asked, const TrashTarget& target) {
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, inode));
  SHOEBOX_ASSIGN(const uint32_t owner, trash_owner(op, target));
  SHOEBOX_ASSIGN(const InodeNo in_trash, statement_stand_in(op, inode, asked, owner));
  // The kernel moved the photo's own inode to the target: it must look again.
  return put_rows(op, in_trash, record.mode & S_IFMT, owner, target.name, target, Notice::kTell);
}

Result<std::string> unique_name(const CatalogReader& reader, InodeNo directory, std::string_view wanted) {
  std::string name(wanted);
  for (unsigned number = 2;; ++number) {
    SHOEBOX_ASSIGN(const auto taken, reader.dentry(directory, name));
    if (!taken) return name;
    name = numbered_name(wanted, number);
  }
}

Result<std::optional<InodeNo>> trash_files_of(const CatalogReader& reader, uint32_t uid) {
  SHOEBOX_ASSIGN(const auto alias, reader.dentry(kRootInode, fmt::format(".Trash-{}", uid)));
  if (!alias) return std::optional<InodeNo>();
  SHOEBOX_ASSIGN(const auto files, reader.dentry(alias->inode, "files"));
  if (!files || files->type != S_IFDIR) return std::optional<InodeNo>();
  return std::optional(files->inode);
}

}  // namespace shoebox
