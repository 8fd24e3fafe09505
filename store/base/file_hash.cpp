#include "store/base/file_hash.h"

#include <vector>

#include "store/base/file_io.h"
#include "store/base/hash.h"

namespace shoebox {

Result<ContentHash> sha256_of_file(int fd, const CancelToken& cancel) {
  Sha256 hash;
  std::vector<char> piece(1 << 20);  // large enough for full disk speed, small enough to be interrupted
  for (uint64_t at = 0;;) {
    if (cancel.cancelled()) return Status(Code::kCancelled, "interrupted");
    SHOEBOX_ASSIGN(const size_t bytes, pread_full(fd, piece.data(), piece.size(), at));
    hash.update(piece.data(), bytes);
    at += bytes;
    if (bytes < piece.size()) return hash.finish();
  }
}

}  // namespace shoebox
