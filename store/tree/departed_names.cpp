#include "store/tree/departed_names.h"

namespace shoebox {
namespace {

// From the removal of a photo to that of the sidecar listed behind it, in a large folder.
constexpr std::chrono::seconds kKept{30};
constexpr size_t kMost = 10'000;

}  // namespace

void DepartedNames::note(InodeNo directory, std::string_view name, InodeNo inode, uint32_t pid,
                         Clock::Steady now) {
  const MutexLock lock(mutex_);
  if (names_.size() >= kMost)
    std::erase_if(names_, [&](const auto& entry) { return entry.second.until <= now; });
  if (names_.size() >= kMost) return;
  names_[{directory, std::string(name)}] = {inode, pid, now + kKept};
}

std::optional<InodeNo> DepartedNames::find(InodeNo directory, std::string_view name, uint32_t pid,
                                           Clock::Steady now) const {
  const MutexLock lock(mutex_);
  if (names_.empty()) return std::nullopt;
  const auto entry = names_.find({directory, std::string(name)});
  if (entry == names_.end() || entry->second.pid != pid || entry->second.until <= now) return std::nullopt;
  return entry->second.inode;
}

bool DepartedNames::take(InodeNo directory, std::string_view name, uint32_t pid, Clock::Steady now) {
  if (!find(directory, name, pid, now)) return false;
  const MutexLock lock(mutex_);
  return names_.erase({directory, std::string(name)}) > 0;
}

}  // namespace shoebox
