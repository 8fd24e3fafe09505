// Known bytes come again by another way than a remote: somebody copied the same photo in. They are not
// dropped before those that are known were looked at: these may have left this disk for a remote that lost
// them, or the disk may have spoiled them.
#pragma once

#include <cstdint>
#include <functional>

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Outbox;

// Makes `content` whole again from `fd`, an open file with its bytes (each block is checked), where it has
// left this disk or is rotten, and queues the upload to remotes whose copy is known to be lost. Ok when there
// is nothing to do; else it is whole here, or the Status says why not. Reads all of it, and asks `go_on`
// before each block; on any thread, with no transaction open.
Status bring_back(Catalog& catalog, ContentStore& contents, Outbox& outbox, ContentNo content, int fd,
                  const std::function<Status(uint64_t blocks_read)>& go_on);

}  // namespace shoebox
