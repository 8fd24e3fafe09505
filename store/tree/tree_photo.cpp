// How a name makes a file a photo, and what follows when it does. Part of Tree; inside the caller's
// transaction.
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/tree/content_refs.h"
#include "store/tree/name_class.h"
#include "store/tree/sidecar_facts.h"
#include "store/tree/tree_state.h"

namespace shoebox {

Result<bool> is_precious(const CatalogReader& reader, const InodeRecord& record, std::string_view name) {
  if (!S_ISREG(record.mode) || !record.content || record.size == 0) return false;
  if (is_sidecar(name)) return true;
  // A photo that somebody gave a junk name is a photo still.
  if (record.photo) {
    SHOEBOX_ASSIGN(const auto photo, reader.photo(record.photo));
    if (photo && photo->info.kind != MediaKind::kUnknown && photo->info.kind != MediaKind::kUndecodable)
      return photo->info.kind != MediaKind::kOther;
  }
  if (is_junk(name)) return false;
  if (is_media_name(name)) return true;
  // Of a backup copy that came with its photo nothing else has the bytes; of one made here there is a
  // version.
  if (photo_of_backup_copy(name).empty()) return false;
  SHOEBOX_ASSIGN(const bool held, held_by_version(reader, record.content));
  return !held;
}

Status ensure_jobs(Operation& op, ContentNo content) {
  if (!content) return Status::ok();
  SHOEBOX_ASSIGN(const auto jobs, op.txn.jobs_of_content(content));
  const std::shared_ptr<const Settings> settings = op.core.settings.now();  // under the writer lock
  for (const RemoteSettings& remote : settings->remotes) {
    const bool queued = std::any_of(jobs.begin(), jobs.end(),
                                    [&](const UploadJob& job) { return job.remote == remote.name; });
    SHOEBOX_ASSIGN(const auto copy, op.txn.copy(content, remote.name));
    if (queued || copy) continue;
    UploadJob job;
    job.content = content;
    job.remote = remote.name;
    op.txn.put_job(job);
  }
  return Status::ok();
}

void want_decode(Operation& op, ContentNo content) {
  TreeCore& core = op.core;
  op.txn.after_commit([&core, content] { core.decode_wanted(content); });
}

Status meet_content(Operation& op, InodeNo inode) {
  SHOEBOX_ASSIGN(const auto record, need_inode(op.txn, inode));
  if (!record.content || !record.photo) return Status::ok();
  SHOEBOX_TRY(ensure_jobs(op, record.content));
  SHOEBOX_ASSIGN(const auto known, op.txn.photo_of_content(record.content));
  if (known && *known != record.photo) return op.core.engine.merge(op.txn, record.photo, *known);
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(record.photo));
  if (!photo) return Status::ok();
  photo->content = record.content;
  op.txn.put_photo(record.photo, *photo);
  SHOEBOX_ASSIGN(const auto content, op.txn.content(record.content));
  if (content && is_immutable(content->state) && photo->info.kind == MediaKind::kUnknown)
    want_decode(op, record.content);
  return Status::ok();
}

Status become_real(Operation& op, InodeNo inode, std::string_view name) {
  SHOEBOX_ASSIGN(auto record, need_inode(op.txn, inode));
  if (!S_ISREG(record.mode) || is_junk(name)) return Status::ok();
  SHOEBOX_TRY(ensure_jobs(op, record.content));
  if (record.photo || is_sidecar(name)) return Status::ok();
  SHOEBOX_ASSIGN(const auto names, op.txn.names_of(inode));
  for (const NameOf& one : names) {
    if (one.name != name) continue;
    SHOEBOX_ASSIGN(const bool backup_copy, is_backup_copy(op.txn, one.directory, name));
    if (backup_copy) return Status::ok();
  }
  PhotoRecord photo;
  photo.original_name = name;
  photo.homed = true;
  record.photo = op.txn.new_photo_id();
  op.txn.put_photo(record.photo, photo);
  op.txn.put_inode(inode, record);
  return meet_content(op, inode);
}

Status redo_rows(Operation& op, PhotoId photo) {
  SHOEBOX_ASSIGN(const auto record, op.txn.photo(photo));
  if (!record) return Status::ok();
  if (record->info.kind != MediaKind::kUnknown)
    return op.core.engine.decoded(op.txn, photo, own_info(*record));
  if (record->content) {
    SHOEBOX_ASSIGN(const auto content, op.txn.content(record->content));
    if (content && is_immutable(content->state)) want_decode(op, record->content);
  }
  return op.core.engine.refresh(op.txn, photo);
}

bool is_shared_xattr(std::string_view name) {
  return name.starts_with("user.xdg.") || name.starts_with("user.baloo.");
}

Status copy_xattrs(Operation& op, InodeNo from, InodeNo to, bool shared_only) {
  SHOEBOX_ASSIGN(const auto names, op.txn.xattr_names(from));
  for (const std::string& name : names) {
    if (shared_only && !is_shared_xattr(name)) continue;
    SHOEBOX_ASSIGN(const auto value, op.txn.xattr(from, name));
    if (value) op.txn.put_xattr(to, name, *value);
  }
  return Status::ok();
}

}  // namespace shoebox
