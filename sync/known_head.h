// What the catalog remembers of its backup on a remote: by it a library tells its own backup from one
// that somebody else made. One row of the catalog, "backup/NAME" (BACKUP.md).
//
// Threads: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "store/base/result.h"
#include "store/catalog/backup_head.h"

namespace shoebox {

class CatalogReader;
class Transaction;

struct KnownHead {
  std::string intended;              // SHA-256 in hex of a head that may be there, or "-"
  std::optional<backup::Head> head;  // the one that was confirmed last
  // Whether this is the one confirmed last, or one whose answer was lost.
  [[nodiscard]] bool is(const backup::Head& found) const;
};

// Nothing known: neither is set.
Result<KnownHead> known_head(const CatalogReader& catalog, std::string_view remote);
void put_known_head(Transaction& txn, std::string_view remote, const KnownHead& known);

// A head that this library did not make and yet goes on from: a rebuild took what could be read of it, or
// its owner gave it up.
Result<bool> is_accepted_head(const CatalogReader& catalog, std::string_view remote,
                              const backup::Head& head);
void accept_head(Transaction& txn, std::string_view remote, const backup::Head& head);

}  // namespace shoebox
