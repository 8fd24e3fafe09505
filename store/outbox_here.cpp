// What of the library is on this disk only, and stays so: originals that the disk spoiled before they were sent.
#include <fmt/format.h>

#include <algorithm>

#include "store/outbox_state.h"
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

}  // namespace shoebox
