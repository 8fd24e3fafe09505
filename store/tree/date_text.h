// A date at capture as people and XMP write it.
#pragma once

#include <string>

#include "store/catalog/records.h"

namespace shoebox {

// ISO 8601 as far as it is known, as XMP dates are: "2023", "2023-07", "2023-07-14", "2023-07-14T10:11:12".
std::string date_text(const LocalDate& date);

}  // namespace shoebox
