// Takes out of a rebuilt catalog what no remote has: files that were written too late to be backed up.
// A name whose bytes are nowhere would only fail to be read, and keep an rsync from sending it again.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/base/result.h"

namespace shoebox {

class Catalog;

struct Pruned {
  std::vector<std::string> lost;   // paths below the mount point
  std::vector<std::string> older;  // paths that show the bytes from before an edit that was not backed up
};

// One transaction a content. Nothing else has the catalog open.
Result<Pruned> drop_without_copies(Catalog& catalog);

}  // namespace shoebox
