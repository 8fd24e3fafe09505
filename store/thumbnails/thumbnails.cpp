#include "store/thumbnails/thumbnails.h"

#include <fmt/format.h>
#include <rocksdb/db.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>

#include "store/base/coding.h"
#include "store/base/log.h"

namespace shoebox {
namespace {

// Key: content hash (32 bytes), then the size in pixels (32 bits, big-endian): both sizes of a
// photo lie side by side, and a removal is one range.
std::string key_of(const ContentHash& sha256, uint32_t size_px) {
  std::string key(sha256.view());
  put_be32(key, size_px);
  return key;
}

rocksdb::Options options_for(bool read_only) {
  rocksdb::Options options;
  options.create_if_missing = !read_only;
  // JPEGs go to blob files: compaction then moves keys, not pictures. They are compressed already.
  options.enable_blob_files = true;
  options.min_blob_size = 512;
  options.blob_file_size = 64 << 20;
  options.enable_blob_garbage_collection = true;
  options.compression = rocksdb::kNoCompression;
  options.blob_compression_type = rocksdb::kNoCompression;
  options.write_buffer_size = 16 << 20;
  options.max_write_buffer_number = 2;
  options.max_background_jobs = 2;
  options.max_open_files = 128;
  options.max_total_wal_size = 64 << 20;
  options.keep_log_file_num = 2;
  options.max_log_file_size = 1 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(4 << 20);  // of keys; pictures are cached by the kernel
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

Status status_of(const rocksdb::Status& status, std::string_view what) {
  const std::string message = fmt::format("{}: {}", what, status.ToString());
  if (status.IsNoSpace()) return {Code::kNoSpace, message};
  if (status.IsCorruption()) return {Code::kDataLoss, message};
  if (status.IsIOError() && status.ToString().find("ermission denied") != std::string::npos)
    return {Code::kAccess, message};
  if (status.IsIOError() && status.ToString().find("Read-only file system") != std::string::npos)
    return {Code::kReadOnly, message};
  // Another process holds LOCK.
  if (status.IsIOError() && status.ToString().find("lock") != std::string::npos)
    return {Code::kBusy, message};
  return {Code::kIo, message};
}

// What starting anew can help against; a full, read-only or busy disk is not damage.
bool is_damage(const rocksdb::Status& status) {
  if (status.IsCorruption() || status.IsInvalidArgument() || status.IsNotSupported() || status.IsNotFound())
    return true;
  return status.IsIOError() && status_of(status, "").code() == Code::kIo;
}

// Renames the folder to PATH.damaged-N with the first free N.
Status set_aside(const std::string& path) {
  for (int n = 1;; ++n) {
    const std::string aside = fmt::format("{}.damaged-{}", path, n);
    struct stat info {};
    if (lstat(aside.c_str(), &info) == 0) continue;
    if (std::rename(path.c_str(), aside.c_str()) != 0)
      return Status::from_errno(errno, fmt::format("set {} aside", path));
    return Status::ok();
  }
}

}  // namespace

struct Thumbnails::State {
  std::unique_ptr<rocksdb::DB> db;  // null: read-only and never made
  bool read_only = false;
  bool rebuilt = false;

  rocksdb::Status open(const std::string& path) {
    rocksdb::DB* opened = nullptr;
    const rocksdb::Options options = options_for(read_only);
    const rocksdb::Status status = read_only ? rocksdb::DB::OpenForReadOnly(options, path, &opened)
                                             : rocksdb::DB::Open(options, path, &opened);
    db.reset(opened);
    return status;
  }
};

Thumbnails::Thumbnails(std::unique_ptr<State> state) : state_(std::move(state)) {}
Thumbnails::~Thumbnails() = default;

Result<std::unique_ptr<Thumbnails>> Thumbnails::open(const std::string& path, bool read_only) {
  auto state = std::make_unique<State>();
  state->read_only = read_only;
  rocksdb::Status opened = state->open(path);
  if (!opened.ok() && read_only) {
    // Nothing can be made anew here: there are no thumbnails, everything else goes on.
    struct stat info {};
    if (stat(path.c_str(), &info) == 0)
      log::warning("thumbnails in {} cannot be opened: {}", path, opened.ToString());
    state->db.reset();
  } else if (!opened.ok()) {
    if (!is_damage(opened)) return status_of(opened, fmt::format("open thumbnails in {}", path));
    SHOEBOX_TRY(set_aside(path));
    log::warning("thumbnails in {} are damaged ({}): set aside, they are made again when needed", path,
                 opened.ToString());
    opened = state->open(path);
    if (!opened.ok()) return status_of(opened, fmt::format("start thumbnails in {} anew", path));
    state->rebuilt = true;
  }
  return std::unique_ptr<Thumbnails>(new Thumbnails(std::move(state)));
}

bool Thumbnails::rebuilt() const { return state_->rebuilt; }

Result<std::optional<std::string>> Thumbnails::get(const ContentHash& sha256, uint32_t size_px) const {
  if (!state_->db) return std::optional<std::string>();
  std::string jpeg;
  const rocksdb::Status status = state_->db->Get({}, key_of(sha256, size_px), &jpeg);
  // A rotten one counts as missing: it will be made again and put over this one.
  if (status.IsNotFound() || status.IsCorruption()) return std::optional<std::string>();
  if (!status.ok()) return status_of(status, fmt::format("read thumbnail of {}", sha256.hex()));
  return std::optional<std::string>(std::move(jpeg));
}

Status Thumbnails::put(const ContentHash& sha256, uint32_t size_px, std::string_view jpeg) {
  if (state_->read_only) return {Code::kReadOnly, "put a thumbnail: the library is open read-only"};
  // Without fsync: a power cut may cost thumbnails, and they are made again.
  const rocksdb::Status status =
      state_->db->Put({}, key_of(sha256, size_px), rocksdb::Slice(jpeg.data(), jpeg.size()));
  return status.ok() ? Status::ok() : status_of(status, fmt::format("store thumbnail of {}", sha256.hex()));
}

Status Thumbnails::remove(const ContentHash& sha256) {
  if (state_->read_only) return {Code::kReadOnly, "remove a thumbnail: the library is open read-only"};
  for (const uint32_t size_px : kSizes) {
    const rocksdb::Status status = state_->db->Delete({}, key_of(sha256, size_px));
    if (!status.ok()) return status_of(status, fmt::format("remove thumbnail of {}", sha256.hex()));
  }
  return Status::ok();
}

Status Thumbnails::flush() {
  if (!state_->db || state_->read_only) return Status::ok();
  const rocksdb::Status status = state_->db->Flush({});
  return status.ok() ? Status::ok() : status_of(status, "flush thumbnails");
}

}  // namespace shoebox
