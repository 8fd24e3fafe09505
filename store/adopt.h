// What adopting the objects of a remote is asked for, and what came of it. The store declares it so that
// the command line need not know sync/, which does it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shoebox {

struct AdoptRequest {
  std::string remote;            // its name
  std::string into = "Library";  // folder of the drive, Library or below it
  bool own_times = false;        // its times are those that programs gave the files, not those of arrival
  bool dry_run = false;          // only list and tell
  bool read_all = false;         // then read every object whole, so that its hashes are known
  // The catalog is lost: only what stands under Library/ and short keys, and what the owner said about it is
  // taken from the sidecars that Shoebox wrote.
  bool rebuild = false;
  // Likewise where a part of the catalog is lost: what it has stays, and what the objects and the sidecars
  // that it does not know tell is newer. With `rebuild`.
  bool mend = false;
  std::string library_id;  // of a rebuild: the id that the lost catalog had there; empty: it is not known
};

struct AdoptReport {
  uint64_t listed = 0;                          // objects, but for Shoebox's own
  uint64_t already = 0;                         // of those, in the library before
  uint64_t photos = 0, videos = 0, others = 0;  // taken in, by their names
  uint64_t changed = 0;                         // of those, replaced on the remote since
  uint64_t skipped = 0;                         // hidden and temporary files, keys that are no paths
  uint64_t failed = 0;
  uint64_t statements = 0;  // sidecars of Shoebox's own that were read; to mend: that told what was not known
  uint64_t moved = 0;       // to mend: originals that stand under another key by now
  uint64_t original_bytes = 0;  // of all objects that are in the library now
  uint64_t requests = 0;
  uint64_t received_bytes = 0;
  struct Finding {
    std::string key, what, why;
  };
  std::vector<Finding> findings;  // what failed, was skipped or got another name; the first 10,000
};

}  // namespace shoebox
