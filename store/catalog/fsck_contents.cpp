// Contents and photos: who holds them, their hashes, and whether their bytes are where they should be.

#include <fmt/format.h>
#include <sys/stat.h>

#include "store/base/clock.h"
#include "store/catalog/fsck_rows.h"
#include "store/catalog/keys.h"

namespace shoebox::fsck {
namespace {

// Changes the record of a content.
std::function<Status(Transaction&)> edit(ContentNo number, std::function<void(ContentRecord&)> change) {
  return [number, change = std::move(change)](Transaction& txn) -> Status {
    SHOEBOX_ASSIGN(auto record, txn.content(number));
    if (!record) return Status::ok();
    change(*record);
    txn.put_content(number, *record);
    return Status::ok();
  };
}

// Bytes that nothing names: they get a name, so that their owner decides.
std::function<Status(Transaction&)> give_a_name(ContentNo number) {
  return [number](Transaction& txn) -> Status {
    SHOEBOX_ASSIGN(auto content, txn.content(number));
    if (!content) return Status::ok();
    InodeRecord inode;
    inode.mode = S_IFREG | 0644;
    inode.nlink = 1;
    inode.size = content->size;
    inode.atime = inode.mtime = inode.ctime = inode.btime = SystemClock().now();
    inode.content = number;
    SHOEBOX_ASSIGN(const auto library, txn.inode(kLibraryInode));
    if (library) {
      inode.uid = library->uid;
      inode.gid = library->gid;
    }
    SHOEBOX_ASSIGN(const auto photo, txn.photo_of_content(number));
    if (photo) inode.photo = *photo;
    const InodeNo file = txn.new_inode_no();
    txn.put_inode(file, inode);
    content->references = 1;
    txn.put_content(number, *content);
    return txn.put_dentry(kLibraryInode, fmt::format("recovered-{}", number.value),
                          {file, S_IFREG, NameKind::kGiven});
  };
}

Result<std::vector<Finding>> check_sealed(const Context& context, ContentNo number,
                                          const ContentRecord& content) {
  std::vector<Finding> findings;
  const auto blocks = context.reader.block_hashes(number);
  const uint64_t wanted = (content.size + kBlockBytes - 1) / kBlockBytes;
  if (!blocks || blocks->size() != wanted) {
    findings.push_back({fmt::format("content {}: has {} block hashes instead of {}", number.value,
                                    blocks ? blocks->size() : 0, wanted),
                        nullptr});
  }
  SHOEBOX_ASSIGN(const auto indexed, context.reader.content_by_hash(content.sha256));
  if (!indexed) {
    findings.push_back({fmt::format("content {}: cannot be found by its hash", number.value),
                        edit(number, [](ContentRecord&) {})});
  }
  return findings;
}

// Its bytes are nowhere but on the remote where it was found.
Result<std::vector<Finding>> check_adopted(const Context& context, ContentNo number) {
  SHOEBOX_ASSIGN(const auto copies, context.reader.copies(number));
  if (copies.size() == 1) return std::vector<Finding>();
  return std::vector<Finding>{{fmt::format("content {}: adopted, never read, and known on {} remotes instead "
                                           "of 1",
                                           number.value, copies.size()),
                               nullptr}};
}

}  // namespace

Result<std::vector<Finding>> check_content(const Context& context, ContentNo number,
                                           const ContentRecord& content) {
  std::vector<Finding> findings;
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, context.reader.inodes_of_content(number));
  uint32_t holders = 0;
  for (const InodeNo holder : inodes) {
    SHOEBOX_ASSIGN(const auto inode, context.reader.inode(holder));
    if (inode && inode->content == number) ++holders;
  }
  const auto versions = context.versions.find(number);
  if (versions != context.versions.end()) holders += versions->second;
  if (holders == 0) {
    findings.push_back({fmt::format("content {}: {} bytes that nothing names", number.value, content.size),
                        give_a_name(number)});
  } else if (content.references != holders) {
    findings.push_back(
        {fmt::format("content {}: counts {} holders, has {}", number.value, content.references, holders),
         edit(number, [holders](ContentRecord& c) { c.references = holders; })});
  }
  if (content.state == ContentState::kSealed) {
    SHOEBOX_ASSIGN(std::vector<Finding> more, check_sealed(context, number, content));
    for (Finding& finding : more) findings.push_back(std::move(finding));
  }
  if (content.state == ContentState::kAdopted) {
    SHOEBOX_ASSIGN(std::vector<Finding> more, check_adopted(context, number));
    for (Finding& finding : more) findings.push_back(std::move(finding));
  }
  if (context.options.has_files) {
    SHOEBOX_ASSIGN(const bool there, context.options.has_files(number, content));
    if (!there) {
      SHOEBOX_ASSIGN(const auto copies, context.reader.copies(number));
      Finding finding{fmt::format("content {}: its bytes are not on this disk, {}", number.value,
                                  copies.empty() ? "and no remote has them" : "a remote has them"),
                      nullptr};
      // Read from there from now on.
      if (!copies.empty() && is_immutable(content.state)) {
        finding.repair = edit(number, [](ContentRecord& c) { c.residence = Residence::kPartial; });
      }
      findings.push_back(std::move(finding));
    }
  }
  return findings;
}

Result<std::vector<Finding>> check_photo(const Context& context, PhotoId id, const PhotoRecord& photo) {
  std::vector<Finding> findings;
  SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, context.reader.inodes_of_photo(id));
  if (!photo.content) return findings;  // being written
  SHOEBOX_ASSIGN(const auto content, context.reader.get(keys::content(photo.content)));
  if (!content) {
    Finding finding{
        fmt::format("photo {}: its bytes, content {}, are not in the catalog", id.value, photo.content.value),
        nullptr};
    if (inodes.empty()) finding.repair = [id](Transaction& txn) { return txn.erase_photo(id); };
    findings.push_back(std::move(finding));
    return findings;
  }
  SHOEBOX_ASSIGN(const auto owner, context.reader.photo_of_content(photo.content));
  if (!owner) {
    findings.push_back(
        {fmt::format("photo {}: cannot be found by its bytes", id.value), [id](Transaction& txn) -> Status {
           SHOEBOX_ASSIGN(const auto record, txn.photo(id));
           if (record) txn.put_photo(id, *record);
           return Status::ok();
         }});
  }
  return findings;
}

}  // namespace shoebox::fsck
