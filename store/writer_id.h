// LIBRARY/writer: tells this library directory from every other one that holds the same library, such as
// one that was rebuilt from a backup. Remotes are written to by one of them at a time.
//
// The file is not copied with what it says: it names its own inode number, so that a copy of the
// directory gets an id of its own.
#pragma once

#include <string>

#include "store/base/result.h"

namespace shoebox {

// 32 hex digits; made, durably, where there is none that belongs to this directory. REQUIRES: the library's
// lock is held.
Result<std::string> writer_id(const std::string& library);

}  // namespace shoebox
