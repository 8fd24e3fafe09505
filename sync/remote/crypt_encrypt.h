// Encrypts a local file into a scratch file, so that any remote can send it as often as it needs to.
#pragma once

#include "store/base/ids.h"
#include "sync/remote/crypt_blocks.h"
#include "sync/remote/crypt_scratch.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct EncryptedFile {
  UniqueFd fd;
  uint64_t size = 0;
  ContentHash sha256;  // of the encrypted bytes
};

// The bytes of `fd` (options.size from 0), sealed under `nonce`. kDataLoss when they are not those of
// options.sha256: nothing of it may be sent then, as two texts under one nonce would give both away.
// Threads: any; blocks on the disk, looks at cancel and deadline between pieces.
Result<EncryptedFile> encrypt_file(const CryptKeys& keys, const CryptNonce& nonce, int fd,
                                   const PutOptions& options, const std::string& key,
                                   const CryptScratch& scratch, const RequestContext& context);

}  // namespace shoebox
