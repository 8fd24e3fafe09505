// The sidecars of what the owner said, as they stand on remotes: which is to be sent, and where it may stand.
//
// A sidecar stands beside the copy of its original and follows it. What of ours stands where it belongs no
// more becomes a loose object (LooseObject), which tidying removes. Before one is sent to a key, that is
// noted as a loose object, made by the content it belongs to: broken off anywhere, nothing is forgotten
// there.

#include <sys/stat.h>

#include <algorithm>

#include "store/base/hash.h"
#include "store/base/kill_point.h"
#include "store/catalog/keys.h"
#include "store/outbox_state.h"
#include "store/xmp_sidecar.h"

namespace shoebox {
namespace {

using NextSidecar = std::optional<SidecarStep>;

constexpr std::string_view kMetaQueued = "outbox.sidecars";
// While another works at the key.
constexpr int64_t kKeyTakenRetry_s = 2;
constexpr int64_t kKeyStaysTakenRetry_s = 60;

// Whether the owner has a file where this key would be, sent already or not.
Result<bool> is_a_file(const CatalogReader& reader, std::string_view path) {
  InodeNo directory = kRootInode;
  for (;;) {
    const size_t slash = path.find('/');
    // As on remotes that ignore case or Unicode forms.
    SHOEBOX_ASSIGN(const auto name, reader.folded_match(directory, path.substr(0, slash)));
    if (!name) return false;
    SHOEBOX_ASSIGN(const auto dentry, reader.dentry(directory, *name));
    if (!dentry) return false;
    if (slash == std::string_view::npos) return true;
    if (!S_ISDIR(dentry->type)) return false;
    directory = dentry->inode;
    path.remove_prefix(slash + 1);
  }
}

Result<bool> taken_by_original(const CatalogReader& reader, const std::string& remote, const std::string& key,
                               const KeyLimits& limits) {
  SHOEBOX_ASSIGN(const auto holder, other_holder(reader, remote, key, ContentNo(), limits));
  if (holder) return true;
  return is_a_file(reader, key);
}

}  // namespace

Result<NextSidecar> Outbox::next_sidecar(const std::string& remote, bool hurry,
                                         const std::function<bool(PhotoId)>& skip, int64_t* next_due_s) {
  State::Plan plan{remote, hurry, nullptr, 0, {}};
  PhotoId after;
  {
    MutexLock lock(state_->mutex);
    after = state_->queues[remote].sidecar;
  }
  SHOEBOX_ASSIGN(NextSidecar step, first_in_turn<SidecarStep>(
                                       after,
                                       [&](PhotoId from, const auto& each) {
                                         return state_->catalog.for_each_sidecar_mark(remote, from, each);
                                       },
                                       [&](PhotoId photo, const TidyRecord& mark) -> Result<NextSidecar> {
                                         if (skip && skip(photo)) return NextSidecar();
                                         if (plan.waits(mark.not_before_s, state_->now_s()))
                                           return NextSidecar();
                                         return state_->plan_sidecar(plan, photo, mark);
                                       }));
  if (step) {
    MutexLock lock(state_->mutex);
    state_->queues[remote].sidecar = step->photo;
  }
  if (next_due_s != nullptr) *next_due_s = plan.due_s;
  return step;
}

Result<NextSidecar> Outbox::State::plan_sidecar(Plan& plan, PhotoId id, const TidyRecord& mark) {
  const std::string& remote = plan.remote;
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, txn->photo(id));
  SHOEBOX_ASSIGN(const std::optional<SidecarObject> standing, txn->sidecar(id, remote));
  std::optional<RemoteCopy> copy;
  std::optional<std::string> job;
  std::optional<ContentRecord> content;
  if (photo) {
    SHOEBOX_ASSIGN(copy, txn->copy(photo->content, remote));
    SHOEBOX_ASSIGN(job, txn->get(keys::job(photo->content, remote)));
    SHOEBOX_ASSIGN(content, txn->content(photo->content));
  }
  SHOEBOX_ASSIGN(std::string bytes, xmp_sidecar_of(*txn, id));
  const auto done = [&]() -> Result<NextSidecar> {
    txn->erase_sidecar_mark(remote, id);
    SHOEBOX_TRY(txn->commit());
    return NextSidecar();
  };
  // The original is on its way: who confirms it puts the mark again.
  if (!copy && job) {
    // What stands there is in doubt when another one was being sent to its key.
    if (standing) {
      SHOEBOX_ASSIGN(const std::optional<LooseObject> doubt, txn->loose(remote, standing->key));
      if (doubt) SHOEBOX_TRY(let_sidecar_go(*txn, remote, id));
    }
    return done();
  }
  SidecarStep step;
  step.bytes = std::move(bytes);
  if (!copy || !content || step.bytes.empty()) {
    SHOEBOX_TRY(let_sidecar_go(*txn, remote, id));
    return done();
  }
  const KeyLimits limits = limits_of(remote);
  step.photo = id;
  step.copy_key = copy->key;
  step.sha256 = sha256(step.bytes);
  step.original = content->sha256;
  step.attempts = mark.attempts;
  step.key = mark.beside ? std::string() : sidecar_key(copy->key, limits);
  if (!step.key.empty()) {
    SHOEBOX_ASSIGN(const bool taken, taken_by_original(*txn, remote, step.key, limits));
    if (taken) step.key.clear();
  }
  const auto wait = [&plan](int64_t until_s) -> Result<NextSidecar> {
    plan.due_s = plan.due_s == 0 ? until_s : std::min(plan.due_s, until_s);
    return NextSidecar();
  };
  if (!step.key.empty()) {
    SHOEBOX_ASSIGN(const auto beside, loose_in_the_way(*txn, remote, step.key, photo->content, limits));
    if (beside && beside->object.attempts == 0 && !beside->object.keep) {
      return wait(now_s() + kKeyTakenRetry_s);
    }
    // The original itself was on its way there, under the name of a sidecar: that is not to be forgotten.
    SHOEBOX_ASSIGN(const std::optional<LooseObject> own, txn->loose(remote, step.key));
    if (beside || (own && own->sha256 == content->sha256)) step.key.clear();
  }
  bool in_the_way = false;
  step.apart = step.key.empty();
  if (step.apart) {
    step.key = sidecar_key_apart(copy->key, content->sha256, limits);
    SHOEBOX_ASSIGN(const auto apart, loose_in_the_way(*txn, remote, step.key, photo->content, limits));
    in_the_way = apart.has_value();
  }
  // Where one was being sent and no more is known, what was confirmed before may be gone.
  SHOEBOX_ASSIGN(const std::optional<LooseObject> loose, txn->loose(remote, step.key));
  if (!loose && standing && standing->key == step.key && standing->sha256 == step.sha256) return done();
  if (in_the_way) return wait(now_s() + kKeyStaysTakenRetry_s);
  if (loose) step.ours.push_back(loose->sha256);
  if (standing && standing->key == step.key) {
    step.former_etag = standing->etag;
    step.ours.push_back(standing->sha256);
  }
  const KeyClaim ours{KeyClaim::Work::kSidecar, photo->content, step.key};
  if (claim(remote, ours) != ours) return wait(now_s() + kKeyTakenRetry_s);
  txn->put_loose(remote, step.key, {photo->content, "", step.bytes.size(), step.sha256, 0, 0, ""});
  if (const Status noted = txn->commit(); !noted) {
    release_key(remote, step.key);
    return noted;
  }
  kill_point("sidecar-noted");
  return NextSidecar(std::move(step));
}

// What of ours stands there is removed, unless an original took its place.
Status Outbox::State::let_sidecar_go(Transaction& txn, const std::string& remote, PhotoId id) {
  SHOEBOX_ASSIGN(const std::optional<SidecarObject> standing, txn.sidecar(id, remote));
  if (!standing) return Status::ok();
  txn.erase_sidecar(id, remote);
  SHOEBOX_ASSIGN(const std::optional<ContentNo> holder, txn.content_of_remote_key(remote, standing->key));
  if (holder) return Status::ok();
  // In doubt when another one was being sent to its key.
  SHOEBOX_ASSIGN(const std::optional<LooseObject> doubt, txn.loose(remote, standing->key));
  txn.put_loose(remote, standing->key,
                {ContentNo(), doubt ? "" : standing->etag, standing->size, standing->sha256, 0, 0, ""});
  return Status::ok();
}

Status Outbox::sidecar_sent(const SidecarStep& step, const std::string& remote,
                            const ConfirmedObject& object) {
  {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(const std::optional<PhotoRecord> photo, txn->photo(step.photo));
    SHOEBOX_ASSIGN(const std::optional<SidecarObject> before, txn->sidecar(step.photo, remote));
    if (before && before->key != step.key) SHOEBOX_TRY(state_->let_sidecar_go(*txn, remote, step.photo));
    txn->erase_loose(remote, step.key);
    txn->put_sidecar(step.photo, remote, {step.key, object.etag, object.size, step.sha256});
    std::optional<RemoteCopy> copy;
    if (photo) {
      SHOEBOX_ASSIGN(copy, txn->copy(photo->content, remote));
    }
    SHOEBOX_ASSIGN(const std::string now, xmp_sidecar_of(*txn, step.photo));
    // Else something was said, or the original went elsewhere, meanwhile: the mark stays, for one more look.
    if (copy && copy->key == step.copy_key && sha256(now) == step.sha256)
      txn->erase_sidecar_mark(remote, step.photo);
    SHOEBOX_TRY(txn->commit());
    kill_point("sidecar-recorded");
  }
  state_->release_key(remote, step.key);
  return Status::ok();
}

Status Outbox::sidecar_failed(const SidecarStep& step, const std::string& remote, const Status& why,
                              int64_t not_before_s) {
  const auto note = [&]() -> Status {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    SHOEBOX_ASSIGN(std::optional<TidyRecord> mark, txn->sidecar_mark(remote, step.photo));
    if (!mark) return Status::ok();
    const bool not_there =
        why.code() == Code::kConflict || why.code() == Code::kInvalid || why.code() == Code::kNameTooLong;
    if (not_there && !step.apart) {
      mark->beside = true;
      mark->not_before_s = 0;
      // Nothing of ours stands there: what does, is not ours to remove.
      if (why.code() == Code::kConflict) txn->erase_loose(remote, step.key);
    } else {
      ++mark->attempts;
      mark->not_before_s = not_before_s;
      mark->last_error = why.message();
    }
    txn->put_sidecar_mark(remote, step.photo, *mark);
    return txn->commit();
  };
  const Status noted = not_before_s == 0 ? Status::ok() : note();
  state_->release_key(remote, step.key);
  return noted;
}

// Whatever stands there now is not ours: nothing is left to be removed.
Status Outbox::sidecar_lost(PhotoId photo, const std::string& remote, const std::string& key) {
  const std::unique_ptr<Transaction> txn = state_->catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<SidecarObject> standing, txn->sidecar(photo, remote));
  if (!standing || standing->key != key) return Status::ok();  // moved since somebody looked
  txn->erase_sidecar(photo, remote);
  txn->put_sidecar_mark(remote, photo, {});
  return txn->commit();
}

// It stays known as ours by its ETag; with no hash it is never what is wanted there.
Status Outbox::sidecar_damaged(PhotoId photo, const std::string& remote, const std::string& key) {
  const std::unique_ptr<Transaction> txn = state_->catalog.begin();
  SHOEBOX_ASSIGN(std::optional<SidecarObject> standing, txn->sidecar(photo, remote));
  if (!standing || standing->key != key) return Status::ok();  // moved since somebody looked
  standing->sha256 = ContentHash();
  txn->put_sidecar(photo, remote, *standing);
  txn->put_sidecar_mark(remote, photo, {});
  return txn->commit();
}

Result<Outbox::SidecarTotals> Outbox::sidecar_totals(const std::string& remote) const {
  SidecarTotals totals;
  SHOEBOX_TRY(state_->catalog.for_each_sidecar_mark(remote, PhotoId(), [&](PhotoId, const TidyRecord& mark) {
    ++totals.pending;
    totals.untried += mark.attempts == 0 ? 1 : 0;
    if (!mark.last_error.empty()) totals.last_error = mark.last_error;
    return true;
  }));
  return totals;
}

// A sidecar of ours makes room for the owner's own file: it goes apart, and what it leaves is removed.
Result<Outbox::State::SidecarThere> Outbox::State::sidecar_at(const std::string& remote,
                                                              const std::string& key) {
  if (!key.ends_with(kSidecarExtension)) return SidecarThere::kNone;
  const KeyLimits limits = limits_of(remote);
  const std::string beside = key.substr(0, key.size() - kSidecarExtension.size());
  SHOEBOX_ASSIGN(const auto original, other_holder(catalog, remote, beside, ContentNo(), limits));
  if (!original) return SidecarThere::kNone;
  SHOEBOX_ASSIGN(const auto photo, catalog.photo_of_content(original->content));
  if (!photo) return SidecarThere::kNone;
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(const auto standing, txn->sidecar(*photo, remote));
  if (!standing) return SidecarThere::kNone;
  if (standing->key != key) {
    const bool spelled =
        limits.folds != KeyLimits::Folds::kNo && keys::fold(standing->key) == keys::fold(key);
    if (!spelled) return SidecarThere::kNone;
    if (!folds(remote)) return SidecarThere::kLeaving;  // to be found out
  }
  SHOEBOX_ASSIGN(const auto mark, txn->sidecar_mark(remote, *photo));
  if (mark) return mark->attempts == 0 ? SidecarThere::kLeaving : SidecarThere::kStays;
  txn->put_sidecar_mark(remote, *photo, {});
  SHOEBOX_TRY(txn->commit());
  return SidecarThere::kLeaving;
}

// Where a sidecar stands under another spelling of a key that it left.
Result<bool> Outbox::State::sidecar_spelled(const std::string& remote, std::string_view key) {
  if (!key.ends_with(kSidecarExtension)) return false;
  const std::string folded = keys::fold(key);
  std::string_view original = key.substr(0, key.size() - kSidecarExtension.size());
  std::vector<std::string> originals{std::string(original)};
  if (constexpr std::string_view kApart = ".shoebox/sidecars/"; original.starts_with(kApart)) {
    original.remove_prefix(kApart.size());
    originals = {std::string(original), ".shoebox/" + std::string(original)};
  }
  for (const std::string& candidate : originals) {
    SHOEBOX_ASSIGN(const auto spellings, catalog.spellings_of_remote_key(remote, candidate));
    for (const auto& [holder, spelling] : spellings) {
      if (!holder) continue;
      SHOEBOX_ASSIGN(const std::optional<PhotoId> photo, catalog.photo_of_content(holder));
      if (!photo) continue;
      SHOEBOX_ASSIGN(const std::optional<SidecarObject> standing, catalog.sidecar(*photo, remote));
      if (standing && standing->key != key && keys::fold(standing->key) == folded) return true;
    }
  }
  return false;
}

Status Outbox::enqueue_sidecars() {
  SHOEBOX_ASSIGN(const auto queued, state_->catalog.meta(kMetaQueued));
  if (queued) return Status::ok();
  std::vector<PhotoId> photos;
  SHOEBOX_TRY(state_->catalog.for_each_photo([&](PhotoId id, const PhotoRecord&) {
    photos.push_back(id);
    return true;
  }));
  for (size_t begin = 0; begin < photos.size(); begin += kOutboxBatchRows) {
    const std::unique_ptr<Transaction> txn = state_->catalog.begin();
    for (size_t i = begin; i < std::min(photos.size(), begin + kOutboxBatchRows); ++i)
      txn->look_at_sidecars(photos[i]);
    SHOEBOX_TRY(txn->commit());
  }
  const std::unique_ptr<Transaction> txn = state_->catalog.begin();
  txn->put_meta(kMetaQueued, "1");
  return txn->commit();
}

void Outbox::on_sidecar(std::function<void()> wake) { state_->sidecar_wakes.push_back(std::move(wake)); }

}  // namespace shoebox
