// Bytes that had left this disk come again by another way than a remote: somebody copied the same photo in.
// They are not dropped as known ones: what is known of them may be a copy that a remote lost.
#pragma once

#include "store/base/ids.h"
#include "store/base/result.h"

namespace shoebox {

class Catalog;
class ContentStore;
class Outbox;

// Makes `content`, which has left this disk, whole again from `fd`, an open file with its bytes (each block
// is checked), and queues the upload to remotes whose copy is known to be lost. Ok when there is nothing to
// do. Reads and writes all of it; on any thread, with no transaction open.
Status bring_back(Catalog& catalog, ContentStore& contents, Outbox& outbox, ContentNo content, int fd);

}  // namespace shoebox
