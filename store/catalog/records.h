// The values of the catalog. keys.h tells under which key each stands; catalog/FORMAT.md is the
// page for readers of the format. Every record starts with a version byte; a reader refuses a
// version it does not know (Code::kIncompatible) and a record it cannot parse (Code::kDataLoss).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

// Which top-level folder a directory belongs to.
enum class ViewId : uint8_t {
  kRoot = 0,
  kLibrary = 1,
  kDates = 2,
  kAlbums = 3,
  kPeople = 4,
  kTrash = 5,
  kTrashAlias = 6,  // .Trash-$UID and what is in it
  kTags = 7,
  kRatings = 8,
  kFavorites = 9,
  kPlaces = 10,
  kCameras = 11,
  kVideos = 12,
};

inline constexpr InodeNo kRootInode{1};
inline constexpr InodeNo kLibraryInode{2};
inline constexpr InodeNo kDatesInode{3};
inline constexpr InodeNo kAlbumsInode{4};
inline constexpr InodeNo kPeopleInode{5};
inline constexpr InodeNo kTrashInode{6};
inline constexpr InodeNo kFirstFreeInode{1024};  // below: fixed inodes, room for later views

// A file as POSIX sees it.
struct InodeRecord {
  uint32_t mode = 0;  // type and permissions, as st_mode
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint64_t rdev = 0;
  uint32_t nlink = 0;  // names in Library, the stating views and Trash; for directories 2 + subfolders
  uint64_t size = 0;
  Timestamp atime, mtime, ctime, btime;
  ContentNo content;               // regular files; none while empty and never written
  PhotoId photo;                   // none for junk, sidecars and other non-photos
  bool mtime_was_set = false;      // by utimens, not by arrival: mtime may then serve as a guessed date
  ViewId view = ViewId::kLibrary;  // directories: where they stand
  InodeNo parent;                  // directories only
  std::string view_value;          // view directories: the value they stand for ("Anna", "2023")
  std::string symlink_target;
};

// How a name came about.
enum class NameKind : uint8_t {
  kGiven = 1,      // somebody gave it; kept byte for byte, always shown, counts in nlink
  kGenerated = 2,  // a view made it; counts in nlink only in the stating views
};

// One visible name: (directory, name) -> inode.
struct DentryRecord {
  InodeNo inode;
  uint32_t type = 0;  // S_IFMT bits of the inode's mode, for d_type
  NameKind kind = NameKind::kGiven;
};

struct DirEntry {
  std::string name;
  DentryRecord dentry;
};

// One name of an inode.
struct NameOf {
  InodeNo directory;
  std::string name;
  auto operator<=>(const NameOf&) const = default;
};

enum class ContentState : uint8_t {
  kStaging = 1,  // staging/N, may still be written; hashes not known
  kSealed = 2,   // immutable; hash and block hashes known
  // Immutable; stands on a remote where it was found, and nobody has read all of it: hashes not known.
  // The one copy that it has pins it by its ETag, which never changes in this state.
  kAdopted = 3,
};

// Written by nobody any more.
[[nodiscard]] inline bool is_immutable(ContentState state) { return state != ContentState::kStaging; }

enum class Residence : uint8_t {
  kLocal = 1,    // every byte is in staging/ or objects/
  kPartial = 2,  // partial/N holds some blocks (head, tail, what was read)
};

// Bytes.
struct ContentRecord {
  ContentState state = ContentState::kStaging;
  Residence residence = Residence::kLocal;
  uint64_t size = 0;
  ContentHash sha256;           // sealed only
  uint32_t references = 0;      // inodes and versions that point here
  bool pinned = false;          // never evicted
  uint8_t decoder_crashes = 0;  // at 2 the content counts as undecodable
  int64_t last_access_s = 0;    // for LRU; coarse
  int64_t changed_s = 0;        // when last written: uploads wait for 5 s of quiet
  uint64_t disk_bytes = 0;      // sealed and local: what the file occupies; 0: not known
};

// Local time at capture. Fields that are not known are 0 (month, day) or -1 (hour...).
struct LocalDate {
  int16_t year = 0;
  uint8_t month = 0;
  uint8_t day = 0;
  int8_t hour = -1;
  int8_t minute = -1;
  int8_t second = -1;
  auto operator<=>(const LocalDate&) const = default;
};

enum class DateSource : uint8_t {
  kNone = 0,
  kMetadata = 1,  // from the file's own metadata
  kFileName = 2,
  kMtime = 3,  // a guess, marked as one
};

enum class MediaKind : uint8_t {
  kUnknown = 0,  // not decoded yet
  kPhoto = 1,
  kVideo = 2,
  kOther = 3,        // decoded: neither
  kUndecodable = 4,  // crashed the decoder twice or could not be read; by its name a photo or video
};

// The names of a place, the widest first. What is not known is empty.
struct PlaceNames {
  std::string country, state, city, location;
  [[nodiscard]] bool empty() const {
    return country.empty() && state.empty() && city.empty() && location.empty();
  }
  bool operator==(const PlaceNames&) const = default;
};

// What the file itself says; made by shoebox-decoder, untrusted until checked.
struct MediaInfo {
  MediaKind kind = MediaKind::kUnknown;
  std::string mime;  // "image/jpeg"
  std::optional<LocalDate> date;
  bool date_is_original = false;  // from a tag that means capture, not digitizing or writing
  std::optional<int16_t> utc_offset_minutes;
  std::vector<std::string> people;
  std::vector<std::string> tags;
  std::optional<double> latitude, longitude;
  std::string make, model;
  uint32_t width = 0, height = 0;  // as stored, before rotation
  uint8_t orientation = 1;         // EXIF 1 to 8
  double duration_s = 0;
  int8_t rating = -1;  // -1: none
  std::string caption;
  PlaceNames place{};
};

enum class Statement : uint8_t { kAsserted = 1, kDenied = 2 };  // absent: unset

struct ViewValue {
  ViewId view = ViewId::kAlbums;
  std::string value;  // "Trip/Day 1" (album path, '/'-joined display names), "Anna"
  auto operator<=>(const ViewValue&) const = default;
};

// What people mean by a photo.
struct PhotoRecord {
  ContentNo content;                           // the current bytes
  MediaInfo info;                              // what the file says, with what its sidecars add
  DateSource date_source = DateSource::kNone;  // where `date` comes from when none is stated
  std::optional<LocalDate> date;               // effective date when none is stated
  std::optional<LocalDate> stated_date;        // a folder of Dates somebody put it in; may lack the day
  std::map<ViewValue, Statement> statements;
  bool homed = false;         // has, or once had, a home in Library: never filed again by itself
  std::string original_name;  // the name it arrived under
  // What the file alone says; only where sidecars say something as well.
  std::optional<MediaInfo> file_info;
  // The XMP sidecars beside the photo's names, by their bytes. kUnknown: not read yet.
  std::map<ContentNo, MediaInfo> sidecars;
  // As store/tree/place_text.h spells it. Empty: somebody said that it has none; absent: nothing was said.
  std::optional<std::string> stated_place{};
};

// A confirmed copy of a content on a remote.
struct RemoteCopy {
  std::string key;
  std::string etag;
  uint64_t size = 0;
  int64_t confirmed_s = 0;
  // An object that was found there and taken in under this path below the mount point: it stays at its
  // key as long as a file with its bytes has that path. Empty: the key follows the names.
  std::string adopted_path{};
};

// An upload that is still to be done. Committed in the batch that makes the file visible.
struct UploadJob {
  ContentNo content;
  std::string remote;  // its name in shoebox.toml
  uint32_t attempts = 0;
  int64_t not_before_s = 0;  // back-off, wall clock seconds
  std::string last_error;
  std::string progress;  // the remote's own record of a multipart upload, to resume it
  // The bytes on this disk are not those whose hash was recorded: nothing is sent until somebody asks for it.
  bool damaged = false;
};

// A content whose copy on a remote may stand under another key than its names imply. Committed in
// the batch that changed the names.
struct TidyRecord {
  uint32_t attempts = 0;
  int64_t not_before_s = 0;  // back-off, wall clock seconds
  bool beside = false;       // the wanted key cannot be made yet: step aside to the one beside it
  std::string last_error;
};

// An object that stands, or may stand, on a remote and is nobody's copy: what an upload or a move is
// about to make, and what a copy left behind. It is removed unless it becomes a copy.
struct LooseObject {
  ContentNo maker;   // whose upload or move makes it; none: left behind
  std::string etag;  // as it was confirmed; empty: never confirmed, only its bytes tell what it is
  uint64_t size = 0;
  ContentHash sha256;
  uint32_t attempts = 0;
  int64_t not_before_s = 0;
  std::string last_error;
  // Somebody's, found there, with the bytes of a content that has its copy elsewhere: never removed.
  bool keep = false;
};

// The XMP sidecar of what the owner said about a photo, as it stands on a remote.
struct SidecarObject {
  std::string key;
  std::string etag;
  uint64_t size = 0;
  ContentHash sha256;
};

// What lies in Trash.
struct TrashRecord {
  InodeNo directory;  // where it came from; may be gone
  std::string path;   // the same, as a path below the mount point, for people
  int64_t trashed_s = 0;
  uint32_t uid = 0;
  PhotoId photo;
  std::vector<NameOf> names;  // every name it had, with statements, to undo
  std::vector<ViewValue> statements;
  std::vector<InodeNo> sidecars{};  // in Trash as well: they went with the photo, and come back with it
};

// Old bytes of a photo that was replaced.
struct VersionRecord {
  ContentNo content;
  int64_t replaced_s = 0;
  std::string name;
};

std::string encode(const InodeRecord& record);
std::string encode(const DentryRecord& record);
std::string encode(const ContentRecord& record);
std::string encode(const PhotoRecord& record);
std::string encode(const RemoteCopy& record);
std::string encode(const UploadJob& record);
std::string encode(const TidyRecord& record);
std::string encode(const LooseObject& record);
std::string encode(const SidecarObject& record);
std::string encode(const TrashRecord& record);
std::string encode(const VersionRecord& record);
std::string encode(const MediaInfo& info);

Result<InodeRecord> decode_inode(std::string_view bytes);
Result<DentryRecord> decode_dentry(std::string_view bytes);
Result<ContentRecord> decode_content(std::string_view bytes);
Result<PhotoRecord> decode_photo(std::string_view bytes);
Result<RemoteCopy> decode_remote_copy(std::string_view bytes);
Result<UploadJob> decode_upload_job(std::string_view bytes);
Result<TidyRecord> decode_tidy(std::string_view bytes);
Result<LooseObject> decode_loose(std::string_view bytes);
Result<SidecarObject> decode_sidecar(std::string_view bytes);
Result<TrashRecord> decode_trash(std::string_view bytes);
Result<VersionRecord> decode_version(std::string_view bytes);
Result<MediaInfo> decode_media_info(std::string_view bytes);

}  // namespace shoebox
