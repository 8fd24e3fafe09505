// Every key of the catalog. A key is one letter for the table, then fixed-width big-endian numbers,
// then at most one free text at the end; where two texts are needed, NUL ends the first (no name
// of a file, remote or key holds one). Byte order is therefore the order that scans need.
// FORMAT.md is the page for readers of the format.
#pragma once

#include <string>
#include <string_view>

#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox::keys {

inline constexpr uint64_t kSchema = 4;  // of the whole catalog; a newer one is refused

enum Table : char {
  kInode = 'i',          // inode -> InodeRecord
  kDentry = 'd',         // directory, name -> DentryRecord
  kFolded = 'f',         // directory, folded name, NUL, name -> nothing
  kNames = 'n',          // inode, directory, name -> nothing: the reverse of kDentry
  kXattr = 'x',          // inode, name -> value
  kContent = 'c',        // content -> ContentRecord
  kBlocks = 'b',         // content -> block hashes
  kHash = 'h',           // SHA-256 -> content
  kContentInode = 'C',   // content, inode -> nothing
  kPhoto = 'p',          // photo -> PhotoRecord
  kContentPhoto = 'P',   // content -> photo
  kPhotoInode = 'I',     // photo, inode -> nothing
  kViewDirectory = 'v',  // view, value -> inode
  kJob = 'j',            // content, remote -> UploadJob
  kRemoteJob = 'J',      // remote, NUL, content -> nothing
  kCopy = 'r',           // content, remote -> RemoteCopy
  kRemoteKey = 'R',      // remote, NUL, key on the remote -> content
  kFoldedKey = 'F',      // remote, NUL, folded key, NUL, key on the remote -> content; 0: a loose object
  kTidy = 'k',           // content, remote -> TidyRecord
  kRemoteTidy = 'K',     // remote, NUL, content -> nothing
  kLoose = 'g',          // remote, NUL, key on the remote -> LooseObject
  kMovedFolder = 'w',    // directory -> a number that tells one move from the next
  kSidecar = 's',        // photo, remote -> SidecarObject
  kRemoteSidecar = 'S',  // remote, NUL, photo -> TidyRecord: the sidecar there is to be looked at
  kTrash = 't',          // inode -> TrashRecord
  kVersion = 'V',        // photo, content -> VersionRecord
  kMeta = 'm',           // name -> bytes
  kChange = 'L',         // sequence number -> the keys that this batch changed, for backups
};

std::string table(Table t);
std::string inode(InodeNo number);
std::string dentry(InodeNo directory, std::string_view name);
std::string dentries(InodeNo directory);  // prefix
std::string folded(InodeNo directory, std::string_view folded_name, std::string_view name);
std::string folded_names(InodeNo directory, std::string_view folded_name);  // prefix
std::string name(InodeNo number, InodeNo directory, std::string_view name);
std::string names(InodeNo number);  // prefix
std::string xattr(InodeNo number, std::string_view name);
std::string content(ContentNo number);
std::string blocks(ContentNo number);
std::string hash(const ContentHash& sha256);
std::string content_inode(ContentNo content, InodeNo number);
std::string content_inodes(ContentNo content);  // prefix
std::string photo(PhotoId id);
std::string content_photo(ContentNo content);
std::string photo_inode(PhotoId id, InodeNo number);
std::string photo_inodes(PhotoId id);  // prefix
std::string view_directory(ViewId view, std::string_view value);
std::string job(ContentNo content, std::string_view remote);
std::string remote_job(std::string_view remote, ContentNo content);
std::string remote_jobs(std::string_view remote);  // prefix
std::string copy(ContentNo content, std::string_view remote);
std::string remote_key(std::string_view remote, std::string_view key);
std::string tidy(ContentNo content, std::string_view remote);
std::string remote_tidy(std::string_view remote, ContentNo content);
std::string remote_tidies(std::string_view remote);  // prefix
std::string folded_key(std::string_view remote, std::string_view key);
std::string folded_keys(std::string_view remote, std::string_view key);  // prefix: all spellings of a key
std::string loose(std::string_view remote, std::string_view key);
std::string loose_objects(std::string_view remote);  // prefix
std::string moved_folder(InodeNo directory);
std::string sidecar(PhotoId photo, std::string_view remote);
std::string sidecars(PhotoId photo);  // prefix
std::string remote_sidecar(std::string_view remote, PhotoId photo);
std::string remote_sidecars(std::string_view remote);  // prefix
std::string trash(InodeNo number);
std::string version(PhotoId photo, ContentNo content);
std::string versions(PhotoId photo);  // prefix
std::string meta(std::string_view name);
std::string erased_content(ContentNo content);  // under kMetaErased
std::string change(uint64_t sequence);

// Names under kMeta that the catalog itself keeps. The counters are the next number to be given.
inline constexpr std::string_view kMetaSchema = "catalog.schema";
inline constexpr std::string_view kMetaNextInode = "catalog.next_inode";
inline constexpr std::string_view kMetaNextContent = "catalog.next_content";
inline constexpr std::string_view kMetaNextPhoto = "catalog.next_photo";
// Random, of this library; its backups carry it.
inline constexpr std::string_view kMetaLibraryId = "catalog.id";
// Followed by the name of a remote: what the backup there holds (BACKUP.md).
inline constexpr std::string_view kMetaBackup = "backup/";
// Followed by the number of a content, in decimal: it was erased, and its files are to go.
inline constexpr std::string_view kMetaErased = "erased/";

// A key taken apart: the numbers behind the letter and what is left. Untrusted input.
struct Parts {
  uint64_t first = 0, second = 0;
  std::string_view rest;  // points into the key
  bool ok = false;
};
Parts split(std::string_view key, int numbers);

// NFC- and case-folded form by which names are compared; bytes that are no UTF-8 stay as they are.
std::string fold(std::string_view name);

// Values that are one number.
std::string number_value(uint64_t number);
Result<uint64_t> decode_number(std::string_view bytes);

}  // namespace shoebox::keys
