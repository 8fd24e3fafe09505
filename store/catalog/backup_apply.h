// Brings a catalog up to date with one that another machine writes: rows of its backup are put over those
// that stand here, with their indexes. What belongs to this disk (whether bytes are here, pins, access times)
// stays.
//
// Few rows are one transaction. Many are several, so that memory is bounded: what a name refers to is there
// before the name, and a file that got another name is never without one.
//
// Any thread; takes the catalog's writer lock. Observers hear of every name and attribute that changed.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "store/base/cancel.h"
#include "store/base/ids.h"
#include "store/base/result.h"
#include "store/catalog/backup_staged.h"

namespace shoebox {

class Catalog;
class Transaction;

namespace backup {

struct Apply {
  bool whole = false;  // the rows are all of a catalog: those that stand here and are not in it get erased
  // Joins the first transaction when it is not the only one: from then on the catalog shows no state that the
  // other machine was in, until apply_rows() is done.
  std::function<void(Transaction&)> in_parts;
  // Contents that get other bytes than those known here under their numbers: what this disk has of them is to
  // be let go of before they are committed, and what it returns is kept until they are. May be empty.
  std::function<Result<std::shared_ptr<void>>(const std::vector<ContentNo>&)> replacing;
  CancelToken cancel;
  // Of one transaction, which needs several times as much.
  size_t most_rows = 16'384;
  size_t most_bytes = 8 << 20;
};

// The same again goes on where it was broken off.
Status apply_rows(Catalog& catalog, StagedRows& rows, const Apply& how);

}  // namespace backup
}  // namespace shoebox
