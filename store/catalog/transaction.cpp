// Changes gathered in memory over the committed state, written as one batch.

#include <algorithm>
#include <cassert>

#include "store/catalog/catalog_state.h"
#include "store/catalog/keys.h"

namespace shoebox {

void Transaction::State::end() NO_THREAD_SAFETY_ANALYSIS {
  if (spent) return;
  spent = true;
  catalog.writer_thread = std::thread::id();
  catalog.writer.unlock();
}

Transaction::Transaction(std::unique_ptr<State> state) : state_(std::move(state)) {}
Transaction::~Transaction() { state_->end(); }

InodeNo Transaction::new_inode_no() {
  state_->numbers_taken = true;
  return InodeNo(state_->catalog.next_inode++);
}

ContentNo Transaction::new_content_no() {
  state_->numbers_taken = true;
  return ContentNo(state_->catalog.next_content++);
}

PhotoId Transaction::new_photo_id() {
  state_->numbers_taken = true;
  return PhotoId(state_->catalog.next_photo++);
}

void Transaction::put_inode(InodeNo number, const InodeRecord& record) {
  const auto before = inode(number);
  if (!before) return state_->fail(before.status());
  const std::optional<InodeRecord>& old = *before;
  if (old && old->content != record.content) {
    state_->released.insert(old->content);
    state_->renamed.insert(number);
  }
  if (old && old->content != record.content && old->content) {
    state_->erase(keys::content_inode(old->content, number));
  }
  if (old && old->photo != record.photo && old->photo) state_->erase(keys::photo_inode(old->photo, number));
  if (record.content && (!old || old->content != record.content)) {
    state_->put(keys::content_inode(record.content, number), "");
  }
  if (record.photo && (!old || old->photo != record.photo)) {
    state_->put(keys::photo_inode(record.photo, number), "");
  }
  if (old && old->photo != record.photo) {
    // What was said of either stands on its inodes.
    for (const PhotoId photo : {old->photo, record.photo})
      if (photo) state_->told.insert(photo);
  }
  state_->put(keys::inode(number), encode(record));
  std::vector<InodeNo>& changed = state_->change.attributes;
  if (old && std::find(changed.begin(), changed.end(), number) == changed.end()) changed.push_back(number);
}

Status Transaction::erase_inode(InodeNo number) {
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> old, inode(number));
  if (!old) return Status::ok();
  if (old->content) state_->released.insert(old->content);
  if (old->content) state_->erase(keys::content_inode(old->content, number));
  if (old->photo) state_->erase(keys::photo_inode(old->photo, number));
  if (old->photo) state_->told.insert(old->photo);  // part of what was said of it stood here
  SHOEBOX_ASSIGN(const std::vector<std::string> attributes, xattr_names(number));
  for (const std::string& name : attributes) state_->erase(keys::xattr(number, name));
  state_->erase(keys::trash(number));
  state_->erase(keys::inode(number));
  return Status::ok();
}

Status Transaction::put_dentry(InodeNo directory, std::string_view name, const DentryRecord& record,
                               Notice notice) {
  SHOEBOX_ASSIGN(const std::optional<DentryRecord> old, dentry(directory, name));
  const bool known = notice == Notice::kKernelKnows && !state_->all_told;
  state_->renamed.insert(record.inode);
  if (old) state_->renamed.insert(old->inode);
  if (old && old->inode != record.inode) {
    state_->erase(keys::name(old->inode, directory, name));
    state_->change.names.push_back({directory, std::string(name), old->inode, true, known});
  }
  if (!old) state_->put(keys::folded(directory, keys::fold(name), name), "");
  if (!old || old->inode != record.inode) {
    state_->put(keys::name(record.inode, directory, name), "");
    state_->change.names.push_back({directory, std::string(name), record.inode, false, known});
  }
  state_->put(keys::dentry(directory, name), encode(record));
  return Status::ok();
}

Status Transaction::erase_dentry(InodeNo directory, std::string_view name, Notice notice) {
  SHOEBOX_ASSIGN(const std::optional<DentryRecord> old, dentry(directory, name));
  if (!old) return Status::ok();
  state_->renamed.insert(old->inode);
  state_->erase(keys::name(old->inode, directory, name));
  state_->erase(keys::folded(directory, keys::fold(name), name));
  state_->erase(keys::dentry(directory, name));
  const bool known = notice == Notice::kKernelKnows && !state_->all_told;
  state_->change.names.push_back({directory, std::string(name), old->inode, true, known});
  return Status::ok();
}

void Transaction::tell_all_names() { state_->all_told = true; }

void Transaction::put_xattr(InodeNo inode, std::string_view name, std::string_view value) {
  look_at_attribute(inode, name);
  state_->put(keys::xattr(inode, name), std::string(value));
}

void Transaction::erase_xattr(InodeNo inode, std::string_view name) {
  look_at_attribute(inode, name);
  state_->erase(keys::xattr(inode, name));
}

void Transaction::put_content(ContentNo number, const ContentRecord& record) {
  if (record.state == ContentState::kSealed) {
    // Equal bytes sealed twice: the earlier content keeps the row while it lives, unless the disk spoiled it.
    const auto indexed = content_by_hash(record.sha256);
    if (!indexed) return state_->fail(indexed.status());
    bool taken = false;
    if (*indexed && **indexed != number) {
      const auto other = content(**indexed);
      if (!other) return state_->fail(other.status());
      const auto damaged = is_known_damaged(**indexed);
      if (!damaged) return state_->fail(damaged.status());
      taken = other->has_value() && !*damaged;
    }
    if (!taken) state_->put(keys::hash(record.sha256), keys::number_value(number.value));
  }
  state_->put(keys::content(number), encode(record));
  state_->change.content_sizes.emplace_back(number, record.size);
}

void Transaction::put_block_hashes(ContentNo number, const std::vector<ContentHash>& blocks) {
  std::string bytes;
  bytes.reserve(blocks.size() * sizeof(ContentHash::bytes));
  for (const ContentHash& block : blocks) bytes.append(block.view());
  state_->put(keys::blocks(number), std::move(bytes));
}

Status Transaction::erase_content(ContentNo number) {
  SHOEBOX_ASSIGN(const std::optional<ContentRecord> old, content(number));
  if (!old) return Status::ok();
  if (old->state == ContentState::kSealed) {
    SHOEBOX_ASSIGN(const std::optional<ContentNo> indexed, content_by_hash(old->sha256));
    if (indexed == number) state_->erase(keys::hash(old->sha256));
  }
  SHOEBOX_ASSIGN(const std::vector<UploadJob> jobs, jobs_of_content(number));
  for (const UploadJob& job : jobs) erase_job(number, job.remote);
  SHOEBOX_ASSIGN(const auto all_copies, copies(number));
  for (const auto& [remote, copy] : all_copies) {
    erase_copy(number, remote);
    erase_tidy(number, remote);
    put_loose(remote, copy.key, {ContentNo(), copy.etag, copy.size, old->sha256, 0, 0, ""});
  }
  state_->erase(keys::content_photo(number));
  state_->erase(keys::blocks(number));
  state_->erase(keys::content(number));
  // A crash before its files are gone must not make lost property of them.
  state_->put(keys::erased_content(number), "");
  state_->erased_contents.push_back(number);
  return Status::ok();
}

void Transaction::put_photo(PhotoId id, const PhotoRecord& record) {
  const auto before = photo(id);
  if (!before) return state_->fail(before.status());
  if (*before && (*before)->content != record.content) {
    const auto owner = photo_of_content((*before)->content);
    if (!owner) return state_->fail(owner.status());
    if (*owner == id) state_->erase(keys::content_photo((*before)->content));
  }
  const std::optional<PhotoRecord>& old = *before;
  if (!old || old->content != record.content || old->statements != record.statements ||
      old->stated_date != record.stated_date || old->stated_place != record.stated_place) {
    state_->told.insert(id);
  }
  if (record.content) state_->put(keys::content_photo(record.content), keys::number_value(id.value));
  state_->put(keys::photo(id), encode(record));
  state_->change.photos = true;
}

Status Transaction::erase_photo(PhotoId id) {
  SHOEBOX_ASSIGN(const std::optional<PhotoRecord> old, photo(id));
  if (!old) return Status::ok();
  SHOEBOX_ASSIGN(const std::optional<PhotoId> owner, photo_of_content(old->content));
  if (owner == id) state_->erase(keys::content_photo(old->content));
  state_->told.insert(id);
  state_->erase(keys::photo(id));
  return Status::ok();
}

void Transaction::put_view_directory(ViewId view, std::string_view value, InodeNo directory) {
  state_->put(keys::view_directory(view, value), keys::number_value(directory.value));
}

void Transaction::erase_view_directory(ViewId view, std::string_view value) {
  state_->erase(keys::view_directory(view, value));
}

void Transaction::put_job(const UploadJob& job) {
  state_->put(keys::job(job.content, job.remote), encode(job));
  state_->put(keys::remote_job(job.remote, job.content), "");
  Change& change = state_->change;
  change.uploads.push_back({job.remote, job.content, 0, false, false});
  if (std::find(change.upload_jobs.begin(), change.upload_jobs.end(), job.remote) ==
      change.upload_jobs.end()) {
    change.upload_jobs.push_back(job.remote);
  }
}

void Transaction::erase_job(ContentNo content, std::string_view remote) {
  look_at_sidecar_of(content);  // it waited for this, also when nothing comes of it
  state_->erase(keys::job(content, remote));
  state_->erase(keys::remote_job(remote, content));
  state_->change.uploads.push_back({std::string(remote), content, 0, false, true});
}

void Transaction::put_copy(ContentNo content, std::string_view remote, const RemoteCopy& record) {
  erase_copy(content, remote);
  const auto made = loose(remote, record.key);
  if (!made) return state_->fail(made.status());
  if (*made) erase_loose(remote, record.key);  // it is a copy from here on
  look_at_sidecar_of_copy(content, remote, record.key);
  state_->put(keys::copy(content, remote), encode(record));
  state_->put(keys::remote_key(remote, record.key), keys::number_value(content.value));
  index_folded_key(remote, record.key);
  state_->change.uploads.push_back({std::string(remote), content, record.size, true, false});
}

void Transaction::erase_copy(ContentNo content, std::string_view remote) {
  const auto old = copy(content, remote);
  if (!old) return state_->fail(old.status());
  if (!*old) return;
  const auto holder = content_of_remote_key(remote, (*old)->key);
  if (!holder) return state_->fail(holder.status());
  look_at_sidecar_of_copy(content, remote, (*old)->key);
  if (*holder == content) {
    state_->erase(keys::remote_key(remote, (*old)->key));
    index_folded_key(remote, (*old)->key);
  }
  state_->erase(keys::copy(content, remote));
  state_->change.uploads.push_back({std::string(remote), content, (*old)->size, true, true});
}

void Transaction::put_trash(InodeNo inode, const TrashRecord& record) {
  state_->put(keys::trash(inode), encode(record));
}

void Transaction::erase_trash(InodeNo inode) { state_->erase(keys::trash(inode)); }

void Transaction::put_version(PhotoId photo, const VersionRecord& record) {
  state_->released.insert(record.content);
  state_->put(keys::version(photo, record.content), encode(record));
}

void Transaction::erase_version(PhotoId photo, ContentNo content) {
  state_->released.insert(content);
  state_->erase(keys::version(photo, content));
}

void Transaction::put_meta(std::string_view name, std::string_view value) {
  state_->put(keys::meta(name), std::string(value));
}

void Transaction::put_raw(std::string_view key, std::optional<std::string> value) {
  state_->overlay[std::string(key)] = std::move(value);
}

void Transaction::data_changed(InodeNo inode) { state_->change.data.push_back(inode); }

void Transaction::after_commit(std::function<void()> action) { state_->actions.push_back(std::move(action)); }

Status Transaction::commit() {
  assert(!state_->spent);
  Catalog::State& catalog = state_->catalog;
  Status result = state_->failure;
  if (result) result = note_for_tidying();
  if (result) result = note_for_sidecars();
  if (result && catalog.read_only && !state_->overlay.empty()) {
    result = Status(Code::kReadOnly, "catalog: the library is open read-only");
  }
  if (result && !state_->overlay.empty()) {
    if (state_->numbers_taken) {
      put_meta(keys::kMetaNextInode, keys::number_value(catalog.next_inode));
      put_meta(keys::kMetaNextContent, keys::number_value(catalog.next_content));
      put_meta(keys::kMetaNextPhoto, keys::number_value(catalog.next_photo));
    }
    const Result<uint64_t> change = state_->list_changes();
    result = change ? catalog.db->write(state_->overlay) : change.status();
    if (result) {
      catalog.commits.fetch_add(1);
      if (*change > 0) catalog.last_change = *change;
    }
  }
  state_->end();
  if (!result) return result;
  const auto observers = catalog.present_observers();
  for (const auto& observer : *observers) observer(state_->change);
  for (const ContentNo number : state_->erased_contents) {
    for (const auto& callback : catalog.erased_callbacks) callback(number);
  }
  for (const auto& action : state_->actions) action();
  return result;
}

Result<std::optional<std::string>> Transaction::get(std::string_view key) const {
  const auto changed = state_->overlay.find(key);
  if (changed != state_->overlay.end()) return changed->second;
  return state_->catalog.db->get(key);
}

// Merges the committed rows with the overlay, which wins. `fn` may change the transaction: rows it
// puts or erases behind the current key are seen.
Status Transaction::scan(std::string_view prefix, std::string_view from,
                         const std::function<bool(std::string_view, std::string_view)>& fn) const {
  const std::unique_ptr<Db::Cursor> cursor = state_->catalog.db->seek(prefix, from);
  const KeyChanges& overlay = state_->overlay;
  std::string last;
  bool any = false;
  for (;;) {
    const auto changed =
        any ? overlay.upper_bound(std::string_view(last)) : overlay.lower_bound(std::max(prefix, from));
    const bool have_change = changed != overlay.end() && std::string_view(changed->first).starts_with(prefix);
    if (!have_change && !cursor->valid()) return cursor->status();
    if (!have_change || (cursor->valid() && cursor->key() < changed->first)) {
      last.assign(cursor->key());
      any = true;
      if (!fn(last, cursor->value())) return Status::ok();
      cursor->next();
      continue;
    }
    if (cursor->valid() && cursor->key() == changed->first) cursor->next();
    last = changed->first;
    any = true;
    if (!changed->second) continue;
    const std::string value = *changed->second;  // `fn` may replace it
    if (!fn(last, value)) return Status::ok();
  }
}

}  // namespace shoebox
