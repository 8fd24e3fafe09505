// The list of changes: with each batch goes a row that names the keys it changed, so that a backup
// sends what changed since the last one and nothing else, and no change can be missed. Values are not
// repeated there; a backup takes the newest ones.

#include <algorithm>

#include "store/base/coding.h"
#include "store/catalog/backup_rows.h"
#include "store/catalog/catalog_state.h"
#include "store/catalog/keys.h"

namespace shoebox {
namespace {

// Beyond this the oldest go: about 20 MiB. A backup that lags behind so far starts with a snapshot.
constexpr uint64_t kMostChanges = 100'000;

}  // namespace

Status Catalog::State::load_changes() {
  const std::string table = keys::table(keys::kChange);
  const std::unique_ptr<Db::Cursor> first = db->seek(table, table);
  if (first->valid()) first_change = keys::split(first->key(), 1).first;
  SHOEBOX_TRY(first->status());
  SHOEBOX_ASSIGN(const std::optional<std::string> last, db->last_key(table));
  if (last) last_change = keys::split(*last, 1).first;
  return Status::ok();
}

Result<uint64_t> Transaction::State::list_changes() {
  std::string row;
  for (const auto& [key, value] : overlay) {
    if (!backup::is_backed_up(key)) continue;
    if (key.front() == keys::kContent && value) {
      SHOEBOX_ASSIGN(const std::optional<std::string> before, catalog.db->get(key));
      if (before && backup::portable(key, *before) == backup::portable(key, *value)) continue;
    }
    put_string(row, key);
  }
  if (row.empty()) return uint64_t{0};
  const uint64_t number = catalog.last_change + 1;
  put(keys::change(number), std::move(row));
  while (number - catalog.first_change >= kMostChanges) erase(keys::change(catalog.first_change++));
  return number;
}

struct CatalogMoment::State {
  const Db* db = nullptr;
  std::unique_ptr<Db::Snapshot> snapshot;
  uint64_t sequence = 0;
};

CatalogMoment::CatalogMoment(std::unique_ptr<State> state) : state_(std::move(state)) {}
CatalogMoment::~CatalogMoment() = default;
uint64_t CatalogMoment::sequence() const { return state_->sequence; }

Result<std::unique_ptr<CatalogMoment>> Catalog::moment() const {
  auto state = std::make_unique<CatalogMoment::State>();
  state->db = state_->db.get();
  state->snapshot = state_->db->snapshot();
  SHOEBOX_ASSIGN(const std::optional<std::string> last,
                 state_->db->last_key(keys::table(keys::kChange), state->snapshot.get()));
  if (last) state->sequence = keys::split(*last, 1).first;
  return std::unique_ptr<CatalogMoment>(new CatalogMoment(std::move(state)));
}

uint64_t Catalog::last_change() const { return state_->last_change; }

Status Catalog::forget_changes(uint64_t up_to) {
  MutexLock lock(state_->writer);
  // The newest row stays: from it the numbers go on.
  const uint64_t end = std::min<uint64_t>(up_to + 1, state_->last_change);
  if (end <= state_->first_change) return Status::ok();
  SHOEBOX_TRY(state_->db->erase_range(keys::change(state_->first_change), keys::change(end)));
  state_->first_change = end;
  return Status::ok();
}

Result<std::set<std::string>> CatalogMoment::changed_keys(uint64_t after) const {
  std::set<std::string> changed;
  uint64_t expected = after + 1;
  Status failure;
  SHOEBOX_TRY(scan(
      keys::table(keys::kChange), keys::change(expected), [&](std::string_view key, std::string_view value) {
        if (keys::split(key, 1).first != expected) return false;
        Decoder in(value);
        while (in.ok() && !in.rest().empty()) changed.emplace(in.string());
        if (!in.ok()) {
          failure = Status(Code::kDataLoss, "catalog: the list of changes is damaged; run shoebox fsck");
          return false;
        }
        ++expected;
        return true;
      }));
  SHOEBOX_TRY(failure);
  if (expected <= state_->sequence) {
    return Status(Code::kNotFound, "catalog: the list of changes does not reach back so far");
  }
  return changed;
}

Result<std::optional<std::string>> CatalogMoment::get(std::string_view key) const {
  return state_->db->get(key, state_->snapshot.get());
}

Status CatalogMoment::scan(std::string_view prefix, std::string_view from,
                           const std::function<bool(std::string_view, std::string_view)>& fn) const {
  const std::unique_ptr<Db::Cursor> cursor = state_->db->seek(prefix, from, state_->snapshot.get());
  for (; cursor->valid(); cursor->next()) {
    if (!fn(cursor->key(), cursor->value())) return Status::ok();
  }
  return cursor->status();
}

}  // namespace shoebox
