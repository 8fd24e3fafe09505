// What a batch means for the keys on remotes: a copy of a content whose names or holders changed may
// stand under the wrong key now. The rows that say so are part of the batch.

#include <sys/stat.h>

#include "store/catalog/catalog_state.h"
#include "store/catalog/keys.h"

namespace shoebox {

void Transaction::put_tidy(ContentNo content, std::string_view remote, const TidyRecord& record) {
  state_->put(keys::tidy(content, remote), encode(record));
  state_->put(keys::remote_tidy(remote, content), "");
  state_->change.tidying = true;
}

void Transaction::erase_tidy(ContentNo content, std::string_view remote) {
  state_->erase(keys::tidy(content, remote));
  state_->erase(keys::remote_tidy(remote, content));
  state_->change.tidying = true;
}

void Transaction::put_loose(std::string_view remote, std::string_view key, const LooseObject& object) {
  state_->put(keys::loose(remote, key), encode(object));
  index_folded_key(remote, key);
  state_->change.tidying = true;
}

void Transaction::erase_loose(std::string_view remote, std::string_view key) {
  state_->erase(keys::loose(remote, key));
  index_folded_key(remote, key);
  state_->change.tidying = true;
}

void Transaction::index_folded_key(std::string_view remote, std::string_view key) {
  const auto holder = content_of_remote_key(remote, key);
  if (!holder) return state_->fail(holder.status());
  const auto object = get(keys::loose(remote, key));
  if (!object) return state_->fail(object.status());
  const std::string row = keys::folded_key(remote, key);
  if (*holder) return state_->put(row, keys::number_value((*holder)->value));
  if (*object) return state_->put(row, keys::number_value(0));
  state_->erase(row);
}

void Transaction::erase_moved_folder(InodeNo directory) { state_->erase(keys::moved_folder(directory)); }

// A folder that moved costs one row however much is below it: the walk comes later (Outbox).
Status Transaction::note_for_tidying() {
  for (const InodeNo number : state_->renamed) {
    SHOEBOX_ASSIGN(const std::optional<InodeRecord> record, inode(number));
    if (!record) continue;
    if (!S_ISDIR(record->mode)) {
      state_->released.insert(record->content);
      continue;
    }
    SHOEBOX_ASSIGN(const std::optional<std::string> before, state_->catalog.db->get(keys::inode(number)));
    if (!before) continue;  // new, and so is all below it
    SHOEBOX_ASSIGN(const bool has_something, has_entries(number));
    if (!has_something) continue;
    state_->put(keys::moved_folder(number), keys::number_value(state_->catalog.commits.load() + 1));
    state_->change.tidying = true;
  }
  for (const ContentNo content : state_->released) {
    if (!content) continue;
    SHOEBOX_ASSIGN(const auto all_copies, copies(content));
    for (const auto& [remote, copy] : all_copies) put_tidy(content, remote, {});
  }
  return Status::ok();
}

}  // namespace shoebox
