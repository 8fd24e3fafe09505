// Copies that are not taken on trust any more: the remote is at another place, or was put back to an older
// state of itself. What is whole on this disk is sent (or found) there again before it counts as backed up,
// and so are sidecars. Of originals that left this disk the record is all there is, and stays.
#pragma once

#include <cstdint>
#include <string>

#include "store/base/result.h"

namespace shoebox {

class Catalog;
class Outbox;

struct DoubtfulCopies {
  uint64_t checked_again = 0;
  uint64_t only_there = 0;  // nothing but reading them there tells
};

// Not synced. The same again does no harm.
Result<DoubtfulCopies> doubt_copies(Catalog& catalog, Outbox& outbox, const std::string& remote);

}  // namespace shoebox
