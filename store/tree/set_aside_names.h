// Files that a program has just set aside under the name of a backup copy: x.jpg as x.jpg_original
// (ExifTool), x.jpg~ (vim) or x.jpg.bak.
//
// What that program, and no other, then puts under the name x.jpg is the same photo, saved anew. By the names
// alone this could not be told: `mv x.jpg x.jpg.bak; cp /card/x.jpg .` puts another picture there, which must
// not get what was said about the first. Nothing of this is in the catalog: a save takes seconds. Threads:
// any; a leaf mutex.
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

class SetAsideNames {
 public:
  struct SetAside {
    InodeNo inode;
    std::string name;  // of the backup copy, in the same folder
  };
  // A pid of 0 is nobody that can be told from others: nothing is remembered for it, nor found.
  void note(const NameOf& former, SetAside file, uint32_t pid, Clock::Steady now);
  // The new file was made under the former name: if `pid` is who set the old one aside, it is its successor.
  void begun(const NameOf& former, InodeNo successor, uint32_t pid, Clock::Steady now);
  // What `pid` set aside, which had this name.
  [[nodiscard]] std::optional<SetAside> find(const NameOf& former, uint32_t pid, Clock::Steady now) const;
  // The same by the successor: whoever writes its bytes, it was made by the program that set the old one
  // aside.
  [[nodiscard]] std::optional<SetAside> find(const NameOf& former, InodeNo successor,
                                             Clock::Steady now) const;
  // The photo went on with the new file: nothing else is its successor.
  void saved(const NameOf& former);
  // Whether `pid` made this backup copy and saved the photo anew.
  [[nodiscard]] bool made(const NameOf& backup_copy, InodeNo inode, uint32_t pid, Clock::Steady now) const;

 private:
  struct Kept {
    SetAside file;
    uint32_t pid = 0;
    Clock::Steady until;
    InodeNo successor;
    bool saved = false;
  };
  // What had this name and waits for its successor; null: nothing.
  [[nodiscard]] const Kept* waiting(const NameOf& former, Clock::Steady now) const REQUIRES(mutex_);

  mutable Mutex mutex_;
  std::map<NameOf, Kept> names_ GUARDED_BY(mutex_);
};

}  // namespace shoebox
