// Earlier names of people. Files go on saying "Ana" after People/Ana became People/Anna; what they say
// is read as the new name, until somebody makes a person called Ana again.
//
// Kept in the catalog's meta table: "person/EARLIER" -> the name now; empty: the name stands for
// itself. Inside the caller's transaction.
#pragma once

#include <string_view>
#include <vector>

#include "store/base/result.h"
#include "store/catalog/records.h"

namespace shoebox {

class CatalogReader;
class Transaction;

// From now on `earlier` means `now`, and so does every name that meant `earlier`.
Status remember_person_renamed(Transaction& txn, std::string_view earlier, std::string_view now);
// The name means a person of its own.
Status forget_earlier_name(Transaction& txn, std::string_view name);
// The names as they are now, each once.
Status use_present_names(const CatalogReader& reader, std::vector<std::string>& people);

}  // namespace shoebox
