// What a rebuild is asked for and what came of it. The store declares it so that the command line need
// not know sync/, which does it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/cancel.h"
#include "store/settings.h"

namespace shoebox {

// In LIBRARY while a rebuild is under way.
inline constexpr const char* kRebuildFolder = "rebuild";

struct RebuildPlan {
  std::string library;        // absolute path; made when it is not there
  RemoteSettings remote;      // its name is the backup's to say
  std::string id;             // which library's backup; empty: the one with the most originals
  bool catalog_only = false;  // kNotFound where no copy of the catalog can be used, whatever else is there
  CancelToken cancel;
  // What is being done, how far it is (total 0: not known), and lines that a person shall read.
  std::function<void(std::string_view text, uint64_t done, uint64_t total)> progress;
  std::function<void(const std::string& line)> note;
};

struct RebuildResult {
  std::string remote;              // its name in the library
  int64_t backed_up_s = 0;         // when the backup was made
  uint64_t originals = 0;          // that the remote has
  uint64_t thumbnails = 0;         // that were fetched
  uint64_t requests = 0;           // for the catalog and the thumbnails, by this run
  uint64_t received_bytes = 0;     // likewise
  std::vector<std::string> lost;   // paths of files that were not backed up yet
  std::vector<std::string> older;  // paths that show the bytes from before an edit
  bool resumed = false;            // the catalog was in place already
  std::vector<std::string> to_do;  // by the owner, until the settings work as they did
  // Parts of that copy that are damaged or missing; then what it lacks is still to be taken from the objects
  // there (AdoptRequest::mend).
  uint64_t damaged = 0;
  // Why the copy of the catalog cannot be used: the folder is prepared for the library to be made from the
  // keys there. Empty: it was made from that copy.
  std::string no_catalog;
  std::string library_id;  // then: the id of the library that was backed up there, as far as that tells it
};

}  // namespace shoebox
