#include "store/tree/set_aside_names.h"

#include <utility>

namespace shoebox {
namespace {

// From the setting aside to the new file: editors do both at once. A person who renames a picture and copies
// another to its name in one file manager, or through one file server, takes longer.
constexpr std::chrono::seconds kUntilSuccessor{10};
// From the making of the new file to its first bytes, of a large video too.
constexpr std::chrono::seconds kUntilBytes{600};
constexpr size_t kMostSetAside = 10'000;

}  // namespace

void SetAsideNames::note(const NameOf& former, SetAside file, uint32_t pid, Clock::Steady now) {
  if (pid == 0) return;
  const MutexLock lock(mutex_);
  if (names_.size() >= kMostSetAside)
    std::erase_if(names_, [&](const auto& entry) { return entry.second.until <= now; });
  if (names_.size() >= kMostSetAside) return;
  names_[former] = {std::move(file), pid, now + kUntilSuccessor, InodeNo{}, false};
}

void SetAsideNames::begun(const NameOf& former, InodeNo successor, uint32_t pid, Clock::Steady now) {
  const MutexLock lock(mutex_);
  if (names_.empty()) return;
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

std::optional<SetAsideNames::SetAside> SetAsideNames::find(const NameOf& former, uint32_t pid,
                                                           Clock::Steady now) const {
  const MutexLock lock(mutex_);
  if (names_.empty()) return std::nullopt;
  const auto entry = names_.find(former);
  if (entry == names_.end()) return std::nullopt;
  const Kept& kept = entry->second;
  if (kept.saved || kept.until <= now || kept.pid != pid) return std::nullopt;
  return kept.file;
}

std::optional<SetAsideNames::SetAside> SetAsideNames::find(const NameOf& former, InodeNo successor,
                                                           Clock::Steady now) const {
  const MutexLock lock(mutex_);
  if (names_.empty()) return std::nullopt;
  const auto entry = names_.find(former);
  if (entry == names_.end()) return std::nullopt;
  const Kept& kept = entry->second;
  if (kept.saved || kept.until <= now || !successor || kept.successor != successor) return std::nullopt;
  return kept.file;
}

void SetAsideNames::saved(const NameOf& former) {
  const MutexLock lock(mutex_);
  const auto entry = names_.find(former);
  if (entry != names_.end()) entry->second.saved = true;
}

bool SetAsideNames::made(const NameOf& backup_copy, InodeNo inode, uint32_t pid, Clock::Steady now) const {
  const MutexLock lock(mutex_);
  for (const auto& [former, kept] : names_) {
    if (former.directory == backup_copy.directory && kept.file.name == backup_copy.name &&
        kept.file.inode == inode)
      return kept.saved && kept.pid == pid && kept.until > now;
  }
  return false;
}

}  // namespace shoebox
