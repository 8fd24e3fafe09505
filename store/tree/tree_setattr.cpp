// chmod, chown, utimens. Sizes are Files'.
#include <sys/stat.h>

#include "store/tree/posix_acl.h"
#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

Status follow_mode(Operation& op, InodeNo number, uint32_t mode) {
  SHOEBOX_ASSIGN(const auto stored, op.txn.xattr(number, kAclAccess));
  if (!stored) return Status::ok();
  SHOEBOX_ASSIGN(PosixAcl acl, PosixAcl::parse(*stored));
  acl.set_permissions(mode);
  op.txn.put_xattr(number, kAclAccess, acl.bytes());
  return Status::ok();
}

}  // namespace

Result<InodeRecord> Tree::setattr(InodeNo number, const AttributeChange& change, const Caller& caller) {
  Operation op(*state_, caller);
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, number));
  if (change.mode) {
    record.mode = (record.mode & S_IFMT) | (*change.mode & 07777);
    SHOEBOX_TRY(follow_mode(op, number, record.mode));
  }
  const bool owner_given = change.uid || change.gid;
  if (change.uid) record.uid = *change.uid;
  if (change.gid) record.gid = *change.gid;
  // A program must not keep the rights of an owner it no longer has.
  if (owner_given && !change.mode && !S_ISDIR(record.mode)) {
    record.mode &= ~static_cast<uint32_t>(S_ISUID);
    if (record.mode & S_IXGRP) record.mode &= ~static_cast<uint32_t>(S_ISGID);
  }
  if (change.atime_now) record.atime = op.now;
  if (change.atime) record.atime = *change.atime;
  const bool mtime_changes = change.mtime_now || change.mtime.has_value();
  if (change.mtime_now) {
    record.mtime = op.now;
    record.mtime_was_set = false;
  }
  if (change.mtime) {
    record.mtime = *change.mtime;
    record.mtime_was_set = true;
  }
  record.ctime = op.now;
  op.txn.put_inode(number, record);
  if (mtime_changes && record.photo) SHOEBOX_TRY(state_->engine.mtime_changed(op.txn, number));
  SHOEBOX_ASSIGN(record, need_inode(op.txn, number));
  SHOEBOX_TRY(op.commit());
  return record;
}

}  // namespace shoebox
