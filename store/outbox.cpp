#include "store/outbox.h"

#include <fmt/format.h>

#include <algorithm>

#include "store/content/content_store.h"
#include "store/outbox_state.h"
#include "store/remote_edit.h"

namespace shoebox {
namespace {

constexpr std::string_view kMetaPaused = "outbox.paused";

}  // namespace

Outbox::Outbox(Catalog& catalog, ContentStore& contents, Tree& tree, const Clock& clock)
    : state_(std::make_shared<State>(catalog, contents, tree, clock)) {
  state_->load();
  catalog.add_observer([weak = std::weak_ptr<State>(state_)](const Change& change) {
    if (const std::shared_ptr<State> state = weak.lock()) state->observe(change);
  });
}

Outbox::~Outbox() = default;

Result<UniqueFd> Outbox::open(ContentNo content) const { return state_->contents.open_local(content); }

Status Outbox::settle_fetched(ContentNo content) const { return state_->contents.settle_fetched(content); }

Result<bool> Outbox::State::change_job(ContentNo content, const std::string& remote,
                                       const std::function<void(UploadJob&)>& change) {
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, txn->jobs_of_content(content));
  const auto job =
      std::find_if(jobs.begin(), jobs.end(), [&](const UploadJob& j) { return j.remote == remote; });
  if (job == jobs.end()) return false;
  UploadJob changed = *job;
  change(changed);
  txn->put_job(changed);
  SHOEBOX_TRY(txn->commit());
  return true;
}

Status Outbox::save_progress(ContentNo content, const std::string& remote, const std::string& progress) {
  SHOEBOX_ASSIGN(const bool queued,
                 state_->change_job(content, remote, [&](UploadJob& job) { job.progress = progress; }));
  return queued ? state_->catalog.sync() : Status::ok();
}

Status Outbox::sending(ContentNo content, const std::string& remote, const std::string& key) {
  std::string claimed = state_->claim_name(remote, key);
  {
    MutexLock lock(state_->mutex);
    const KeyClaim ours{KeyClaim::Work::kUpload, content, key};
    if (state_->put_claim(remote, std::move(claimed), ours).first != ours) {
      return {Code::kBusy, fmt::format("{} on {}: something else is being done there", key, remote)};
    }
    state_->queues[remote].sending.insert(content);
  }
  SHOEBOX_ASSIGN(const std::optional<LooseObject> known, state_->catalog.loose(remote, key));
  if (known && known->maker == content) return Status::ok();
  const std::unique_ptr<Transaction> txn = state_->catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, txn->content(content));
  if (!record) return {Code::kNotFound, fmt::format("content {}: deleted before it was sent", content.value)};
  txn->put_loose(remote, key, {content, "", record->size, record->sha256, 0, 0, ""});
  return txn->commit();  // not synced: what a power cut forgets, the next attempt finds under the same key
}

void Outbox::ended(ContentNo content, const std::string& remote) {
  {
    MutexLock lock(state_->mutex);
    state_->queues[remote].sending.erase(content);
  }
  state_->release_claims(remote, content);
}

Status Outbox::failed(ContentNo content, const std::string& remote, const Status& why, int64_t not_before_s) {
  ended(content, remote);
  const auto fail = [&](UploadJob& job) {
    ++job.attempts;
    job.not_before_s = not_before_s;
    job.last_error = why.message();
  };
  SHOEBOX_ASSIGN(const bool queued, state_->change_job(content, remote, fail));
  if (!queued) return Status::ok();
  MutexLock lock(state_->mutex);
  State::Queue& queue = state_->queues[remote];
  queue.last_error = why.message();
  queue.error_of = content;
  return Status::ok();
}

Status Outbox::confirmed(ContentNo content, const std::string& remote, const RemoteCopy& copy) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, txn->content(content));
    if (!record) {  // deleted meanwhile: nobody waits for this copy
      SHOEBOX_ASSIGN(const std::optional<LooseObject> made, txn->loose(remote, copy.key));
      const ContentHash sha256 = made ? made->sha256 : ContentHash();
      txn->put_loose(remote, copy.key, {ContentNo(), copy.etag, copy.size, sha256, 0, 0, ""});
      return txn->commit();
    }
    txn->put_copy(content, remote, copy);
    txn->erase_job(content, remote);
    SHOEBOX_ASSIGN(const bool settled,
                   belongs_at(*txn, remote, content, copy.key, state_->limits_of(remote)));
    if (!settled) txn->put_tidy(content, remote, {});  // renamed while it was sent
    SHOEBOX_TRY(txn->commit());
  }
  return state_->catalog.sync();
}

Status Outbox::copy_lost(ContentNo content, const std::string& remote, const std::string& key,
                         const std::string& bad_etag) {
  std::unique_ptr<Transaction> txn = state_->catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> record, txn->content(content));
  SHOEBOX_ASSIGN(const auto copies, txn->copies(content));
  const auto here =
      std::find_if(copies.begin(), copies.end(), [&](const auto& c) { return c.first == remote; });
  if (!record || here == copies.end()) return Status::ok();
  if (!key.empty() && here->second.key != key) return Status::ok();  // moved since somebody looked
  SHOEBOX_ASSIGN(const bool gone, remote_is_let_go(*txn, remote));
  if (gone) return Status::ok();  // nothing is sent there any more
  size_t others = 0;              // that count; a remote that was let go does not
  for (const auto& [name, copy] : copies) {
    SHOEBOX_ASSIGN(const bool let_go, remote_is_let_go(*txn, name));
    if (name != remote && !let_go) ++others;
  }
  if (record->residence != Residence::kLocal && others == 0) {
    // The only place known for these bytes. A remote that answers wrongly once may hold them yet.
    return {Code::kDataLoss,
            fmt::format("{} on {}: not found there, and no other copy is known; check the remote",
                        here->second.key, remote)};
  }
  txn->erase_copy(content, remote);
  // Should it be there after all, and wanted elsewhere by the time it is sent again, it is removed.
  const RemoteCopy& lost = here->second;
  LooseObject left{content, lost.etag, lost.size, record->sha256, 0, 0, ""};
  if (!bad_etag.empty()) {
    left.etag = bad_etag;
    left.sha256 = ContentHash();  // by which bad_object() knows it
  }
  txn->put_loose(remote, lost.key, left);
  UploadJob job;
  job.content = content;
  job.remote = remote;
  txn->put_job(job);
  SHOEBOX_TRY(txn->commit());
  txn.reset();
  // Before the bad object goes: what counts as a copy may let these bytes leave this disk.
  return bad_etag.empty() ? Status::ok() : state_->catalog.sync();
}

Result<std::string> Outbox::bad_object(ContentNo content, const std::string& remote,
                                       const std::string& key) const {
  SHOEBOX_ASSIGN(const std::optional<LooseObject> left, state_->catalog.loose(remote, key));
  const bool bad = left && left->maker == content && left->sha256.is_zero();
  return bad ? left->etag : std::string();
}

Result<std::vector<std::pair<std::string, RemoteCopy>>> Outbox::copies(ContentNo content) const {
  return state_->catalog.copies(content);
}

Result<Outbox::Totals> Outbox::totals(const std::string& remote) const {
  MutexLock lock(state_->mutex);
  Totals totals;
  const auto found = state_->queues.find(remote);
  if (found == state_->queues.end()) return totals;
  const State::Queue& queue = found->second;
  totals.pending_files = queue.pending.size();
  totals.pending_bytes = queue.pending_bytes;
  totals.damaged_files = queue.damaged.size();
  totals.confirmed_files = queue.confirmed_files;
  totals.confirmed_bytes = queue.confirmed_bytes;
  totals.last_error = queue.last_error;
  return totals;
}

Result<bool> Outbox::paused() const {
  SHOEBOX_ASSIGN(const std::optional<std::string> value, state_->catalog.meta(kMetaPaused));
  return value == "1";
}

Status Outbox::set_paused(bool paused) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    txn->put_meta(kMetaPaused, paused ? "1" : "0");
    SHOEBOX_TRY(txn->commit());
  }
  return state_->catalog.sync();
}

void Outbox::set_key_limits(const std::string& remote, const KeyLimits& limits) {
  MutexLock lock(state_->mutex);
  state_->key_limits[remote] = limits;
  state_->queues[remote].folding = {};
}

void Outbox::set_backed_up(const std::string& remote, std::function<uint64_t()> backed_up) {
  MutexLock lock(state_->mutex);
  if (backed_up) {
    state_->backed_up[remote] = std::move(backed_up);
  } else {
    state_->backed_up.erase(remote);
  }
}

void Outbox::on_job(std::function<void()> wake) { state_->wakes.push_back(std::move(wake)); }

}  // namespace shoebox
