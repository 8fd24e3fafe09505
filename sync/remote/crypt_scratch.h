// Where an original stands encrypted while it is sent: a file without a name, on a disk. It is gone with
// its descriptor, also after a crash. Memory holds a small one when no disk has room: else a disk full of
// what is not backed up yet could never be relieved by backing it up.
//
// Threads: any.
#pragma once

#include <functional>
#include <string>

#include "store/base/file_io.h"
#include "store/base/result.h"

namespace shoebox {

struct CryptScratch {
  // Tried first; empty: only $TMPDIR (or /var/tmp).
  std::string folder;
  // Frees about so many bytes below `folder`, and tells how many; may be empty.
  std::function<uint64_t(uint64_t)> make_room;

  // A file of `bytes` bytes for which the room is taken already, so that writing it does not fill the
  // disk under those who take photos in. kBusy: there is no room now; other, smaller ones may have it.
  [[nodiscard]] Result<UniqueFd> make(uint64_t bytes) const;
};

}  // namespace shoebox
