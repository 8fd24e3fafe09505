#include "store/thumbnail_id.h"

#include <fmt/format.h>

#include "store/base/hash.h"

namespace shoebox {

ContentHash thumbnail_id(ContentNo number, const ContentRecord& content) {
  if (content.state != ContentState::kAdopted) return content.sha256;
  return sha256(fmt::format("shoebox: adopted content {}", number.value));
}

}  // namespace shoebox
