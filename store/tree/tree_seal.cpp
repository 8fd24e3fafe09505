// Bytes: replaced by a write, sealed (twins are found), decoded.
#include <fmt/format.h>

#include <utility>

#include "store/base/hash.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree_rename.h"

namespace shoebox {
namespace {

// What people said on the earlier file (tags, caption, rating) holds for the twin, and the other way round.
Status share_xattrs(Operation& op, PhotoId photo, InodeNo twin) {
  SHOEBOX_ASSIGN(const auto inodes, op.txn.inodes_of_photo(photo));
  for (InodeNo other : inodes) {
    if (other == twin) continue;
    SHOEBOX_TRY(copy_xattrs(op, other, twin, true));
    SHOEBOX_TRY(copy_xattrs(op, twin, other, true));
  }
  return Status::ok();
}

// The staged bytes are those of `known`: this inode, alive or in Trash, takes them and their photo.
// Returns the photo of something in Trash that nobody may carry any more.
Result<PhotoId> take_over(Operation& op, InodeNo inode, ContentNo known, uint64_t size) {
  SHOEBOX_ASSIGN(const auto photo, op.txn.photo_of_content(known));
  SHOEBOX_ASSIGN(InodeRecord record, need_inode(op.txn, inode));
  const ContentNo staged = std::exchange(record.content, known);
  record.size = size;
  const PhotoId provisional = record.photo;
  op.txn.put_inode(inode, record);
  SHOEBOX_TRY(retain_content(op.txn, known));
  SHOEBOX_ASSIGN(auto trash, op.txn.trash(inode));
  if (trash && trash->photo && !photo) {
    SHOEBOX_ASSIGN(auto of_trash, op.txn.photo(trash->photo));
    if (of_trash && of_trash->content == staged) {
      of_trash->content = known;
      op.txn.put_photo(trash->photo, *of_trash);
    }
    return PhotoId{};
  }
  if (trash && photo && trash->photo && trash->photo != *photo) {
    const PhotoId left = trash->photo;
    trash->photo = *photo;
    op.txn.put_trash(inode, *trash);
    return left;
  }
  if (!provisional) {
    SHOEBOX_TRY(op.core.engine.sidecar_written(op.txn, inode));
    return PhotoId{};
  }
  if (photo && *photo != provisional) {
    SHOEBOX_TRY(op.core.engine.merge(op.txn, provisional, *photo));
    SHOEBOX_TRY(share_xattrs(op, *photo, inode));
  } else {
    SHOEBOX_TRY(meet_content(op, inode));
  }
  return PhotoId{};
}

// No earlier bytes: these are the ones that later twins will find.
Status seal_in_place(Operation& op, ContentNo content, ContentRecord record, const ContentHashes& hashes,
                     const std::vector<InodeNo>& inodes) {
  record.state = ContentState::kSealed;
  record.sha256 = hashes.whole;
  record.size = hashes.size;
  record.disk_bytes = hashes.disk_bytes;
  op.txn.put_content(content, record);
  op.txn.put_block_hashes(content, hashes.blocks);
  for (InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(auto found, op.txn.inode(inode));
    if (!found) continue;
    if (found->size != hashes.size) {
      found->size = hashes.size;
      op.txn.put_inode(inode, *found);
    }
    if (!found->photo) continue;
    SHOEBOX_ASSIGN(auto photo, op.txn.photo(found->photo));
    if (!photo || photo->content == content) continue;
    photo->content = content;
    op.txn.put_photo(found->photo, *photo);
  }
  return Status::ok();
}

// What stands on a remote with the bytes of `known` is its copy there, if it has none, else somebody's object
// that nobody may remove.
Status take_copy(Operation& op, ContentNo known, const ContentHash& sha256, const std::string& remote,
                 const RemoteCopy& copy) {
  SHOEBOX_ASSIGN(const auto standing, op.txn.copy(known, remote));
  if (standing) {
    LooseObject object{ContentNo(), copy.etag, copy.size, sha256, 0, 0, ""};
    object.keep = true;
    op.txn.put_loose(remote, copy.key, object);
    return Status::ok();
  }
  op.txn.put_copy(known, remote, copy);
  op.txn.put_tidy(known, remote, {});
  SHOEBOX_ASSIGN(const auto jobs, op.txn.jobs_of_content(known));
  for (const UploadJob& job : jobs) {
    if (job.remote == remote) op.txn.erase_job(known, remote);
  }
  return Status::ok();
}

// Adopted bytes turned out to be `known`.
Status pass_copies(Operation& op, ContentNo adopted, ContentNo known, const ContentHash& sha256) {
  SHOEBOX_ASSIGN(const auto copies, op.txn.copies(adopted));
  for (const auto& [remote, copy] : copies) {
    op.txn.erase_copy(adopted, remote);
    op.txn.erase_tidy(adopted, remote);
    SHOEBOX_TRY(take_copy(op, known, sha256, remote, copy));
  }
  return Status::ok();
}

// Known bytes make twins; else `content` is the one that later twins will find. Returns what stands.
Result<ContentNo> seal_or_join(Operation& op, ContentNo content, const ContentRecord& record,
                               const ContentHashes& hashes) {
  // Inodes that a later write gave other bytes are not among these.
  SHOEBOX_ASSIGN(const auto inodes, op.txn.inodes_of_content(content));
  SHOEBOX_ASSIGN(auto known, op.txn.content_by_hash(hashes.whole));
  if (known) {
    SHOEBOX_ASSIGN(const auto known_record, op.txn.content(*known));
    if (!known_record || known_record->state != ContentState::kSealed || known_record->size != hashes.size)
      known.reset();
  }
  // What was written just now is on this disk. Known bytes that are not, or not all, are as good as the
  // remote that has them: they take nobody's.
  if (known && *known != content && record.state == ContentState::kStaging) {
    SHOEBOX_ASSIGN(const auto known_record, op.txn.content(*known));
    if (known_record->residence != Residence::kLocal) known.reset();
  }
  if (known && *known != content) {
    // What the disk spoiled takes nobody's good bytes.
    SHOEBOX_ASSIGN(const bool damaged, op.txn.is_known_damaged(*known));
    if (damaged) known.reset();
  }
  // A version holds them as well: it must keep its content.
  const bool held_by_version = record.references > inodes.size();
  if (!known || *known == content || held_by_version || inodes.empty()) {
    SHOEBOX_TRY(seal_in_place(op, content, record, hashes, inodes));
    return content;
  }

  SHOEBOX_ASSIGN(const auto jobs, op.txn.jobs_of_content(content));
  std::vector<PhotoId> left;
  for (InodeNo inode : inodes) {
    SHOEBOX_ASSIGN(const PhotoId of_trash, take_over(op, inode, *known, hashes.size));
    if (of_trash) left.push_back(of_trash);
  }
  if (!jobs.empty()) SHOEBOX_TRY(ensure_jobs(op, *known));
  if (record.pinned) {
    SHOEBOX_ASSIGN(auto known_record, op.txn.content(*known));
    known_record->pinned = true;
    op.txn.put_content(*known, *known_record);
  }
  if (record.state == ContentState::kAdopted) SHOEBOX_TRY(pass_copies(op, content, *known, hashes.whole));
  SHOEBOX_TRY(op.txn.erase_content(content));
  for (PhotoId unused : left) SHOEBOX_TRY(forget_photo(op.txn, unused));
  return *known;
}

// What its head said stands until the decoder has seen all of it.
Status decode_again(Operation& op, ContentNo content) {
  SHOEBOX_ASSIGN(const auto id, op.txn.photo_of_content(content));
  if (!id) return Status::ok();
  SHOEBOX_ASSIGN(auto photo, op.txn.photo(*id));
  if (!photo || photo->info.kind == MediaKind::kOther) return Status::ok();
  photo->info.kind = MediaKind::kUnknown;
  op.txn.put_photo(*id, *photo);
  want_decode(op, content);
  return Status::ok();
}

}  // namespace

Result<ContentNo> Tree::content_sealed(ContentNo content, const ContentHashes& hashes, bool apart) {
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(const auto record, op.txn.content(content));
  if (!record)
    return Status(Code::kNotFound,
                  fmt::format("content {}: was deleted before it was sealed", content.value));
  if (is_immutable(record->state)) return content;
  ContentNo standing = content;
  if (apart) {
    SHOEBOX_ASSIGN(const auto inodes, op.txn.inodes_of_content(content));
    SHOEBOX_TRY(seal_in_place(op, content, *record, hashes, inodes));
  } else {
    SHOEBOX_ASSIGN(standing, seal_or_join(op, content, *record, hashes));
  }
  SHOEBOX_TRY(op.commit());
  return standing;
}

Status hash_adopted(Operation& op, ContentNo content, ContentRecord record, const ContentHashes& hashes,
                    Residence residence) {
  record.residence = residence;
  record.decoder_crashes = 0;  // of an attempt at its head and tail
  SHOEBOX_ASSIGN(const ContentNo standing, seal_or_join(op, content, record, hashes));
  if (standing != content) return Status::ok();
  SHOEBOX_ASSIGN(const auto copies, op.txn.copies(content));
  for (const auto& [remote, copy] : copies) op.txn.put_tidy(content, remote, {});  // it may be renamed since
  return residence == Residence::kLocal ? decode_again(op, content) : Status::ok();
}

Status Tree::content_hashed(ContentNo content, const ContentHashes& hashes, Residence residence) {
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(auto record, op.txn.content(content));
  if (!record)
    return Status(Code::kNotFound,
                  fmt::format("content {}: was deleted before it was hashed", content.value));
  if (record->state == ContentState::kAdopted) {
    if (record->size != hashes.size)
      return Status(Code::kDataLoss, fmt::format("content {}: {} bytes were read instead of {}",
                                                 content.value, hashes.size, record->size));
    SHOEBOX_TRY(hash_adopted(op, content, *record, hashes, residence));
    return op.commit();
  }
  if (record->state != ContentState::kSealed || record->sha256 != hashes.whole)
    return Status(Code::kDataLoss,
                  fmt::format("content {}: other bytes were read than those whose hashes are "
                              "recorded",
                              content.value));
  if (record->residence == residence) return Status::ok();
  record->residence = residence;
  record->disk_bytes = hashes.disk_bytes;
  op.txn.put_content(content, *record);
  return op.commit();
}

Status Tree::adopt_copy(ContentNo known, const std::string& remote, RemoteCopy copy,
                        const std::string& path) {
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(const auto record, op.txn.content(known));
  if (!record || record->state != ContentState::kSealed)
    return {Code::kNotFound, fmt::format("content {}: was deleted meanwhile", known.value)};
  if (path != copy.key) copy.adopted_path = path;
  SHOEBOX_TRY(take_copy(op, known, record->sha256, remote, copy));
  return op.commit();
}

Status Tree::replace_content(Transaction& txn, InodeNo inode, InodeRecord& record, ContentNo content) {
  const bool first = !record.content && content && record.photo;
  SHOEBOX_ASSIGN(const PhotoId rest,
                 shoebox::replace_content(txn, inode, record, content, state_->clock.now()));
  if (rest) SHOEBOX_TRY(state_->engine.left_to_twins(txn, rest, record.photo));
  if (first) {
    Operation op(*state_, txn);
    return got_first_bytes(op, inode);
  }
  return record.photo ? Status::ok() : state_->engine.sidecar_written(txn, inode);
}

Status Tree::photo_decoded(ContentNo content, const MediaInfo& info) {
  Operation op(*state_, Caller{});
  SHOEBOX_ASSIGN(const auto photo, op.txn.photo_of_content(content));
  if (!photo) return Status::ok();
  SHOEBOX_TRY(state_->engine.decoded(op.txn, *photo, info));
  return op.commit();
}

Result<std::string> Tree::sidecar_wanted(ContentNo content) const {
  return state_->engine.sidecar_wanted(state_->catalog, content);
}

Status Tree::sidecar_read(ContentNo content, const MediaInfo& facts) {
  Operation op(*state_, Caller{});
  SHOEBOX_TRY(state_->engine.sidecar_read(op.txn, content, facts));
  return op.commit();
}

}  // namespace shoebox
