// Names of sidecars that a view took away because their photo's name was removed.
//
// `rm -r Albums/Trip` lists the folder and then removes what it listed. The sidecar's row leaves
// the folder together with the photo, so rm would be told that the file is not there, and fail. For
// a few seconds the program that removed the photo, and no other, still finds the name and may remove
// it, which does nothing more. Nothing of this is in the catalog.
// Threads: any; a leaf mutex.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/mutex.h"
#include "store/catalog/records.h"

namespace shoebox {

class DepartedNames {
 public:
  void note(InodeNo directory, std::string_view name, InodeNo inode, uint32_t pid, Clock::Steady now);
  // The sidecar that had this name, if `pid` is who took it away.
  [[nodiscard]] std::optional<InodeNo> find(InodeNo directory, std::string_view name, uint32_t pid,
                                            Clock::Steady now) const;
  // The same, once.
  bool take(InodeNo directory, std::string_view name, uint32_t pid, Clock::Steady now);

 private:
  struct Departed {
    InodeNo inode;
    uint32_t pid = 0;
    Clock::Steady until;
  };
  mutable Mutex mutex_;
  std::map<NameOf, Departed> names_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
