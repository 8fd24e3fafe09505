// What of the library is on this disk only, and stays so: originals that the disk spoiled before they were
// sent, and files that no remote gets because of their names.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>

#include "store/base/file_names.h"
#include "store/base/log.h"
#include "store/catalog/keys.h"
#include "store/outbox_state.h"
#include "store/tree/content_refs.h"
#include "store/tree/tree.h"

namespace shoebox {
namespace {

constexpr std::string_view kSpoiled = "its bytes on this disk are not those that were written";
constexpr std::string_view kNoCopy =
    "and no remote has a copy; the file is left as it is: write a good copy over it, or take what is there "
    "with cp";
constexpr std::string_view kOtherCopy =
    "another remote has it as it was: shoebox fsck --read-data --repair takes that";

}  // namespace

Status Outbox::damaged(ContentNo content, const std::string& remote) {
  ended(content, remote);
  const auto mark = [](UploadJob& job) {
    job.damaged = true;
    job.last_error = kSpoiled;
  };
  SHOEBOX_ASSIGN(const bool queued, state_->change_job(content, remote, mark));
  if (!queued) return Status::ok();
  MutexLock lock(state_->mutex);
  State::Queue& queue = state_->queues[remote];
  if (queue.pending.contains(content)) queue.damaged.insert(content);
  return Status::ok();
}

void Outbox::State::count_no_more(const std::string& remote, ContentNo content) {
  MutexLock lock(mutex);
  Queue& queue = queues[remote];
  const auto counted = queue.pending.find(content);
  if (counted == queue.pending.end()) return;
  queue.pending_bytes -= counted->second;
  queue.pending.erase(counted);
  queue.damaged.erase(content);
}

Result<std::vector<DamagedOriginal>> Outbox::damaged_originals(const std::string& remote,
                                                               size_t limit) const {
  std::vector<ContentNo> contents;
  {
    MutexLock lock(state_->mutex);
    const auto queue = state_->queues.find(remote);
    if (queue == state_->queues.end()) return std::vector<DamagedOriginal>();
    contents.assign(queue->second.damaged.begin(), queue->second.damaged.end());
  }
  std::sort(contents.begin(), contents.end());
  if (contents.size() > limit) contents.resize(limit);
  std::vector<DamagedOriginal> originals;
  for (const ContentNo content : contents) {
    SHOEBOX_ASSIGN(const std::vector<InodeNo> inodes, state_->catalog.inodes_of_content(content));
    SHOEBOX_ASSIGN(const auto copies, state_->catalog.copies(content));
    std::string path;
    for (const InodeNo inode : inodes) {
      const Result<std::string> found = state_->tree.path_of(inode);
      if (found && (path.empty() || path.starts_with("Trash/"))) path = *found;
    }
    if (path.empty()) continue;
    originals.push_back(
        {std::move(path), fmt::format("{}, {}", kSpoiled, copies.empty() ? kNoCopy : kOtherCopy)});
  }
  return originals;
}

// Junk that is still empty has nothing that could be lost; it is told apart when somebody asks.
Status Outbox::State::look_kept_here(InodeNo number) {
  SHOEBOX_ASSIGN(const std::vector<NameOf> names, catalog.names_of(number));
  const bool kept = !names.empty() && std::all_of(names.begin(), names.end(),
                                                  [](const NameOf& name) { return is_junk(name.name); });
  if (!kept) {
    kept_here->erase(number);
    return Status::ok();
  }
  SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, catalog.inode(number));
  if (inode && S_ISREG(inode->mode)) kept_here->insert(number);
  return Status::ok();
}

void Outbox::State::note_kept_here(InodeNo inode) {
  MutexLock lock(mutex);
  if (!kept_here) return;
  if (const Status looked = look_kept_here(inode); !looked) {
    log::warning("outbox: counting what stays here: {}", looked.message());
    kept_here.reset();  // counted anew when somebody asks
  }
}

Result<Outbox::KeptHere> Outbox::kept_here() const {
  MutexLock lock(state_->mutex);
  if (!state_->kept_here) {
    // Under the mutex, so that what changes meanwhile is looked at behind this.
    std::vector<InodeNo> found;
    const std::string dentries = keys::table(keys::kDentry);
    SHOEBOX_TRY(state_->catalog.scan(dentries, dentries, [&](std::string_view key, std::string_view value) {
      if (!is_junk(keys::split(key, 1).rest)) return true;
      const auto dentry = decode_dentry(value);
      if (dentry && S_ISREG(dentry->type)) found.push_back(dentry->inode);
      return true;
    }));
    state_->kept_here.emplace();
    for (const InodeNo inode : found) SHOEBOX_TRY(state_->look_kept_here(inode));
  }
  KeptHere kept;
  for (const InodeNo number : *state_->kept_here) {
    SHOEBOX_ASSIGN(const std::optional<InodeRecord> inode, state_->catalog.inode(number));
    if (!inode || !inode->content) continue;
    SHOEBOX_ASSIGN(const bool version, held_by_version(state_->catalog, inode->content));
    if (version) continue;  // sent as former bytes of a photo
    ++kept.files;
    kept.bytes += inode->size;
  }
  return kept;
}

}  // namespace shoebox
