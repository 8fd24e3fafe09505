#include "store/catalog/keys.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "store/base/coding.h"

namespace shoebox::keys {
namespace {

std::string with(Table t, uint64_t number) {
  std::string key(1, t);
  put_be64(key, number);
  return key;
}

std::string with(Table t, uint64_t first, uint64_t second) {
  std::string key = with(t, first);
  put_be64(key, second);
  return key;
}

std::string with(Table t, uint64_t number, std::string_view text) {
  std::string key;
  key.reserve(9 + text.size());
  key.push_back(t);
  put_be64(key, number);
  key.append(text);
  return key;
}

}  // namespace

std::string table(Table t) { return std::string(1, t); }
std::string inode(InodeNo number) { return with(kInode, number.value); }
std::string dentry(InodeNo directory, std::string_view name) { return with(kDentry, directory.value, name); }
std::string dentries(InodeNo directory) { return with(kDentry, directory.value); }
std::string folded(InodeNo directory, std::string_view folded_name, std::string_view name) {
  return folded_names(directory, folded_name).append(name);
}
std::string folded_names(InodeNo directory, std::string_view folded_name) {
  std::string key = with(kFolded, directory.value, folded_name);
  key.push_back('\0');
  return key;
}
std::string name(InodeNo number, InodeNo directory, std::string_view name) {
  return with(kNames, number.value, directory.value).append(name);
}
std::string names(InodeNo number) { return with(kNames, number.value); }
std::string xattr(InodeNo number, std::string_view name) { return with(kXattr, number.value, name); }
std::string content(ContentNo number) { return with(kContent, number.value); }
std::string blocks(ContentNo number) { return with(kBlocks, number.value); }
std::string hash(const ContentHash& sha256) { return table(kHash).append(sha256.view()); }
std::string content_inode(ContentNo content, InodeNo number) {
  return with(kContentInode, content.value, number.value);
}
std::string content_inodes(ContentNo content) { return with(kContentInode, content.value); }
std::string photo(PhotoId id) { return with(kPhoto, id.value); }
std::string content_photo(ContentNo content) { return with(kContentPhoto, content.value); }
std::string photo_inode(PhotoId id, InodeNo number) { return with(kPhotoInode, id.value, number.value); }
std::string photo_inodes(PhotoId id) { return with(kPhotoInode, id.value); }
std::string view_directory(ViewId view, std::string_view value) {
  std::string key = table(kViewDirectory);
  put_u8(key, static_cast<uint8_t>(view));
  return key.append(value);
}
std::string job(ContentNo content, std::string_view remote) { return with(kJob, content.value, remote); }
std::string remote_job(std::string_view remote, ContentNo content) {
  std::string key = remote_jobs(remote);
  put_be64(key, content.value);
  return key;
}
std::string remote_jobs(std::string_view remote) {
  std::string key = table(kRemoteJob).append(remote);
  key.push_back('\0');
  return key;
}
std::string copy(ContentNo content, std::string_view remote) { return with(kCopy, content.value, remote); }
std::string remote_key(std::string_view remote, std::string_view key) {
  std::string made = table(kRemoteKey).append(remote);
  made.push_back('\0');
  return made.append(key);
}
std::string folded_keys(std::string_view remote, std::string_view key) {
  std::string made = table(kFoldedKey).append(remote);
  made.push_back('\0');
  made.append(fold(key)).push_back('\0');
  return made;
}
std::string folded_key(std::string_view remote, std::string_view key) {
  return folded_keys(remote, key).append(key);
}
std::string tidy(ContentNo content, std::string_view remote) { return with(kTidy, content.value, remote); }
std::string remote_tidy(std::string_view remote, ContentNo content) {
  std::string key = remote_tidies(remote);
  put_be64(key, content.value);
  return key;
}
std::string remote_tidies(std::string_view remote) {
  std::string key = table(kRemoteTidy).append(remote);
  key.push_back('\0');
  return key;
}
std::string loose(std::string_view remote, std::string_view key) { return loose_objects(remote).append(key); }
std::string loose_objects(std::string_view remote) {
  std::string key = table(kLoose).append(remote);
  key.push_back('\0');
  return key;
}
std::string moved_folder(InodeNo directory) { return with(kMovedFolder, directory.value); }
std::string sidecar(PhotoId photo, std::string_view remote) { return with(kSidecar, photo.value, remote); }
std::string sidecars(PhotoId photo) { return with(kSidecar, photo.value); }
std::string remote_sidecar(std::string_view remote, PhotoId photo) {
  std::string key = remote_sidecars(remote);
  put_be64(key, photo.value);
  return key;
}
std::string remote_sidecars(std::string_view remote) {
  std::string key = table(kRemoteSidecar).append(remote);
  key.push_back('\0');
  return key;
}
std::string trash(InodeNo number) { return with(kTrash, number.value); }
std::string version(PhotoId photo, ContentNo content) { return with(kVersion, photo.value, content.value); }
std::string versions(PhotoId photo) { return with(kVersion, photo.value); }
std::string meta(std::string_view name) { return table(kMeta).append(name); }
std::string erased_content(ContentNo content) {
  return meta(kMetaErased).append(std::to_string(content.value));
}
std::string change(uint64_t sequence) { return with(kChange, sequence); }

Parts split(std::string_view key, int numbers) {
  Parts parts;
  if (key.empty()) return parts;
  Decoder in(key.substr(1));
  if (numbers > 0) parts.first = in.be64();
  if (numbers > 1) parts.second = in.be64();
  parts.rest = in.rest();
  parts.ok = in.ok();
  return parts;
}

std::string fold(std::string_view name) {
  bool ascii = true;
  for (const char c : name) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
  if (ascii) {  // nearly every name of a camera: no need for tables
    std::string lower(name);
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
  }
  utf8proc_uint8_t* folded = nullptr;
  const utf8proc_ssize_t bytes = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(name.data()), static_cast<utf8proc_ssize_t>(name.size()),
      &folded, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(folded, &std::free);
  if (bytes < 0) return std::string(name);
  return {reinterpret_cast<const char*>(folded), static_cast<size_t>(bytes)};
}

std::string number_value(uint64_t number) {
  std::string value;
  put_be64(value, number);
  return value;
}

Result<uint64_t> decode_number(std::string_view bytes) {
  Decoder in(bytes);
  const uint64_t number = in.be64();
  if (!in.done()) return Status(Code::kDataLoss, "catalog row: not a number of 8 bytes; run shoebox fsck");
  return number;
}

}  // namespace shoebox::keys
