// The id of a library: random, made when it is first needed, carried by its backups.
#pragma once

#include <string>

#include "store/base/result.h"

namespace shoebox {

class Catalog;

// Any thread. Takes the catalog's writer lock when there is none yet.
Result<std::string> library_id(Catalog& catalog);

// Goes on as the library of that id, when this one has no id yet.
Status take_library_id(Catalog& catalog, const std::string& id);

}  // namespace shoebox
