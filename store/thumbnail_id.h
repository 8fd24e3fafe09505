// Under which hash the thumbnails of a content are kept: that of its bytes, and as long as nobody has read
// all of them one made of its number, which belongs to this library alone. Pure; any thread.
#pragma once

#include "store/base/ids.h"
#include "store/catalog/records.h"

namespace shoebox {

ContentHash thumbnail_id(ContentNo number, const ContentRecord& content);

}  // namespace shoebox
