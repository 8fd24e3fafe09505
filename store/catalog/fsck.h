// Checks every cross-reference of the catalog, and repairs what can be told from the rest.
//
// Runs beside a mounted drive: rows are looked at without a lock first; a row that looks wrong is
// looked at again inside a transaction before it counts. A repair never erases a content: bytes
// that nothing names any more get a name in Library. Any thread; not a FUSE worker.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class Catalog;

struct FsckProblem {
  std::string what;  // one line: the object, and what is wrong with it
  bool repairable = false;
  bool repaired = false;
};

struct FsckReport {
  uint64_t rows = 0;
  std::vector<FsckProblem> problems;
  [[nodiscard]] uint64_t unrepaired() const;
};

struct FsckOptions {
  bool repair = false;
  // Whether the bytes of a content are on this disk as its record says. Empty: not checked.
  std::function<Result<bool>(ContentNo, const ContentRecord&)> has_files;
  std::function<void(uint64_t rows)> progress;  // now and then
};

Result<FsckReport> check_catalog(Catalog& catalog, const FsckOptions& options);

}  // namespace shoebox
