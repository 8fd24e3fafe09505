// Extended attributes: computed ones, those that belong to the photo and stand on all its inodes,
// ACLs that the mode bits follow, and the rest, stored as they are.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/tree/computed_xattr.h"
#include "store/tree/posix_acl.h"
#include "store/tree/tree_state.h"

namespace shoebox {
namespace {

// The kernel's own limits (linux/limits.h): names, values, and the list of all names.
constexpr size_t kMaxNameLength = 255;
constexpr size_t kMaxValueBytes = 65'536;
constexpr size_t kMaxListBytes = 65'536;
constexpr std::string_view kRating = "user.baloo.rating";

Status no_attribute(std::string_view name) { return {Code::kNoAttribute, fmt::format("{}: not set", name)}; }

Status check_name(std::string_view name) {
  if (name.size() > kMaxNameLength) return {Code::kOutOfRange, "xattr: the name is too long"};
  for (std::string_view space : {"user.", "trusted.", "security."})
    if (name.starts_with(space) && name.size() > space.size()) return Status::ok();
  if (name == kAclAccess || name == kAclDefault) return Status::ok();
  return {Code::kNotSupported, fmt::format("{}: no such kind of attribute", name)};
}

// 0 to 10, half stars, as desktops write it; anything else would be kept and never count.
Status check_rating(std::string_view value) {
  const bool digit = value.size() == 1 && value.front() >= '0' && value.front() <= '9';
  if (digit || value == "10") return Status::ok();
  return {Code::kInvalid, fmt::format("{}: \"{}\" is no rating, give a number from 0 to 10 (half stars)",
                                      kRating, value.substr(0, 32))};
}

// The inodes on which an attribute stands: all of the photo for what belongs to the photo.
Result<std::vector<InodeNo>> bearers(const CatalogReader& reader, InodeNo number, const InodeRecord& record,
                                     std::string_view name) {
  std::vector<InodeNo> inodes{number};
  if (!is_shared_xattr(name) || !record.photo) return inodes;
  SHOEBOX_ASSIGN(inodes, reader.inodes_of_photo(record.photo));
  if (std::find(inodes.begin(), inodes.end(), number) == inodes.end()) inodes.push_back(number);
  return inodes;
}

Status touch(Operation& op, InodeNo number) {
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, number));
  record.ctime = op.now;
  op.txn.put_inode(number, record);
  return Status::ok();
}

Status set_acl(Operation& op, InodeNo number, InodeRecord record, std::string_view name,
               std::string_view value) {
  if (S_ISLNK(record.mode)) return {Code::kNotSupported, "acl: links have none"};
  SHOEBOX_ASSIGN(const PosixAcl acl, PosixAcl::parse(value));
  if (name == kAclDefault) {
    if (!S_ISDIR(record.mode)) return {Code::kAccess, "acl: only folders have a default"};
    if (acl.empty())
      op.txn.erase_xattr(number, name);
    else
      op.txn.put_xattr(number, name, value);
    return Status::ok();
  }
  if (acl.empty()) {
    op.txn.erase_xattr(number, name);
    return Status::ok();
  }
  record.mode = (record.mode & ~0777U) | acl.permissions();
  op.txn.put_inode(number, record);
  if (acl.equals_mode())
    op.txn.erase_xattr(number, name);
  else
    op.txn.put_xattr(number, name, value);
  return Status::ok();
}

}  // namespace

Result<std::string> Tree::getxattr(InodeNo number, std::string_view name) const {
  if (name.starts_with(kComputedPrefix)) return computed_xattr(*state_, state_->catalog, number, name);
  SHOEBOX_TRY(check_name(name));
  SHOEBOX_ASSIGN(auto value, state_->catalog.xattr(number, name));
  if (!value && is_shared_xattr(name)) {
    SHOEBOX_ASSIGN(value, described_xattr(state_->catalog, number, name));
  }
  if (!value) return no_attribute(name);
  return *std::move(value);
}

Result<std::vector<std::string>> Tree::listxattr(InodeNo number) const {
  return state_->catalog.xattr_names(number);
}

Status Tree::setxattr(InodeNo number, std::string_view name, std::string_view value, XattrMode mode) {
  SHOEBOX_TRY(check_name(name));
  if (value.size() > kMaxValueBytes)
    return {Code::kTooBig, fmt::format("{}: the value is over {} bytes", name, kMaxValueBytes)};
  if (name == kRating) SHOEBOX_TRY(check_rating(value));
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, number));
  if (name.starts_with(kComputedPrefix)) {
    SHOEBOX_TRY(set_computed_xattr(op, number, name, value));
    return op.commit();
  }
  SHOEBOX_ASSIGN(const auto standing, op.txn.xattr(number, name));
  if (mode == XattrMode::kCreate && standing) return {Code::kExists, fmt::format("{}: is set already", name)};
  if (mode == XattrMode::kReplace && !standing) return no_attribute(name);
  if (!standing) {
    SHOEBOX_ASSIGN(const auto names, op.txn.xattr_names(number));
    size_t list_bytes = name.size() + 1;
    for (const std::string& other : names) list_bytes += other.size() + 1;
    if (list_bytes > kMaxListBytes) return {Code::kNoSpace, fmt::format("{}: too many attributes", name)};
  }
  if (name == kAclAccess || name == kAclDefault) {
    SHOEBOX_TRY(set_acl(op, number, record, name, value));
    SHOEBOX_TRY(touch(op, number));
    return op.commit();
  }
  SHOEBOX_ASSIGN(const auto inodes, bearers(op.txn, number, record, name));
  for (InodeNo inode : inodes) {
    op.txn.put_xattr(inode, name, value);
    SHOEBOX_TRY(touch(op, inode));
  }
  return op.commit();
}

Status Tree::removexattr(InodeNo number, std::string_view name) {
  SHOEBOX_TRY(check_name(name));
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(const InodeRecord record, need_inode(op.txn, number));
  if (name.starts_with(kComputedPrefix)) {
    SHOEBOX_TRY(remove_computed_xattr(op, number, name));
    return op.commit();
  }
  SHOEBOX_ASSIGN(const auto standing, op.txn.xattr(number, name));
  if (!standing) return no_attribute(name);
  SHOEBOX_ASSIGN(const auto inodes, bearers(op.txn, number, record, name));
  for (InodeNo inode : inodes) {
    op.txn.erase_xattr(inode, name);
    SHOEBOX_TRY(touch(op, inode));
  }
  return op.commit();
}

}  // namespace shoebox
