// Names that a view took away because another name was removed: sidecars with their photo, and the folders of
// Dates with the last name in them.
//
// `rm -r Dates/2023/07` lists the folder and then removes what it listed, and the folder at last. The
// sidecar's row leaves the folder together with the photo, and the folder with its last row, so rm would be
// told that they are not there, and fail. For a few seconds the program that removed the photo, and no other,
// still finds the name and may remove it, which does nothing more; what it puts into such a folder makes the
// folder stand again (tree_departed.cpp). Nothing of this is in the catalog. Threads: any; a leaf mutex.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "store/base/clock.h"
#include "store/base/ids.h"
#include "store/base/mutex.h"
#include "store/catalog/records.h"

namespace shoebox {

class DepartedNames {
 public:
  struct Departed {
    InodeNo inode;
    InodeRecord record;  // as it was: the catalog may have none any more
  };
  void note(InodeNo directory, std::string_view name, Departed departed, uint32_t pid, Clock::Steady now);
  // What had this name, if `pid` is who took it away.
  [[nodiscard]] std::optional<Departed> find(InodeNo directory, std::string_view name, uint32_t pid,
                                             Clock::Steady now) const;
  // The same by its number, with its name: what such a program asks of a folder on its way down.
  [[nodiscard]] std::optional<std::pair<NameOf, InodeRecord>> find(InodeNo inode, uint32_t pid,
                                                                   Clock::Steady now) const;
  // Whether it had this name; it is not found again.
  bool take(InodeNo directory, std::string_view name, uint32_t pid, Clock::Steady now);

 private:
  struct Kept {
    Departed what;
    uint32_t pid = 0;
    Clock::Steady until;
    [[nodiscard]] bool is_for(uint32_t asker, Clock::Steady now) const { return pid == asker && until > now; }
  };
  mutable Mutex mutex_;
  std::map<NameOf, Kept> names_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
