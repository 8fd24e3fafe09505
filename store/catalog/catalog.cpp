#include "store/catalog/catalog.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cassert>

#include "store/base/clock.h"
#include "store/catalog/catalog_state.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

struct FixedDirectory {
  InodeNo number;
  const char* name;
  ViewId view;
};
constexpr FixedDirectory kFixed[] = {
    {kLibraryInode, "Library", ViewId::kLibrary}, {kDatesInode, "Dates", ViewId::kDates},
    {kAlbumsInode, "Albums", ViewId::kAlbums},    {kPeopleInode, "People", ViewId::kPeople},
    {kTrashInode, "Trash", ViewId::kTrash},
};

// Root, and the folders that are always there: all of a fresh catalog, and of a salvaged one those that were
// lost with their table, without which nothing can be mounted.
Status make_fixed_directories(Catalog& catalog, const Catalog::Options& options) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  InodeRecord directory;
  directory.mode = S_IFDIR | 0755;
  directory.uid = options.root_uid;
  directory.gid = options.root_gid;
  directory.atime = directory.mtime = directory.ctime = directory.btime = SystemClock().now();
  directory.parent = kRootInode;
  for (const FixedDirectory& fixed : kFixed) {
    directory.view = fixed.view;
    directory.nlink = 2;
    SHOEBOX_ASSIGN(const std::optional<InodeRecord> there, txn->inode(fixed.number));
    if (!there) txn->put_inode(fixed.number, directory);
    SHOEBOX_ASSIGN(const std::optional<DentryRecord> named, txn->dentry(kRootInode, fixed.name));
    if (!named) {
      SHOEBOX_TRY(txn->put_dentry(kRootInode, fixed.name, {fixed.number, S_IFDIR, NameKind::kGiven}));
    }
    const bool is_view = fixed.view != ViewId::kLibrary && fixed.view != ViewId::kTrash;
    if (is_view) txn->put_view_directory(fixed.view, "", fixed.number);
  }
  directory.view = ViewId::kRoot;
  directory.nlink = 2 + static_cast<uint32_t>(std::size(kFixed));
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> root, txn->inode(kRootInode));
  if (!root) txn->put_inode(kRootInode, directory);
  SHOEBOX_ASSIGN(const std::optional<std::string> schema, txn->meta(keys::kMetaSchema));
  if (!schema) txn->put_meta(keys::kMetaSchema, keys::number_value(keys::kSchema));
  SHOEBOX_TRY(txn->commit());
  return catalog.sync();
}

// The index of folded keys, which schema 2 did not have. Begun anew when it is broken off.
Status index_folded_keys(Catalog& catalog) {
  constexpr size_t kBatch = 1000;
  std::vector<std::pair<std::string, std::string>> rows;
  for (const keys::Table table : {keys::kLoose, keys::kRemoteKey}) {
    const std::string prefix = keys::table(table);
    SHOEBOX_TRY(catalog.scan(prefix, prefix, [&](std::string_view key, std::string_view value) {
      const size_t nul = key.find('\0');
      if (nul == std::string_view::npos) return true;  // fsck tells
      rows.emplace_back(keys::folded_key(key.substr(1, nul - 1), key.substr(nul + 1)),
                        table == keys::kLoose ? keys::number_value(0) : std::string(value));
      return true;
    }));
  }
  for (size_t begin = 0; begin < rows.size(); begin += kBatch) {
    const std::unique_ptr<Transaction> txn = catalog.begin();
    for (size_t i = begin; i < std::min(rows.size(), begin + kBatch); ++i) {
      txn->put_raw(rows[i].first, rows[i].second);
    }
    SHOEBOX_TRY(txn->commit());
  }
  return Status::ok();
}

// From schema 1, which had no list of changes and knew no tidying: backups begin with a snapshot, and every
// name is looked at once. Schema 3 knew no sidecars on remotes; Outbox::enqueue_sidecars() looks for what is
// to be sent. What a salvaged catalog lost is in no list either: the backups forget what they
// have.
Status bring_up_to_date(Catalog& catalog, bool whole) {
  SHOEBOX_ASSIGN(const std::optional<std::string> schema, catalog.meta(keys::kMetaSchema));
  const std::string wanted = keys::number_value(keys::kSchema);
  if (whole && schema == wanted) return Status::ok();
  if (schema != wanted) SHOEBOX_TRY(index_folded_keys(catalog));
  const std::unique_ptr<Transaction> txn = catalog.begin();
  if (schema != wanted) {
    if (schema == keys::number_value(1)) txn->put_raw(keys::moved_folder(kRootInode), keys::number_value(0));
    txn->put_meta(keys::kMetaSchema, wanted);
  }
  if (!whole) {
    std::vector<std::string> known;
    const std::string prefix = keys::meta(keys::kMetaBackup);
    SHOEBOX_TRY(txn->scan(prefix, prefix, [&](std::string_view key, std::string_view) {
      known.emplace_back(key);
      return true;
    }));
    for (const std::string& key : known) txn->put_raw(key, std::nullopt);
  }
  SHOEBOX_TRY(txn->commit());
  return catalog.sync();
}

// The next number of a kind: as stored, but never one that a row has already.
Status load_counter(const CatalogReader& reader, const Db& db, std::string_view name, keys::Table table,
                    uint64_t& counter) {
  SHOEBOX_ASSIGN(const std::optional<std::string> stored, reader.meta(name));
  if (stored) {
    SHOEBOX_ASSIGN(const uint64_t number, keys::decode_number(*stored));
    counter = std::max(counter, number);
  }
  SHOEBOX_ASSIGN(const std::optional<std::string> last, db.last_key(keys::table(table)));
  if (last) counter = std::max(counter, keys::split(*last, 1).first + 1);
  return Status::ok();
}

template <typename Number, typename Record>
Result<std::vector<std::optional<Record>>> read_many(const Db& db, const std::vector<Number>& numbers,
                                                     std::string (*key_of)(Number),
                                                     Result<Record> (*decode)(std::string_view)) {
  std::vector<std::string> keys;
  keys.reserve(numbers.size());
  for (const Number number : numbers) keys.push_back(key_of(number));
  SHOEBOX_ASSIGN(const std::vector<std::optional<std::string>> rows, db.get_many(keys));
  std::vector<std::optional<Record>> records(numbers.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!rows[i]) continue;
    SHOEBOX_ASSIGN(records[i], decode(*rows[i]));
  }
  return records;
}

}  // namespace

Catalog::Catalog(std::unique_ptr<State> state) : state_(std::move(state)) {}
Catalog::~Catalog() = default;

Result<std::unique_ptr<Catalog>> Catalog::open(const std::string& path, const Options& options) {
  Db::Options db_options;
  db_options.read_only = options.read_only;
  db_options.create = options.create;
  db_options.in_memory = options.in_memory;
  db_options.reserve_bytes = options.reserve_bytes;
  SHOEBOX_ASSIGN(std::unique_ptr<Db> db, Db::open(path, db_options));

  auto state = std::make_unique<State>();
  state->db = std::move(db);
  state->read_only = options.read_only;
  std::unique_ptr<Catalog> catalog(new Catalog(std::move(state)));

  SHOEBOX_ASSIGN(const std::optional<std::string> schema, catalog->meta(keys::kMetaSchema));
  if (schema) {
    SHOEBOX_ASSIGN(const uint64_t version, keys::decode_number(*schema));
    if (version > keys::kSchema) {
      return Status(
          Code::kIncompatible,
          fmt::format("catalog {}: made by a newer Shoebox (format {}, this one knows {}); update Shoebox",
                      path, version, keys::kSchema));
    }
  } else {
    SHOEBOX_ASSIGN(const std::optional<std::string> anything, catalog->state_->db->last_key(""));
    if (anything && !options.salvaged) {
      return Status(Code::kDataLoss,
                    fmt::format("catalog {}: its format number is missing; put the folder back "
                                "from a backup, or run shoebox fsck --repair",
                                path));
    }
    if (options.read_only) {
      return Status(Code::kNotFound, fmt::format("catalog {}: empty, and open read-only", path));
    }
  }
  if (!schema || options.salvaged) SHOEBOX_TRY(make_fixed_directories(*catalog, options));
  State& made = *catalog->state_;
  SHOEBOX_TRY(made.load_changes());
  if (!options.read_only) SHOEBOX_TRY(bring_up_to_date(*catalog, schema.has_value() && !options.salvaged));
  SHOEBOX_TRY(load_counter(*catalog, *made.db, keys::kMetaNextInode, keys::kInode, made.next_inode));
  SHOEBOX_TRY(load_counter(*catalog, *made.db, keys::kMetaNextContent, keys::kContent, made.next_content));
  SHOEBOX_TRY(load_counter(*catalog, *made.db, keys::kMetaNextPhoto, keys::kPhoto, made.next_photo));
  return catalog;
}

Status Catalog::salvage(const std::string& path) { return Db::salvage(path); }

std::unique_ptr<Transaction> Catalog::begin() NO_THREAD_SAFETY_ANALYSIS {
  assert(state_->writer_thread.load() != std::this_thread::get_id() && "a transaction inside a transaction");
  state_->writer.lock();
  state_->writer_thread = std::this_thread::get_id();
  return std::unique_ptr<Transaction>(new Transaction(std::make_unique<Transaction::State>(*state_)));
}

uint64_t Catalog::kept_free_bytes() const { return state_->db->kept_free_bytes(); }

Status Catalog::sync() NO_THREAD_SAFETY_ANALYSIS {
  const uint64_t wanted = state_->commits.load();
  state_->sync_mutex.lock();
  for (;;) {
    if (state_->synced_commits >= wanted) {
      state_->sync_mutex.unlock();
      return Status::ok();
    }
    if (!state_->sync_running) break;
    state_->sync_done.wait(state_->sync_mutex);
  }
  state_->sync_running = true;
  state_->sync_mutex.unlock();
  const uint64_t covered = state_->commits.load();  // all of these are in the log by now
  const Status synced = state_->db->sync();
  state_->sync_mutex.lock();
  if (synced) state_->synced_commits = std::max(state_->synced_commits, covered);
  state_->sync_running = false;
  state_->sync_mutex.unlock();
  state_->sync_done.notify_all();
  return synced;
}

Result<std::vector<std::optional<InodeRecord>>> Catalog::inodes(const std::vector<InodeNo>& numbers) const {
  return read_many(*state_->db, numbers, keys::inode, decode_inode);
}

Result<std::vector<std::optional<ContentRecord>>> Catalog::contents(
    const std::vector<ContentNo>& numbers) const {
  return read_many(*state_->db, numbers, keys::content, decode_content);
}

void Catalog::add_observer(std::function<void(const Change&)> observer, std::function<void()> caught_up) {
  const MutexLock lock(state_->observers_mutex);
  auto more = std::make_shared<State::Observers>(*state_->observers);
  more->push_back(std::move(observer));
  state_->observers = std::move(more);
  if (caught_up) state_->caught_up.push_back(std::move(caught_up));
}

void Catalog::wait_for_observers() const {
  std::vector<std::function<void()>> waits;
  {
    const MutexLock lock(state_->observers_mutex);
    waits = state_->caught_up;
  }
  for (const auto& wait : waits) wait();
}

void Catalog::on_content_erased(std::function<void(ContentNo)> callback) {
  state_->erased_callbacks.push_back(std::move(callback));
}

Result<std::optional<std::string>> Catalog::get(std::string_view key) const { return state_->db->get(key); }

Status Catalog::scan(std::string_view prefix, std::string_view from,
                     const std::function<bool(std::string_view, std::string_view)>& fn) const {
  const std::unique_ptr<Db::Cursor> cursor = state_->db->seek(prefix, from);
  for (; cursor->valid(); cursor->next()) {
    if (!fn(cursor->key(), cursor->value())) return Status::ok();
  }
  return cursor->status();
}

}  // namespace shoebox
