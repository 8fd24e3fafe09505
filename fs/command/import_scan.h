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

// Regular files, by path. Everything else, junk (name_class.h), hidden folders and the folders that
// `except` names by their whole path, is told to `skip` with the reason.
Result<std::vector<ImportSource>> scan_source(
    const std::string& folder, const std::vector<std::string>& except, const CancelToken& cancel,
    const std::function<void(const std::string& path, const std::string& why)>& skip);

}  // namespace shoebox
