// The hashes that S3 wants with a body: SHA-256 for the signature, MD5 for Content-MD5 and ETags.
#pragma once

#include <string>

#include "store/base/hash.h"
#include "store/base/ids.h"
#include "sync/remote/remote.h"

namespace shoebox {

// An MD5 that is fed piece by piece. Not thread-safe.
class Md5 {
 public:
  Md5();
  ~Md5();
  Md5(const Md5&) = delete;
  Md5& operator=(const Md5&) = delete;
  void update(const void* data, size_t bytes);
  std::string finish();  // 16 bytes; the object starts anew

 private:
  void* context_;  // EVP_MD_CTX
};

struct BodyDigests {
  ContentHash sha256;
  std::string md5;  // 16 bytes
};

BodyDigests digest_bytes(std::string_view bytes);
// Reads the range of the file once. `whole` is fed the same bytes when not null. kDataLoss when the
// file is shorter.
Result<BodyDigests> digest_range(int fd, ByteRange range, Sha256* whole, const RequestContext& context);

std::string md5(std::string_view bytes);
std::string base64(std::string_view bytes);

}  // namespace shoebox
