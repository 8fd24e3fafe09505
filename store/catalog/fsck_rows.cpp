#include "store/catalog/fsck_rows.h"

#include <fmt/format.h>

#include "store/base/coding.h"
#include "store/base/hash.h"
#include "store/catalog/keys.h"

namespace shoebox::fsck {
namespace {

using Findings = std::vector<Finding>;

Finding damaged(std::string_view key, const Status& why) {
  return {fmt::format("row {}{}: {}", key.substr(0, 1), hex(key.substr(std::min<size_t>(1, key.size()))),
                      why.message()),
          nullptr};
}

// Whether `key` has a row.
Result<bool> stands(const Context& context, const std::string& key) {
  SHOEBOX_ASSIGN(const std::optional<std::string> value, context.reader.get(key));
  return value.has_value();
}

// For index rows: a finding, repaired by dropping the row, unless `right`.
Findings index_row(bool right, std::string_view key, std::string what) {
  if (right) return {};
  return {{std::move(what), erase_row(key)}};
}

Result<Findings> check_names_row(const Context& context, std::string_view key) {
  const keys::Parts parts = keys::split(key, 2);
  SHOEBOX_ASSIGN(const auto dentry, context.reader.dentry(InodeNo(parts.second), parts.rest));
  return index_row(dentry && dentry->inode.value == parts.first, key,
                   fmt::format("file {}: listed under the name \"{}\" in folder {}, which is not its name",
                               parts.first, parts.rest, parts.second));
}

Result<Findings> check_folded_row(const Context& context, std::string_view key) {
  const keys::Parts parts = keys::split(key, 1);
  const size_t nul = parts.rest.find('\0');
  bool right = false;
  if (nul != std::string_view::npos) {
    const std::string_view name = parts.rest.substr(nul + 1);
    SHOEBOX_ASSIGN(const bool there, stands(context, keys::dentry(InodeNo(parts.first), name)));
    right = there && keys::fold(name) == parts.rest.substr(0, nul);
  }
  return index_row(right, key,
                   fmt::format("folder {}: the folded name row of a name that is not there", parts.first));
}

Result<Findings> check_xattr_row(const Context& context, std::string_view key) {
  const keys::Parts parts = keys::split(key, 1);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::inode(InodeNo(parts.first))));
  return index_row(there, key,
                   fmt::format("file {}: has attribute \"{}\" but is not there", parts.first, parts.rest));
}

Result<Findings> check_content_index(const Context& context, std::string_view key) {
  const keys::Parts parts = keys::split(key, 2);
  SHOEBOX_ASSIGN(const auto inode, context.reader.inode(InodeNo(parts.second)));
  return index_row(
      inode && inode->content.value == parts.first, key,
      fmt::format("content {}: listed for file {}, which has other bytes", parts.first, parts.second));
}

Result<Findings> check_photo_index(const Context& context, std::string_view key) {
  const keys::Parts parts = keys::split(key, 2);
  SHOEBOX_ASSIGN(const auto inode, context.reader.inode(InodeNo(parts.second)));
  return index_row(
      inode && inode->photo.value == parts.first, key,
      fmt::format("photo {}: listed for file {}, which is another photo", parts.first, parts.second));
}

Result<Findings> check_hash_row(const Context& context, std::string_view key, std::string_view value) {
  const auto number = keys::decode_number(value);
  if (!number) return Findings{{damaged(key, number.status()).what, erase_row(key)}};
  SHOEBOX_ASSIGN(const auto content, context.reader.content(ContentNo(*number)));
  return index_row(
      content && content->sha256.view() == key.substr(1), key,
      fmt::format("hash {}: leads to content {}, which has other bytes", hex(key.substr(1)), *number));
}

Result<Findings> check_blocks_row(const Context& context, std::string_view key) {
  const keys::Parts parts = keys::split(key, 1);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::content(ContentNo(parts.first))));
  return index_row(there, key, fmt::format("content {}: has block hashes but is not there", parts.first));
}

Result<Findings> check_content_photo_row(const Context& context, std::string_view key,
                                         std::string_view value) {
  const keys::Parts parts = keys::split(key, 1);
  const auto number = keys::decode_number(value);
  if (!number) return Findings{{damaged(key, number.status()).what, erase_row(key)}};
  SHOEBOX_ASSIGN(const auto photo, context.reader.photo(PhotoId(*number)));
  return index_row(photo && photo->content.value == parts.first, key,
                   fmt::format("content {}: leads to photo {}, which has other bytes", parts.first, *number));
}

Result<Findings> check_view_row(const Context& context, std::string_view key, std::string_view value) {
  const auto number = keys::decode_number(value);
  if (!number) return Findings{{damaged(key, number.status()).what, erase_row(key)}};
  SHOEBOX_ASSIGN(const auto inode, context.reader.inode(InodeNo(*number)));
  return index_row(inode.has_value(), key,
                   fmt::format("view folder \"{}\": leads to folder {}, which is not there",
                               key.substr(std::min<size_t>(2, key.size())), *number));
}

// Jobs and copies of contents that are not there; and the rows that lead to them.
Result<Findings> check_job_row(const Context& context, std::string_view key, std::string_view value) {
  const auto job = decode_upload_job(value);
  if (!job) return Findings{damaged(key, job.status())};
  const ContentNo content = job->content;
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::content(content)));
  const auto drop = [content, remote = job->remote](Transaction& txn) {
    txn.erase_job(content, remote);
    return Status::ok();
  };
  if (!there) {
    return Findings{
        {fmt::format("upload to {} of content {}, which is not there", job->remote, content.value), drop}};
  }
  SHOEBOX_ASSIGN(const bool indexed, stands(context, keys::remote_job(job->remote, content)));
  if (indexed) return Findings();
  return Findings{{fmt::format("upload to {} of content {}: not in the queue", job->remote, content.value),
                   [row = *job](Transaction& txn) {
                     txn.put_job(row);
                     return Status::ok();
                   }}};
}

Result<Findings> check_remote_job_row(const Context& context, std::string_view key) {
  const size_t nul = key.find('\0');
  bool right = false;
  if (nul != std::string_view::npos) {
    Decoder in(key.substr(nul + 1));
    const ContentNo content(in.be64());
    SHOEBOX_ASSIGN(const bool there, stands(context, keys::job(content, key.substr(1, nul - 1))));
    right = in.done() && there;
  }
  return index_row(right, key, "queue of uploads: an entry without its upload");
}

Result<Findings> check_copy_row(const Context& context, std::string_view key, std::string_view value) {
  const keys::Parts parts = keys::split(key, 1);
  const auto copy = decode_remote_copy(value);
  if (!copy) return Findings{damaged(key, copy.status())};
  const ContentNo content(parts.first);
  const std::string remote(parts.rest);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::content(content)));
  if (!there) {
    return Findings{{fmt::format("copy on {} of content {}, which is not there", remote, content.value),
                     [content, remote](Transaction& txn) {
                       txn.erase_copy(content, remote);
                       return Status::ok();
                     }}};
  }
  SHOEBOX_ASSIGN(const auto holder, context.reader.content_of_remote_key(remote, copy->key));
  SHOEBOX_ASSIGN(const bool folded, stands(context, keys::folded_key(remote, copy->key)));
  if (holder && folded) return Findings();
  return Findings{{fmt::format("copy on {} of content {}: its key is not listed", remote, content.value),
                   [content, remote, row = *copy](Transaction& txn) {
                     txn.put_copy(content, remote, row);
                     return Status::ok();
                   }}};
}

Result<Findings> check_remote_key_row(const Context& context, std::string_view key, std::string_view value) {
  const size_t nul = key.find('\0');
  const auto number = keys::decode_number(value);
  bool right = false;
  if (nul != std::string_view::npos && number) {
    SHOEBOX_ASSIGN(const auto copy, context.reader.copy(ContentNo(*number), key.substr(1, nul - 1)));
    right = copy && copy->key == key.substr(nul + 1);
  }
  return index_row(right, key, "keys on a remote: an entry without its copy");
}

Result<Findings> check_folded_key_row(const Context& context, std::string_view key, std::string_view value) {
  const size_t nul = key.find('\0');
  const size_t second = nul == std::string_view::npos ? nul : key.find('\0', nul + 1);
  const auto number = keys::decode_number(value);
  bool right = false;
  if (second != std::string_view::npos && number) {
    const std::string_view remote = key.substr(1, nul - 1);
    const std::string_view spelling = key.substr(second + 1);
    if (*number == 0) {
      SHOEBOX_ASSIGN(right, stands(context, keys::loose(remote, spelling)));
    } else {
      SHOEBOX_ASSIGN(const auto copy, context.reader.copy(ContentNo(*number), remote));
      right = copy && copy->key == spelling;
    }
    right = right && keys::folded_key(remote, spelling) == key;
  }
  return index_row(right, key, "folded keys on a remote: an entry without its copy");
}

Result<Findings> check_loose(const Context& context, std::string_view key, const LooseObject& object) {
  const size_t nul = key.find('\0');
  if (nul == std::string_view::npos) return Findings{{"loose object: damaged key", erase_row(key)}};
  const std::string remote(key.substr(1, nul - 1));
  const std::string name(key.substr(nul + 1));
  SHOEBOX_ASSIGN(const bool folded, stands(context, keys::folded_key(remote, name)));
  if (folded) return Findings();
  return Findings{{fmt::format("loose object {} on {}: its folded key is not listed", name, remote),
                   [remote, name, object](Transaction& txn) {
                     txn.put_loose(remote, name, object);
                     return Status::ok();
                   }}};
}

Result<Findings> check_tidy_row(const Context& context, std::string_view key, std::string_view value) {
  const auto record = decode_tidy(value);
  if (!record) return Findings{{damaged(key, record.status()).what, erase_row(key)}};
  const keys::Parts parts = keys::split(key, 1);
  const ContentNo content(parts.first);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::content(content)));
  if (!there) {
    return Findings{{fmt::format("key on {} of content {}, which is not there", parts.rest, content.value),
                     erase_row(key)}};
  }
  SHOEBOX_ASSIGN(const bool indexed, stands(context, keys::remote_tidy(parts.rest, content)));
  if (indexed) return Findings();
  return Findings{{fmt::format("key on {} of content {}: not in the queue", parts.rest, content.value),
                   [content, remote = std::string(parts.rest), row = *record](Transaction& txn) {
                     txn.put_tidy(content, remote, row);
                     return Status::ok();
                   }}};
}

Result<Findings> check_remote_tidy_row(const Context& context, std::string_view key) {
  const size_t nul = key.find('\0');
  bool right = false;
  if (nul != std::string_view::npos) {
    Decoder in(key.substr(nul + 1));
    const ContentNo content(in.be64());
    SHOEBOX_ASSIGN(const bool there, stands(context, keys::tidy(content, key.substr(1, nul - 1))));
    right = in.done() && there;
  }
  return index_row(right, key, "queue of keys to be tidied: an entry without its row");
}

Result<Findings> check_sidecar_row(const Context& context, std::string_view key, std::string_view value) {
  const auto object = decode_sidecar(value);
  if (!object) return Findings{{damaged(key, object.status()).what, erase_row(key)}};
  const keys::Parts parts = keys::split(key, 1);
  const PhotoId photo(parts.first);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::photo(photo)));
  SHOEBOX_ASSIGN(const bool marked, stands(context, keys::remote_sidecar(parts.rest, photo)));
  if (there || marked) return Findings();
  return Findings{{fmt::format("sidecar on {} of photo {}, which is not there", parts.rest, photo.value),
                   [photo, remote = std::string(parts.rest)](Transaction& txn) {
                     txn.put_sidecar_mark(remote, photo, {});  // who sends them removes it
                     return Status::ok();
                   }}};
}

Result<Findings> check_sidecar_mark_row(std::string_view key, std::string_view value) {
  const size_t nul = key.find('\0');
  const bool right = nul != std::string_view::npos && key.size() == nul + 9 && decode_tidy(value);
  return index_row(right, key, "queue of sidecars: damaged");
}

Result<Findings> check_trash_row(const Context& context, std::string_view key, std::string_view value) {
  const auto record = decode_trash(value);
  if (!record) return Findings{damaged(key, record.status())};
  const InodeNo number(keys::split(key, 1).first);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::inode(number)));
  return index_row(there, key, fmt::format("trash: knows of file {}, which is not there", number.value));
}

Result<Findings> check_version_row(const Context& context, std::string_view key, std::string_view value) {
  const auto record = decode_version(value);
  if (!record) return Findings{damaged(key, record.status())};
  const keys::Parts parts = keys::split(key, 2);
  SHOEBOX_ASSIGN(const bool there, stands(context, keys::content(ContentNo(parts.second))));
  return index_row(there, key,
                   fmt::format("photo {}: has an older version, content {}, which is not there", parts.first,
                               parts.second));
}

template <typename T, typename Check>
Result<Findings> decoded(Result<T> record, std::string_view key, Check check) {
  if (!record) return Findings{damaged(key, record.status())};
  return check(*record);
}

}  // namespace

std::function<Status(Transaction&)> erase_row(std::string_view key) {
  return [key = std::string(key)](Transaction& txn) {
    txn.put_raw(key, std::nullopt);
    return Status::ok();
  };
}

Result<std::vector<Finding>> check_row(const Context& c, std::string_view key, std::string_view value) {
  const keys::Parts one = keys::split(key, 1);
  switch (key.empty() ? '\0' : key.front()) {
    case keys::kInode:
      return decoded(decode_inode(value), key,
                     [&](const InodeRecord& r) { return check_inode(c, InodeNo(one.first), r); });
    case keys::kDentry:
      return decoded(decode_dentry(value), key,
                     [&](const DentryRecord& r) { return check_dentry(c, InodeNo(one.first), one.rest, r); });
    case keys::kContent:
      return decoded(decode_content(value), key,
                     [&](const ContentRecord& r) { return check_content(c, ContentNo(one.first), r); });
    case keys::kPhoto:
      return decoded(decode_photo(value), key,
                     [&](const PhotoRecord& r) { return check_photo(c, PhotoId(one.first), r); });
    case keys::kFolded: return check_folded_row(c, key);
    case keys::kNames: return check_names_row(c, key);
    case keys::kXattr: return check_xattr_row(c, key);
    case keys::kBlocks: return check_blocks_row(c, key);
    case keys::kHash: return check_hash_row(c, key, value);
    case keys::kContentInode: return check_content_index(c, key);
    case keys::kContentPhoto: return check_content_photo_row(c, key, value);
    case keys::kPhotoInode: return check_photo_index(c, key);
    case keys::kViewDirectory: return check_view_row(c, key, value);
    case keys::kJob: return check_job_row(c, key, value);
    case keys::kRemoteJob: return check_remote_job_row(c, key);
    case keys::kCopy: return check_copy_row(c, key, value);
    case keys::kRemoteKey: return check_remote_key_row(c, key, value);
    case keys::kFoldedKey: return check_folded_key_row(c, key, value);
    case keys::kTidy: return check_tidy_row(c, key, value);
    case keys::kRemoteTidy: return check_remote_tidy_row(c, key);
    case keys::kLoose:
      return decoded(decode_loose(value), key,
                     [&](const LooseObject& object) { return check_loose(c, key, object); });
    case keys::kSidecar: return check_sidecar_row(c, key, value);
    case keys::kRemoteSidecar: return check_sidecar_mark_row(key, value);
    case keys::kMovedFolder:
      return index_row(keys::decode_number(value).is_ok(), key, "moved folder: damaged");
    case keys::kTrash: return check_trash_row(c, key, value);
    case keys::kVersion: return check_version_row(c, key, value);
    case keys::kMeta:
    case keys::kChange: return Findings();
    default: return Findings{{fmt::format("row {}: of no known table", hex(key)), nullptr}};
  }
}

}  // namespace shoebox::fsck
