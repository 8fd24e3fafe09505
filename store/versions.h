// Older bytes of a photo: which there are, where they lie, and bringing some back.
// Threads: any; nothing here waits for the network.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class CatalogReader;
class Library;

struct FileVersion {
  ContentNo content;   // its number is what people name the version by
  int64_t time_s = 0;  // of the present bytes: when they were written; of older ones: when they were replaced
  uint64_t size = 0;
  bool current = false;
  bool local = false;                // whole on this disk
  std::vector<std::string> remotes;  // that hold a confirmed copy
};

// The present bytes of a file first, then the older ones, newest first. Older bytes are kept of photos
// and videos, for `keep` of the settings.
Result<std::vector<FileVersion>> versions_of(const CatalogReader& reader, InodeNo file);

// `version` becomes the bytes of `file`, in one batch; the present ones become a version. kBusy: the
// file is open, or the version is not hashed yet. kNotFound: no such version of it.
Status restore_version(Library& library, InodeNo file, ContentNo version);

}  // namespace shoebox
