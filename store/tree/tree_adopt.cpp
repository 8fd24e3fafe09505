// Objects that were found on a remote become files of Library.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

constexpr unsigned kMostNumbers = 10'000;

// The folder called so, or the first one with a number where that name is a file's.
Result<InodeNo> ensure_folder(Operation& op, InodeNo parent, std::string_view wanted) {
  for (unsigned number = 1; number < kMostNumbers; ++number) {
    const std::string name = number == 1 ? std::string(wanted) : numbered_name(wanted, number);
    SHOEBOX_ASSIGN(const auto there, op.txn.dentry(parent, name));
    if (there && (there->type & S_IFMT) == S_IFDIR) return there->inode;
    if (there) continue;
    SHOEBOX_TRY(check_new_name(name));
    SHOEBOX_ASSIGN(const Directory directory, need_directory(op.txn, parent));
    const InodeNo folder = op.txn.new_inode_no();
    SHOEBOX_ASSIGN(const InodeRecord record, new_inode(op, folder, directory, S_IFDIR | 0755));
    op.txn.put_inode(folder, record);
    SHOEBOX_TRY(op.txn.put_dentry(parent, name, {folder, S_IFDIR, NameKind::kGiven}));
    SHOEBOX_TRY(touch_directory(op, parent, 1));
    return folder;
  }
  return Status(Code::kExists, fmt::format("{}: the name and all its numbers are taken", wanted));
}

struct Spot {
  InodeNo directory;
  std::string name;
};

// Where the file goes: every name but the last is a folder, made where it is missing.
Result<Spot> make_place(Operation& op, const std::string& path) {
  const std::string_view library = "Library/";
  if (!path.starts_with(library)) return Status(Code::kInvalid, fmt::format("{}: not below Library", path));
  InodeNo directory = kLibraryInode;
  std::string_view rest = std::string_view(path).substr(library.size());
  for (size_t slash = rest.find('/'); slash != std::string_view::npos; slash = rest.find('/')) {
    SHOEBOX_ASSIGN(directory, ensure_folder(op, directory, rest.substr(0, slash)));
    rest.remove_prefix(slash + 1);
  }
  SHOEBOX_TRY(check_new_name(rest));
  for (unsigned number = 1; number < kMostNumbers; ++number) {
    std::string name = number == 1 ? std::string(rest) : numbered_name(rest, number);
    SHOEBOX_ASSIGN(const auto there, op.txn.dentry(directory, name));
    if (!there) return Spot{directory, std::move(name)};
  }
  return Status(Code::kExists, fmt::format("{}: the name and all its numbers are taken", path));
}

void put_adopted_content(Operation& op, const AdoptedFile& file, const RemoteCopy& copy) {
  ContentRecord content;
  content.state = ContentState::kAdopted;
  content.residence = Residence::kPartial;
  content.size = file.copy.size;
  content.references = 1;
  content.last_access_s = content.changed_s = op.now.seconds;
  op.txn.put_content(file.content, content);
  op.txn.put_copy(file.content, file.remote, copy);
}

Status hash_if_known(Operation& op, const AdoptedFile& file) {
  if (!file.hashes) return Status::ok();
  SHOEBOX_ASSIGN(const auto record, op.txn.content(file.content));
  return record ? hash_adopted(op, file.content, *record, *file.hashes, Residence::kLocal) : Status::ok();
}

// Bytes that are nowhere any more are no version.
Status drop_version(Operation& op, PhotoId photo, ContentNo content) {
  SHOEBOX_ASSIGN(const auto versions, op.txn.versions(photo));
  const bool held = std::any_of(versions.begin(), versions.end(),
                                [&](const VersionRecord& version) { return version.content == content; });
  if (!held) return Status::ok();
  op.txn.erase_version(photo, content);
  return release_content(op.txn, content);
}

// Somebody wrote the object anew behind our back. The bytes that the file had become a version where they
// are anywhere else, and are gone where they are not.
Result<std::string> replace(Operation& op, const AdoptedFile& file, ContentNo old) {
  SHOEBOX_ASSIGN(const auto before, op.txn.copy(old, file.remote));
  SHOEBOX_ASSIGN(const auto old_record, op.txn.content(old));
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, op.txn.inodes_of_content(old));
  op.txn.erase_copy(old, file.remote);
  op.txn.erase_tidy(old, file.remote);
  SHOEBOX_ASSIGN(const auto elsewhere, op.txn.copies(old));
  const bool lost = old_record && old_record->residence != Residence::kLocal && elsewhere.empty();
  if (!lost) SHOEBOX_TRY(ensure_jobs(op, old));
  std::string path;
  for (const InodeNo number : inodes) {
    SHOEBOX_ASSIGN(const auto names, library_names(op.txn, number));
    if (names.empty()) continue;  // Trash keeps what it has
    if (path.empty()) {
      SHOEBOX_ASSIGN(path, path_of_name(op.txn, names.front()));
      RemoteCopy copy = file.copy;
      if (before) copy.adopted_path = before->adopted_path;
      if (file.content) put_adopted_content(op, file, copy);
    } else {
      SHOEBOX_TRY(retain_content(op.txn, file.content));
    }
    SHOEBOX_ASSIGN(InodeRecord inode, need_inode(op.txn, number));
    inode.size = file.copy.size;
    inode.mtime = file.mtime;
    inode.mtime_was_set = file.mtime_is_its_own;
    inode.ctime = op.now;
    SHOEBOX_ASSIGN(const PhotoId rest, shoebox::replace_content(op.txn, number, inode, file.content, op.now));
    if (rest) SHOEBOX_TRY(op.core.engine.left_to_twins(op.txn, rest, inode.photo));
    if (!inode.photo) SHOEBOX_TRY(op.core.engine.sidecar_written(op.txn, number));
    if (lost && inode.photo) SHOEBOX_TRY(drop_version(op, inode.photo, old));
    op.txn.data_changed(number);
  }
  SHOEBOX_TRY(ensure_jobs(op, file.content));
  SHOEBOX_TRY(hash_if_known(op, file));
  if (file.content) want_decode(op, file.content);
  return path;
}

Result<bool> has_library_name(const CatalogReader& reader, ContentNo content) {
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, reader.inodes_of_content(content));
  for (const InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const auto names, library_names(reader, inode));
    if (!names.empty()) return true;
  }
  return false;
}

Result<std::string> adopt_one(Operation& op, const AdoptedFile& file) {
  SHOEBOX_ASSIGN(const auto holder, op.txn.content_of_remote_key(file.remote, file.copy.key));
  if (holder) {
    SHOEBOX_ASSIGN(const bool in_library, has_library_name(op.txn, *holder));
    if (in_library) return replace(op, file, *holder);
    // What Trash or a version held: its object is another one now.
    op.txn.erase_copy(*holder, file.remote);
    op.txn.erase_tidy(*holder, file.remote);
  }
  SHOEBOX_ASSIGN(const Spot place, make_place(op, file.path));
  SHOEBOX_ASSIGN(const Directory parent, need_directory(op.txn, place.directory));
  SHOEBOX_ASSIGN(std::string path, path_of_name(op.txn, {place.directory, place.name}));
  const InodeNo number = op.txn.new_inode_no();
  SHOEBOX_ASSIGN(InodeRecord inode, new_inode(op, number, parent, S_IFREG | 0644));
  inode.size = file.copy.size;
  inode.content = file.content;
  inode.atime = inode.mtime = file.mtime;
  inode.mtime_was_set = file.mtime_is_its_own;
  if (file.content) {
    RemoteCopy copy = file.copy;
    if (path != copy.key) copy.adopted_path = path;
    put_adopted_content(op, file, copy);
  }
  op.txn.put_inode(number, inode);
  SHOEBOX_TRY(op.txn.put_dentry(place.directory, place.name, {number, S_IFREG, NameKind::kGiven}));
  SHOEBOX_TRY(touch_directory(op, place.directory));
  SHOEBOX_TRY(become_real(op, number, place.name));
  SHOEBOX_TRY(hash_if_known(op, file));
  SHOEBOX_TRY(op.core.engine.sidecars_changed(op.txn, place.directory, place.name));
  return path;
}

}  // namespace

Result<std::vector<std::string>> Tree::adopt(const std::vector<AdoptedFile>& files, const Caller& caller) {
  Operation op(*state_, caller);
  if (!files.empty()) (void)op.txn.new_content_no();  // the batch that names contents carries the counter
  std::vector<std::string> paths;
  for (const AdoptedFile& file : files) {
    Result<std::string> path = adopt_one(op, file);
    if (!path) return path.status().with_context(file.copy.key);
    paths.push_back(std::move(*path));
  }
  SHOEBOX_TRY(op.commit());
  return paths;
}

}  // namespace shoebox
