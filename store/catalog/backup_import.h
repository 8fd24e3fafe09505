// Makes a new catalog from the segments of a backup. Nothing else has it open meanwhile; a folder that
// was left half made is made anew.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/base/result.h"

namespace shoebox {

class Db;

class CatalogImport {
 public:
  // A fresh catalog in the folder `path`, which must not hold one.
  static Result<std::unique_ptr<CatalogImport>> create(const std::string& path);
  ~CatalogImport();

  // Snapshot and journal, in the order of the head. All of a segment or, when it is damaged, nothing.
  Status add(std::string_view segment_file);
  // Makes the indexes; changes are counted on from `sequence`. Durable when it returns; the catalog is
  // closed then.
  Status finish(uint64_t sequence);
  [[nodiscard]] uint64_t rows() const { return rows_; }

 private:
  explicit CatalogImport(std::unique_ptr<Db> db);
  Status make_indexes();
  std::unique_ptr<Db> db_;
  uint64_t rows_ = 0;
};

}  // namespace shoebox
