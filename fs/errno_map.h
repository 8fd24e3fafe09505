// The errno that programs see for each Code. The only place where one becomes the other.
#pragma once

#include "store/base/result.h"

namespace shoebox {

// Positive; 0 for kOk.
int errno_of(Code code);

}  // namespace shoebox
