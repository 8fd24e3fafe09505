// Brings a catalog up to date with one that another machine writes: rows of its backup are put over those
// that stand here, as one transaction, with their indexes. What belongs to this disk (whether bytes are
// here, pins, access times) stays.
//
// Any thread; takes the catalog's writer lock. Observers hear of every name and attribute that changed.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "store/base/result.h"

namespace shoebox {

class Catalog;

namespace backup {

// Key to value; no value: the row was erased.
using Rows = std::map<std::string, std::optional<std::string>>;

// Adds what a segment holds. kDataLoss: it is damaged, and `rows` may hold a part of it.
Status read_rows(std::string_view segment_file, Rows& rows);
// `rows` is the whole of a catalog: rows that stand here and are not in it get erased.
Status add_erasures(const Catalog& catalog, Rows& rows);
Status apply_rows(Catalog& catalog, const Rows& rows);

}  // namespace backup
}  // namespace shoebox
