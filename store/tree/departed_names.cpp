#include "store/tree/departed_names.h"

#include <sys/stat.h>

#include "store/tree/recent_names.h"

namespace shoebox {
namespace {

// From the removal of a photo to that of the sidecar listed behind it, in a large folder.
constexpr std::chrono::seconds kKept{30};
// A folder is removed right after its last name; who wants to make it anew instead waits no longer than this.
constexpr std::chrono::seconds kFolderKept{5};

}  // namespace

void DepartedNames::note(InodeNo directory, std::string_view name, Departed departed, uint32_t pid,
                         Clock::Steady now) {
  const MutexLock lock(mutex_);
  if (!has_room(names_, now)) return;
  const Clock::Steady until = now + (S_ISDIR(departed.record.mode) ? kFolderKept : kKept);
  names_[{directory, std::string(name)}] = {std::move(departed), pid, until};
}

std::optional<DepartedNames::Departed> DepartedNames::find(InodeNo directory, std::string_view name,
                                                           uint32_t pid, Clock::Steady now) const {
  const MutexLock lock(mutex_);
  if (names_.empty()) return std::nullopt;
  const auto entry = names_.find({directory, std::string(name)});
  if (entry == names_.end() || !entry->second.is_for(pid, now)) return std::nullopt;
  return entry->second.what;
}

std::optional<std::pair<NameOf, InodeRecord>> DepartedNames::find(InodeNo inode, uint32_t pid,
                                                                  Clock::Steady now) const {
  const MutexLock lock(mutex_);
  for (const auto& [name, kept] : names_)
    if (kept.what.inode == inode && kept.is_for(pid, now)) return std::pair(name, kept.what.record);
  return std::nullopt;
}

bool DepartedNames::take(InodeNo directory, std::string_view name, uint32_t pid, Clock::Steady now) {
  if (!find(directory, name, pid, now)) return false;
  const MutexLock lock(mutex_);
  return names_.erase({directory, std::string(name)}) > 0;
}

}  // namespace shoebox
