#include "store/tree/set_aside_names.h"

#include <utility>

#include "store/tree/recent_names.h"

namespace shoebox {
namespace {

// From the setting aside to the new file: editors do both at once. A person who renames a picture and copies
// another to its name in one file manager, or through one file server, takes longer.
constexpr std::chrono::seconds kUntilSuccessor{10};
// From the making of the new file to its first bytes, of a large video too.
constexpr std::chrono::seconds kUntilBytes{600};

}  // namespace

void SetAsideNames::note(const NameOf& former, SetAside file, uint32_t pid, Clock::Steady now) {
  if (pid == 0) return;
  const MutexLock lock(mutex_);
  if (!has_room(names_, now)) return;
  names_[former] = {std::move(file), pid, now + kUntilSuccessor, InodeNo{}, false};
}

void SetAsideNames::begun(const NameOf& former, InodeNo successor, uint32_t pid, Clock::Steady now) {
  const MutexLock lock(mutex_);
  const auto entry = names_.find(former);
  if (entry == names_.end()) return;
  Kept& kept = entry->second;
  if (kept.saved || kept.until <= now || kept.pid != pid) {
    names_.erase(entry);  // somebody else's file has the name now
    return;
  }
  kept.successor = successor;
  kept.until = now + kUntilBytes;
}

const SetAsideNames::Kept* SetAsideNames::waiting(const NameOf& former, Clock::Steady now) const {
  const auto entry = names_.find(former);
  if (entry == names_.end() || entry->second.saved || entry->second.until <= now) return nullptr;
  return &entry->second;
}

std::optional<SetAsideNames::SetAside> SetAsideNames::find(const NameOf& former, uint32_t pid,
                                                           Clock::Steady now) const {
  const MutexLock lock(mutex_);
  const Kept* const kept = waiting(former, now);
  return kept != nullptr && kept->pid == pid ? std::optional(kept->file) : std::nullopt;
}

std::optional<SetAsideNames::SetAside> SetAsideNames::find(const NameOf& former, InodeNo successor,
                                                           Clock::Steady now) const {
  const MutexLock lock(mutex_);
  const Kept* const kept = waiting(former, now);
  const bool its = kept != nullptr && successor && kept->successor == successor;
  return its ? std::optional(kept->file) : std::nullopt;
}

void SetAsideNames::saved(const NameOf& former) {
  const MutexLock lock(mutex_);
  const auto entry = names_.find(former);
  if (entry != names_.end()) entry->second.saved = true;
}

bool SetAsideNames::made(const NameOf& backup_copy, InodeNo inode, uint32_t pid, Clock::Steady now) const {
  const MutexLock lock(mutex_);
  // Those of the folder: each name that is removed there asks.
  for (auto at = names_.lower_bound({backup_copy.directory, {}});
       at != names_.end() && at->first.directory == backup_copy.directory; ++at) {
    const Kept& kept = at->second;
    if (kept.file.name == backup_copy.name && kept.file.inode == inode)
      return kept.saved && kept.pid == pid && kept.until > now;
  }
  return false;
}

}  // namespace shoebox
