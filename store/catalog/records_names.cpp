// The records of files, their names, and what becomes of files that go: inodes, dentries, Trash, versions.
#include "store/catalog/record_fields.h"

namespace shoebox {
namespace {

using records::kFirstVersion;

constexpr uint8_t kSidecarsTrashVersion = 2;  // only what sidecars went with is written in it

constexpr auto kInodeFields = [](auto& io, auto& inode) {
  io.number(inode.mode);
  io.number(inode.uid);
  io.number(inode.gid);
  io.number(inode.rdev);
  io.number(inode.nlink);
  io.number(inode.size);
  io.time(inode.atime);
  io.time(inode.mtime);
  io.time(inode.ctime);
  io.time(inode.btime);
  io.id(inode.content);
  io.id(inode.photo);
  io.flag(inode.mtime_was_set);
  io.enumeration(inode.view, ViewId::kRoot, ViewId::kVideos);
  io.id(inode.parent);
  io.string(inode.view_value);
  io.string(inode.symlink_target);
};

constexpr auto kDentryFields = [](auto& io, auto& dentry) {
  io.id(dentry.inode);
  io.number(dentry.type);
  io.enumeration(dentry.kind, NameKind::kGiven, NameKind::kGenerated);
};

constexpr auto kNameFields = [](auto& io, auto& name) {
  io.id(name.directory);
  io.string(name.name);
};

constexpr auto kTrashFields = [](auto& io, auto& trash) {
  io.id(trash.directory);
  io.string(trash.path);
  io.signed_number(trash.trashed_s);
  io.number(trash.uid);
  io.id(trash.photo);
  io.list(trash.names, kNameFields);
  io.list(trash.statements, records::kViewValueFields);
  if (io.version() >= kSidecarsTrashVersion)
    io.list(trash.sidecars, [](auto& each, auto& id) { each.id(id); });
};

constexpr auto kVersionFields = [](auto& io, auto& version) {
  io.id(version.content);
  io.signed_number(version.replaced_s);
  io.string(version.name);
};

}  // namespace

std::string encode(const InodeRecord& record) {
  return records::write(kFirstVersion, record, kInodeFields, 96);
}
Result<InodeRecord> decode_inode(std::string_view bytes) {
  return records::read<InodeRecord>(bytes, "file", kFirstVersion, kInodeFields);
}

std::string encode(const DentryRecord& record) {
  return records::write(kFirstVersion, record, kDentryFields);
}
Result<DentryRecord> decode_dentry(std::string_view bytes) {
  return records::read<DentryRecord>(bytes, "name", kFirstVersion, kDentryFields);
}

std::string encode(const TrashRecord& record) {
  return records::write(record.sidecars.empty() ? kFirstVersion : kSidecarsTrashVersion, record,
                        kTrashFields);
}
Result<TrashRecord> decode_trash(std::string_view bytes) {
  return records::read<TrashRecord>(bytes, "trashed file", kSidecarsTrashVersion, kTrashFields);
}

std::string encode(const VersionRecord& record) {
  return records::write(kFirstVersion, record, kVersionFields);
}
Result<VersionRecord> decode_version(std::string_view bytes) {
  return records::read<VersionRecord>(bytes, "version", kFirstVersion, kVersionFields);
}

}  // namespace shoebox
