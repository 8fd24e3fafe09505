#include "sync/library_id.h"

#include "store/catalog/backup_head.h"
#include "store/catalog/catalog.h"
#include "store/catalog/keys.h"
#include "sync/owner_record.h"

namespace shoebox {

Result<std::string> library_id(Catalog& catalog) {
  SHOEBOX_ASSIGN(const std::optional<std::string> known, catalog.meta(keys::kMetaLibraryId));
  if (known && backup::is_library_id(*known)) return *known;
  const std::unique_ptr<Transaction> txn = catalog.begin();
  // Another remote's thread may have been first.
  SHOEBOX_ASSIGN(const std::optional<std::string> again, txn->meta(keys::kMetaLibraryId));
  if (again && backup::is_library_id(*again)) return *again;
  SHOEBOX_ASSIGN(std::string id, new_owner_id());
  txn->put_meta(keys::kMetaLibraryId, id);
  SHOEBOX_TRY(txn->commit());
  return id;
}

Status take_library_id(Catalog& catalog, const std::string& id) {
  if (!backup::is_library_id(id)) return Status::ok();
  const std::unique_ptr<Transaction> txn = catalog.begin();
  SHOEBOX_ASSIGN(const std::optional<std::string> known, txn->meta(keys::kMetaLibraryId));
  if (known && backup::is_library_id(*known)) return Status::ok();
  txn->put_meta(keys::kMetaLibraryId, id);
  return txn->commit();
}

}  // namespace shoebox
