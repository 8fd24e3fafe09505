// Takes the bytes of an encrypted object as they come and gives the plain ones of a range, block by
// block, each only after it proved to be the one that was sealed there.
//
// One reader serves one request of one thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "store/base/ids.h"
#include "sync/remote/crypt_blocks.h"

namespace shoebox {

class CryptReader {
 public:
  using Sink = std::function<Status(std::string_view)>;

  // `range` of plain bytes, not empty. Without `nonce` the bytes to come begin with the header.
  CryptReader(const CryptKeys& keys, std::optional<CryptNonce> nonce, ByteRange range, const Sink& sink);

  // What to ask the remote for. A range that does not end with a block is taken to end with the object.
  [[nodiscard]] ByteRange sealed_range() const;
  // The same with the whole of the last block: for ranges that do not end with the object.
  [[nodiscard]] ByteRange whole_blocks() const;

  Status take(std::string_view sealed);
  // No more bytes come: what is left is the last block.
  Status finish();

  [[nodiscard]] const std::optional<CryptNonce>& nonce() const { return nonce_; }
  [[nodiscard]] uint64_t given() const { return given_; }  // plain bytes that went to the sink
  // Why take() or finish() failed: the sink's reason or kDataLoss. Remotes may tell it in other words.
  [[nodiscard]] const Status& failure() const { return failure_; }

 private:
  Status take_block(std::string_view sealed);
  Status fail(Status why);

  const CryptKeys& keys_;
  std::optional<CryptNonce> nonce_;
  const ByteRange range_;
  const Sink& sink_;
  const bool has_header_;
  uint64_t block_;  // the next one
  uint64_t given_ = 0;
  std::string held_;  // of a block that is not whole yet
  Status failure_;
};

}  // namespace shoebox
