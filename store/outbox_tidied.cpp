// What became of a tidying step, the totals, and the walk through folders that moved.

#include <sys/stat.h>

#include <unordered_set>

#include "store/base/kill_point.h"
#include "store/base/log.h"
#include "store/catalog/keys.h"
#include "store/outbox_state.h"

namespace shoebox {
namespace {

// Rows looked at under the writer lock in one go.
constexpr size_t kWalkBatch = 100;

Status note_copies(Catalog& catalog, const std::vector<ContentNo>& contents,
                   const std::function<KeyLimits(const std::string& remote)>& limits_of) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  for (const ContentNo content : contents) {
    SHOEBOX_ASSIGN(const auto copies, txn->copies(content));
    for (const auto& [remote, copy] : copies) {
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> known, txn->tidy(content, remote));
      if (known) continue;
      SHOEBOX_ASSIGN(const bool settled, belongs_at(*txn, remote, content, copy.key, limits_of(remote)));
      if (!settled) txn->put_tidy(content, remote, {});
    }
  }
  return txn->commit();
}

}  // namespace

Status Outbox::tidied(const TidyStep& step, const std::string& remote, const ConfirmedObject& object) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, txn->content(step.content));
    SHOEBOX_ASSIGN(const std::optional<RemoteCopy> copy, txn->copy(step.content, remote));
    if (!record || !copy || copy->key != step.key || copy->etag != step.etag) {
      // Deleted, or lost and queued again, meanwhile.
      txn->put_loose(remote, step.to, {step.content, object.etag, object.size, step.sha256, 0, 0, ""});
    } else {
      SHOEBOX_ASSIGN(const std::optional<TidyRecord> row, txn->tidy(step.content, remote));
      RemoteCopy moved;
      moved.key = step.to;
      moved.etag = object.etag;
      moved.size = object.size;
      moved.confirmed_s = state_->now_s();
      txn->put_copy(step.content, remote, moved);
      txn->put_loose(remote, step.key, {ContentNo(), copy->etag, copy->size, record->sha256, 0, 0, ""});
      SHOEBOX_ASSIGN(const bool settled,
                     belongs_at(*txn, remote, step.content, step.to, state_->limits_of(remote)));
      TidyRecord next;
      if (row && row->beside) next.attempts = row->attempts;  // the wanted key is tried again, more slowly
      if (settled) {
        txn->erase_tidy(step.content, remote);
      } else {
        txn->put_tidy(step.content, remote, next);
      }
    }
    SHOEBOX_TRY(txn->commit());
  }
  kill_point("tidy-recorded");
  SHOEBOX_TRY(state_->catalog.sync());  // before anything is removed
  kill_point("tidy-synced");
  state_->release_key(remote, step.to);
  return Status::ok();
}

Status Outbox::removed(const TidyStep& step, const std::string& remote) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(const std::optional<LooseObject> object, txn->loose(remote, step.key));
    if (object && object->etag == step.etag) txn->erase_loose(remote, step.key);
    SHOEBOX_TRY(txn->commit());
  }
  {
    MutexLock lock(state_->mutex);
    state_->queues[remote].unbacked.erase(step.key);
  }
  state_->release_key(remote, step.key);
  return Status::ok();
}

void Outbox::probed(const TidyStep& step, const std::string& remote, bool folds) {
  state_->end_probe(remote, step.key, folds, 0);
  if (!folds) {  // what stands beside a spelling of its key need not
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    txn->put_raw(keys::moved_folder(kRootInode), keys::number_value(state_->now_s()));
    const Status noted = txn->commit();
    if (!noted) log::error("remote {}: looking at all keys again: {}", remote, noted.message());
    state_->folders_moved = true;
  }
  for (const auto& wake : state_->wakes) wake();
  for (const auto& wake : state_->tidy_wakes) wake();
}

Status Outbox::tidy_failed(const TidyStep& step, const std::string& remote, const Status& why,
                           int64_t not_before_s) {
  if (step.kind == TidyStep::Kind::kProbe) {
    state_->end_probe(remote, step.key, std::nullopt, not_before_s);
    return Status::ok();
  }
  const bool move = step.kind == TidyStep::Kind::kMove;
  const auto note = [&]() -> Status {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    if (move) {
      SHOEBOX_ASSIGN(std::optional<TidyRecord> row, txn->tidy(step.content, remote));
      if (!row) return Status::ok();
      ++row->attempts;
      row->not_before_s = not_before_s;
      row->last_error = why.message();
      row->beside = why.code() == Code::kInvalid;
      txn->put_tidy(step.content, remote, *row);
    } else {
      SHOEBOX_ASSIGN(std::optional<LooseObject> object, txn->loose(remote, step.key));
      if (!object) return Status::ok();
      ++object->attempts;
      object->not_before_s = not_before_s;
      object->last_error = why.message();
      txn->put_loose(remote, step.key, *object);
    }
    return txn->commit();
  };
  const Status noted = not_before_s == 0 ? Status::ok() : note();
  state_->release_key(remote, move ? step.to : step.key);
  return noted;
}

Result<Outbox::TidyTotals> Outbox::tidy_totals(const std::string& remote) const {
  TidyTotals totals;
  Status failure;
  const Catalog& catalog = state_->catalog;
  const auto add = [&totals](uint32_t attempts, const std::string& error) {
    ++totals.pending;
    totals.untried += attempts == 0 ? 1 : 0;
    if (!error.empty()) totals.last_error = error;
  };
  SHOEBOX_TRY(catalog.for_each_tidy(remote, ContentNo(), [&](ContentNo content) {
    const auto row = catalog.tidy(content, remote);
    if (row && *row) add((*row)->attempts, (*row)->last_error);
    return true;
  }));
  SHOEBOX_TRY(catalog.for_each_loose(remote, "", [&](std::string_view, const LooseObject& object) {
    if (!object.maker && !object.keep) add(object.attempts, object.last_error);
    return true;
  }));
  SHOEBOX_TRY(catalog.for_each_moved_folder([&](InodeNo, uint64_t) {
    add(0, "");
    return true;
  }));
  return totals;
}

void Outbox::on_tidy(std::function<void()> wake) { state_->tidy_wakes.push_back(std::move(wake)); }

Status Outbox::State::walk_moved_folders() {
  std::vector<std::pair<InodeNo, uint64_t>> moved;
  SHOEBOX_TRY(catalog.for_each_moved_folder([&](InodeNo folder, uint64_t move) {
    moved.emplace_back(folder, move);
    return true;
  }));
  for (const auto& [folder, move] : moved) {
    SHOEBOX_TRY(walk(folder));
    const std::unique_ptr<Transaction> txn = catalog.begin();
    SHOEBOX_ASSIGN(const auto now, txn->get(keys::moved_folder(folder)));
    if (now == keys::number_value(move)) txn->erase_moved_folder(folder);  // else it moved again
    SHOEBOX_TRY(txn->commit());
  }
  return Status::ok();
}

Status Outbox::State::walk(InodeNo top) {
  std::vector<InodeNo> folders{top};
  std::unordered_set<InodeNo> seen{top};
  std::vector<ContentNo> found;
  const auto limits = [this](const std::string& remote) { return limits_of(remote); };
  while (!folders.empty()) {
    const InodeNo folder = folders.back();
    folders.pop_back();
    std::vector<InodeNo> files;
    SHOEBOX_TRY(catalog.for_each_entry(folder, "", [&](const DirEntry& entry) {
      const InodeNo inode = entry.dentry.inode;
      if (S_ISREG(entry.dentry.type)) files.push_back(inode);
      if (S_ISDIR(entry.dentry.type) && seen.insert(inode).second) folders.push_back(inode);
      return true;
    }));
    for (const InodeNo file : files) {
      SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, catalog.inode(file));
      if (inode && inode->content) found.push_back(inode->content);
      if (found.size() < kWalkBatch) continue;
      SHOEBOX_TRY(note_copies(catalog, found, limits));
      found.clear();
    }
  }
  return found.empty() ? Status::ok() : note_copies(catalog, found, limits);
}

}  // namespace shoebox
