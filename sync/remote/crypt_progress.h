// The progress of an upload to an encrypted remote: the nonce, so that what was sent and what is still to
// be sent come from one encryption, then the progress of the remote below.
//
// Pure functions; any thread.
#pragma once

#include <string>

#include "sync/remote/crypt_blocks.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct CryptProgress {
  CryptNonce nonce;
  std::string below;  // of the remote below the encryption

  // What of a saved progress can be used for these bytes. The nonce only when they are the bytes that it
  // was used for: two texts under one nonce would give both away. Else a new one.
  static CryptProgress take_up(const PutOptions& options);
  [[nodiscard]] std::string text(const PutOptions& options, const std::string& progress_below) const;
};

}  // namespace shoebox
