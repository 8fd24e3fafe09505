// What lies in the folder that is to be imported.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/clock.h"
#include "store/base/result.h"

namespace shoebox {

struct ImportSource {
  std::string path;  // below the folder
  uint64_t size = 0;
  Timestamp mtime;
  uint32_t mode = 0;
  // Which file it was, to see that it still is before --move deletes it.
  uint64_t device = 0, inode = 0;
};

// A folder that nothing may be imported from, by its whole path, and why.
struct LeftOut {
  std::string path;
  std::string why;
};

// Regular files, by path. Everything else, junk (name_class.h), hidden folders and those that `except` names,
// is told to `skip` with the reason. With `leave_backups` so is what a Shoebox backed up to, also another
// one.
Result<std::vector<ImportSource>> scan_source(
    const std::string& folder, const std::vector<LeftOut>& except, bool leave_backups,
    const CancelToken& cancel,
    const std::function<void(const std::string& path, const std::string& why)>& skip);

// The folder of a backup in which this one lies or which it is; empty: none is known. `remotes`: folders that
// are backed up to, encrypted ones too, which cannot be told by what is in them.
std::string backup_around(const std::string& folder, const std::vector<std::string>& remotes);

}  // namespace shoebox
