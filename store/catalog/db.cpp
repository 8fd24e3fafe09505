#include "store/catalog/db.h"

#include <fcntl.h>
#include <rocksdb/cache.h>
#include <rocksdb/convenience.h>
#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "store/base/file_io.h"
#include "store/base/log.h"
#include "store/catalog/reserve.h"

namespace shoebox {
namespace {

// A listing of a cold library reads neighbours: rows are small, so fewer and larger reads pay.
constexpr size_t kTableBlockBytes = 16 << 10;
constexpr size_t kFirstReadAheadBytes = 64 << 10;

rocksdb::Slice slice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view view(const rocksdb::Slice& s) { return {s.data(), s.size()}; }

std::string one_line(std::string text) {
  for (char& c : text) {
    if (c == '\n' || c == '\r') c = ' ';
  }
  return text;
}

// Name of the table that RocksDB's message speaks of ("000012.sst"), or an empty string. It tries an
// older extension last, and names that one.
std::string table_in(const std::string& message) {
  for (const char* extension : {".sst", ".ldb"}) {
    for (size_t at = message.find(extension); at != std::string::npos; at = message.find(extension, at + 1)) {
      size_t begin = at;
      while (begin > 0 && message[begin - 1] >= '0' && message[begin - 1] <= '9') --begin;
      if (begin < at) return message.substr(begin, at - begin) + ".sst";
    }
  }
  return {};
}

Status damaged(const std::string& path, const std::string& message) {
  const std::string table = table_in(message);
  return {Code::kDataLoss,
          fmt::format(
              "catalog {}: {} is missing or damaged ({}); put the folder back from a backup of this "
              "disk, or make the library anew in another folder with shoebox rebuild --from a remote, or run "
              "shoebox fsck --repair to keep what the other tables hold",
              path, table.empty() ? "a file of it" : "table " + table, one_line(message))};
}

// Whether something was written there before.
bool holds_tables(const std::string& path) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
    if (entry.path().extension() == ".sst") return true;
  }
  return false;
}

Status translate(const rocksdb::Status& s, const std::string& path) {
  if (s.ok()) return Status::ok();
  if (s.IsNoSpace()) return {Code::kNoSpace, fmt::format("catalog {}: no space left on the disk", path)};
  if (s.IsCorruption()) return damaged(path, s.ToString());
  const std::string text = one_line(s.ToString());
  // A table, or the list of tables that CURRENT names.
  if (text.find("No such file") != std::string::npos &&
      (!table_in(text).empty() || text.find("/MANIFEST-") != std::string::npos)) {
    return damaged(path, text);
  }
  if (text.find("Read-only file system") != std::string::npos) {
    return {Code::kReadOnly, fmt::format("catalog {}: the disk is read-only", path)};
  }
  if (text.find("lock ") != std::string::npos || text.find("LOCK") != std::string::npos) {
    return {Code::kBusy, fmt::format("catalog {}: open in another process ({})", path, text)};
  }
  return {Code::kIo, fmt::format("catalog {}: {}", path, text)};
}

// The first key after all keys that start with `prefix`; empty when there is none.
std::string successor(std::string_view prefix) {
  std::string next(prefix);
  while (!next.empty()) {
    if (static_cast<unsigned char>(next.back()) != 0xff) {
      next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
      return next;
    }
    next.pop_back();
  }
  return next;
}

rocksdb::Options rocksdb_options(const Db::Options& options, rocksdb::Env* memory_env) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.in_memory ? 1 << 20 : options.cache_bytes);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));  // 1 % false hits for 10 bits a key
  table.block_size = kTableBlockBytes;
  table.initial_auto_readahead_size = kFirstReadAheadBytes;
  rocksdb::Options made;
  made.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  made.create_if_missing = options.create && !options.read_only;
  made.write_buffer_size = kCatalogBufferBytes;
  made.max_background_jobs = 2;
  made.advise_random_on_open = false;  // let the kernel read ahead
  made.keep_log_file_num = 2;
  made.max_log_file_size = 1 << 20;
  made.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  made.stats_dump_period_sec = 0;
  made.stats_persist_period_sec = 0;
  if (memory_env != nullptr) made.env = memory_env;
  return made;
}

}  // namespace

struct Db::State {
  std::string path;
  Options options;
  std::unique_ptr<rocksdb::Env> memory_env;
  std::unique_ptr<rocksdb::DB> db;

  std::optional<Reserve> reserve;  // none in memory, read-only, and where none is wanted

  // After a failed write or fsync of the log nobody knows what the disk holds (and Debian's RocksDB
  // asserts when its log is used again): nothing more is written until the next open.
  std::atomic<bool> disk_failed{false};
  [[nodiscard]] Status answer(const rocksdb::Status& status) {
    if (status.IsIOError() && !status.IsNoSpace()) disk_failed.store(true);
    return translate(status, path);
  }
  [[nodiscard]] Status refuse_after_failure() const {
    if (!disk_failed.load()) return Status::ok();
    return {Code::kIo, "catalog " + path + ": its disk failed; unmount, check the disk, mount again"};
  }

  Status make_sure_of_room(size_t batch_bytes);
  rocksdb::Status write_after_no_space(rocksdb::WriteBatch& batch);
};

// RocksDB does not take a full disk well: after one ENOSPC it stops until it has flushed. So it shall
// not meet one: the log has its bytes from its beginning, and when it must begin a new one on a full
// disk, the room for that comes out of the reserve first.
Status Db::State::make_sure_of_room(size_t batch_bytes) {
  if (!reserve) return Status::ok();
  const auto space = disk_space(path);
  if (!space || space->free_bytes >= kSwitchBytes + 2 * batch_bytes) {
    if (space && reserve->given_back() > 0 && space->free_bytes >= 2 * reserve->wanted_bytes()) {
      reserve->fill();
      reserve->all_well();
    }
    return Status::ok();
  }
  uint64_t buffered = 0;
  db->GetIntProperty("rocksdb.cur-size-active-mem-table", &buffered);
  constexpr uint64_t kFreshLog = 16 << 10;  // not allocated yet: that comes with its first bytes
  const bool fits = buffered + 2 * batch_bytes < kCatalogBufferBytes * 3 / 4;
  if (fits && buffered > kFreshLog) return Status::ok();
  if (!reserve->give_back(kSwitchBytes + 2 * batch_bytes)) {
    return {Code::kNoSpace, fmt::format("catalog {}: no space left on the disk", path)};
  }
  if (fits) return Status::ok();
  return translate(db->Flush(rocksdb::FlushOptions()), path);
}

// Somebody else took the last bytes in between. RocksDB looks every 5 s whether it can go on.
rocksdb::Status Db::State::write_after_no_space(rocksdb::WriteBatch& batch) {
  rocksdb::Status written = rocksdb::Status::NoSpace();
  if (!reserve || !reserve->give_back(reserve->bytes())) return written;
  for (int attempt = 0; attempt < 60 && !written.ok(); ++attempt) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    written = db->Write(rocksdb::WriteOptions(), &batch);
  }
  return written;
}

Db::Db(std::unique_ptr<State> state) : state_(std::move(state)) {}

Db::~Db() {
  if (!state_ || !state_->db) return;
  const rocksdb::Status closed = state_->db->Close();
  if (!closed.ok()) log::warning("catalog {}: closing: {}", state_->path, one_line(closed.ToString()));
}

Result<std::unique_ptr<Db>> Db::open(const std::string& path, const Options& options) {
  auto state = std::make_unique<State>();
  state->path = path;
  state->options = options;
  if (options.in_memory) {
    state->memory_env.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  } else {
    const bool there = ::access((path + "/CURRENT").c_str(), F_OK) == 0;
    if (!there && holds_tables(path)) return damaged(path, "CURRENT is not there");
    if (!there && (!options.create || options.read_only)) {
      return Status(Code::kNotFound, fmt::format("catalog {}: not there; is this a Shoebox library?", path));
    }
    if (!there) SHOEBOX_TRY(make_dirs(path));
    if (!options.read_only && options.reserve_bytes > 0) {
      state->reserve.emplace(path, options.reserve_bytes);
      SHOEBOX_TRY(state->reserve->make_room_to_open());
    }
  }
  const rocksdb::Options made = rocksdb_options(options, state->memory_env.get());
  const std::string where = options.in_memory ? "/" + path : path;  // the memory needs an absolute path
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = options.read_only ? rocksdb::DB::OpenForReadOnly(made, where, &db)
                                                   : rocksdb::DB::Open(made, where, &db);
  if (!opened.ok()) return translate(opened, path);
  state->db.reset(db);
  if (state->reserve) state->reserve->open();
  return std::unique_ptr<Db>(new Db(std::move(state)));
}

Status Db::salvage(const std::string& path) {
  return translate(rocksdb::RepairDB(path, rocksdb_options({}, nullptr)), path);
}

struct Db::Snapshot::State {
  rocksdb::DB* db = nullptr;
  const rocksdb::Snapshot* snapshot = nullptr;
};
Db::Snapshot::Snapshot(std::unique_ptr<State> state) : state_(std::move(state)) {}
Db::Snapshot::~Snapshot() { state_->db->ReleaseSnapshot(state_->snapshot); }

std::unique_ptr<Db::Snapshot> Db::snapshot() const {
  auto made = std::make_unique<Snapshot::State>();
  made->db = state_->db.get();
  made->snapshot = state_->db->GetSnapshot();
  return std::unique_ptr<Snapshot>(new Snapshot(std::move(made)));
}

Result<std::optional<std::string>> Db::get(std::string_view key, const Snapshot* at) const {
  std::string value;
  rocksdb::ReadOptions read;
  if (at != nullptr) read.snapshot = at->state_->snapshot;
  const rocksdb::Status s = state_->db->Get(read, slice(key), &value);
  if (s.IsNotFound()) return std::optional<std::string>();
  if (!s.ok()) return translate(s, state_->path);
  return std::optional<std::string>(std::move(value));
}

Result<std::vector<std::optional<std::string>>> Db::get_many(const std::vector<std::string>& keys) const {
  const std::vector<rocksdb::Slice> slices(keys.begin(), keys.end());
  std::vector<rocksdb::PinnableSlice> values(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  state_->db->MultiGet(rocksdb::ReadOptions(), state_->db->DefaultColumnFamily(), slices.size(),
                       slices.data(), values.data(), statuses.data());
  std::vector<std::optional<std::string>> found(keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].ok()) {
      found[i] = values[i].ToString();
    } else if (!statuses[i].IsNotFound()) {
      return translate(statuses[i], state_->path);
    }
  }
  return found;
}

Result<std::optional<std::string>> Db::last_key(std::string_view prefix, const Snapshot* at) const {
  rocksdb::ReadOptions read;
  if (at != nullptr) read.snapshot = at->state_->snapshot;
  read.total_order_seek = true;
  const std::unique_ptr<rocksdb::Iterator> it(state_->db->NewIterator(read));
  const std::string end = successor(prefix);
  if (end.empty()) {
    it->SeekToLast();
  } else {
    it->SeekForPrev(end);
    if (it->Valid() && view(it->key()) == end) it->Prev();
  }
  if (!it->status().ok()) return translate(it->status(), state_->path);
  if (!it->Valid() || !view(it->key()).starts_with(prefix)) return std::optional<std::string>();
  return std::optional<std::string>(it->key().ToString());
}

struct Db::Cursor::State {
  std::string end;
  rocksdb::Slice end_slice;  // RocksDB keeps a pointer to it
  std::unique_ptr<rocksdb::Iterator> it;
  const std::string* path = nullptr;
};

Db::Cursor::Cursor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Db::Cursor::~Cursor() = default;
bool Db::Cursor::valid() const { return state_->it->Valid(); }
std::string_view Db::Cursor::key() const { return view(state_->it->key()); }
std::string_view Db::Cursor::value() const { return view(state_->it->value()); }
void Db::Cursor::next() { state_->it->Next(); }
Status Db::Cursor::status() const { return translate(state_->it->status(), *state_->path); }

std::unique_ptr<Db::Cursor> Db::seek(std::string_view prefix, std::string_view from,
                                     const Snapshot* at) const {
  auto cursor = std::make_unique<Cursor::State>();
  cursor->path = &state_->path;
  cursor->end = successor(prefix);
  rocksdb::ReadOptions read;
  if (at != nullptr) read.snapshot = at->state_->snapshot;
  if (!cursor->end.empty()) {
    cursor->end_slice = cursor->end;
    read.iterate_upper_bound = &cursor->end_slice;  // spares walking the tombstones behind the prefix
  }
  cursor->it.reset(state_->db->NewIterator(read));
  cursor->it->Seek(slice(std::max(prefix, from)));
  return std::unique_ptr<Cursor>(new Cursor(std::move(cursor)));
}

Status Db::write(const KeyChanges& changes) {
  SHOEBOX_TRY(state_->refuse_after_failure());
  rocksdb::WriteBatch batch;
  for (const auto& [key, value] : changes) {
    const rocksdb::Status put = value ? batch.Put(key, *value) : batch.Delete(key);
    if (!put.ok()) return translate(put, state_->path);
  }
  std::optional<Reserve>& reserve = state_->reserve;
  const uint64_t reserve_before = reserve ? reserve->bytes() : 0;
  SHOEBOX_TRY(state_->make_sure_of_room(batch.GetDataSize()));
  rocksdb::Status written = state_->db->Write(rocksdb::WriteOptions(), &batch);
  if (written.IsNoSpace()) written = state_->write_after_no_space(batch);
  // What the log that has gone held, before somebody else takes it.
  if (reserve && reserve->bytes() < reserve_before) reserve->fill();
  return state_->answer(written);
}

Status Db::erase_range(std::string_view begin, std::string_view end) {
  SHOEBOX_TRY(state_->refuse_after_failure());
  rocksdb::WriteBatch batch;
  const rocksdb::Status put = batch.DeleteRange(slice(begin), slice(end));
  if (!put.ok()) return translate(put, state_->path);
  SHOEBOX_TRY(state_->make_sure_of_room(batch.GetDataSize()));
  return state_->answer(state_->db->Write(rocksdb::WriteOptions(), &batch));
}

uint64_t Db::kept_free_bytes() const { return state_->reserve ? state_->reserve->given_back() : 0; }

Status Db::sync() {
  if (state_->options.in_memory) return Status::ok();
  SHOEBOX_TRY(state_->refuse_after_failure());
  return state_->answer(state_->db->SyncWAL());
}

}  // namespace shoebox
