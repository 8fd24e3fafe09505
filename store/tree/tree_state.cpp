#include "store/tree/tree_state.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "store/tree/content_refs.h"
#include "store/tree/posix_acl.h"

namespace shoebox {

Tree::Tree(const Dependencies& dependencies) : state_(std::make_unique<State>(dependencies)) {}
Tree::~Tree() = default;

Caller Caller::command() {
  Caller caller;
  caller.uid = static_cast<uint32_t>(::getuid());
  caller.gid = static_cast<uint32_t>(::getgid());
  caller.pid = static_cast<uint32_t>(::getpid());
  caller.from_kernel = false;
  return caller;
}

void Tree::set_open_check(std::function<bool(InodeNo)> is_open) { state_->is_open = std::move(is_open); }
void Tree::on_decode_wanted(std::function<void(ContentNo)> callback) {
  state_->engine.on_decode_wanted(callback);
  state_->decode_wanted = std::move(callback);
}
void Tree::set_local_bytes(std::function<Result<uint64_t>(ContentNo)> local_bytes) {
  state_->local_bytes = std::move(local_bytes);
}

Place place_of(InodeNo number, const InodeRecord& directory) {
  switch (directory.view) {
    case ViewId::kRoot: return Place::kRoot;
    case ViewId::kLibrary: return Place::kLibrary;
    case ViewId::kTrash: return number == kTrashInode ? Place::kTrash : Place::kTrashedFolder;
    case ViewId::kTrashAlias:
      return directory.view_value.find('/') == directory.view_value.rfind("/files") &&
                     directory.view_value.ends_with("/files")
                 ? Place::kTrashFiles
                 : Place::kTrashNotes;
    default: return Place::kView;
  }
}

Status check_new_name(std::string_view name) {
  if (name.empty()) return {Code::kNotFound, "an empty name"};
  if (name.size() > kMaxNameBytes)
    return {Code::kNameTooLong, fmt::format("{}…: longer than {} bytes", name.substr(0, 32), kMaxNameBytes)};
  if (name == "." || name == "..") return {Code::kExists, fmt::format("{}: is always there", name)};
  if (name.find('/') != std::string_view::npos || name.find('\0') != std::string_view::npos)
    return {Code::kInvalid, "a name may hold neither '/' nor a zero byte"};
  return Status::ok();
}

Result<InodeRecord> need_inode(const CatalogReader& reader, InodeNo number) {
  SHOEBOX_ASSIGN(auto record, reader.inode(number));
  if (!record) return Status(Code::kNotFound, fmt::format("inode {}: is gone", number.value));
  return *std::move(record);
}

Result<Directory> need_directory(const CatalogReader& reader, InodeNo number) {
  SHOEBOX_ASSIGN(auto record, need_inode(reader, number));
  if (!S_ISDIR(record.mode))
    return Status(Code::kNotDirectory, fmt::format("inode {}: is no folder", number.value));
  const Place place = place_of(number, record);
  return Directory{number, std::move(record), place};
}

Result<DentryRecord> need_dentry(const CatalogReader& reader, InodeNo directory, std::string_view name) {
  if (name.size() > kMaxNameBytes)
    return Status(Code::kNameTooLong,
                  fmt::format("{}…: longer than {} bytes", name.substr(0, 32), kMaxNameBytes));
  SHOEBOX_ASSIGN(auto dentry, reader.dentry(directory, name));
  if (!dentry) return Status(Code::kNotFound, fmt::format("{}: no such name", name));
  return *dentry;
}

Status need_free(const CatalogReader& reader, InodeNo directory, std::string_view name) {
  SHOEBOX_ASSIGN(const auto dentry, reader.dentry(directory, name));
  if (dentry) return {Code::kExists, fmt::format("{}: is there already", name)};
  return Status::ok();
}

Result<std::vector<NameOf>> library_names(const CatalogReader& reader, InodeNo inode) {
  SHOEBOX_ASSIGN(auto names, reader.names_of(inode));
  std::vector<NameOf> out;
  for (NameOf& name : names) {
    SHOEBOX_ASSIGN(const auto directory, reader.inode(name.directory));
    if (directory && directory->view == ViewId::kLibrary) out.push_back(std::move(name));
  }
  std::sort(out.begin(), out.end());
  return out;
}

Status not_permitted(std::string_view what, std::string_view name, std::string_view why) {
  return {Code::kNotPermitted, fmt::format("{} {}: {}", what, name, why)};
}

Result<InodeRecord> new_inode(Operation& op, InodeNo number, const Directory& parent, uint32_t mode) {
  InodeRecord record;
  record.mode = mode;
  record.uid = op.caller.uid;
  record.gid = op.caller.gid;
  if (parent.record.mode & S_ISGID) {
    record.gid = parent.record.gid;
    if (S_ISDIR(mode)) record.mode |= S_ISGID;
  }
  record.nlink = S_ISDIR(mode) ? 2 : 1;
  record.atime = record.mtime = record.ctime = record.btime = op.now;
  record.view = S_ISDIR(mode) ? parent.record.view : ViewId::kLibrary;
  if (S_ISDIR(mode)) record.parent = parent.number;
  if (S_ISLNK(mode)) return record;

  SHOEBOX_ASSIGN(const auto inherited, op.txn.xattr(parent.number, kAclDefault));
  if (!inherited) {
    record.mode &= ~(op.caller.umask & 0777);
    return record;
  }
  SHOEBOX_ASSIGN(PosixAcl acl, PosixAcl::parse(*inherited));
  acl.limit_for_create(record.mode);
  if (!acl.equals_mode()) op.txn.put_xattr(number, kAclAccess, acl.bytes());
  if (S_ISDIR(mode)) op.txn.put_xattr(number, kAclDefault, *inherited);
  return record;
}

Status tell_again(Operation& op, InodeNo directory, std::string_view name) {
  SHOEBOX_ASSIGN(const auto dentry, op.txn.dentry(directory, name));
  if (!dentry) return Status::ok();
  // Written anew, since a row that does not change is no news.
  SHOEBOX_TRY(op.txn.erase_dentry(directory, name, Notice::kKernelKnows));
  return op.txn.put_dentry(directory, name, *dentry, Notice::kTell);
}

Status check_links(const InodeRecord& record, std::string_view name) {
  if (record.nlink < kMaxLinks) return Status::ok();
  return {Code::kTooManyLinks, fmt::format("link {}: the file has {} names already", name, record.nlink)};
}

Status relink(Operation& op, InodeNo inode) {
  SHOEBOX_TRY(op.core.rows.recount(op.txn, inode));
  SHOEBOX_ASSIGN(auto record, op.txn.inode(inode));
  if (!record || record->ctime == op.now) return Status::ok();
  record->ctime = op.now;
  op.txn.put_inode(inode, *record);
  return Status::ok();
}

Status touch_directory(Operation& op, InodeNo directory, int subfolders) {
  SHOEBOX_ASSIGN(auto record, need_inode(op.txn, directory));
  if (subfolders > 0 && record.nlink >= kMaxLinks)
    return {Code::kTooManyLinks,
            fmt::format("folder {}: holds {} folders already", directory.value, record.nlink - 2)};
  record.nlink += static_cast<uint32_t>(subfolders);
  record.mtime = record.ctime = op.now;
  op.txn.put_inode(directory, record);
  return Status::ok();
}

Status settle_unlinked(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(auto record, op.txn.inode(inode));
  if (!record || record->nlink > 0) return Status::ok();
  const PhotoId photo = record->photo;
  record->photo = PhotoId{};
  record->ctime = op.now;
  op.txn.put_inode(inode, *record);
  if (!op.core.is_open(inode)) {
    const ContentNo content = record->content;
    SHOEBOX_TRY(op.txn.erase_inode(inode));
    SHOEBOX_TRY(release_content(op.txn, content));
  }
  return forget_photo(op.txn, photo);
}

}  // namespace shoebox
