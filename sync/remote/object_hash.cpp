#include "sync/remote/object_hash.h"

#include "store/base/hash.h"

namespace shoebox {

Result<ContentHash> hash_object(Remote& remote, const std::string& key, uint64_t size,
                                const std::string& etag, const RequestContext& context) {
  Sha256 hash;
  const auto sink = [&hash](std::string_view piece) {
    hash.update(piece.data(), piece.size());
    return Status::ok();
  };
  if (size > 0) SHOEBOX_TRY(remote.get(key, {0, size}, etag, sink, context));
  return hash.finish();
}

}  // namespace shoebox
