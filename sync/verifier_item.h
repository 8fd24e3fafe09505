// The inside of Verifier, shared by its .cpp files.
#pragma once

#include "sync/verifier.h"

namespace shoebox {

// What came wrong is read again before it counts as wrong: a line may flip a bit too.
inline constexpr int kVerifyReads = 2;

struct Verifier::Item {
  ContentNo content;
  bool adopted = false;  // nobody read it whole yet: its hashes are recorded now
  ContentHash sha256;
  uint64_t size = 0;
  Remote* remote = nullptr;
  RemoteCopy copy;
};

}  // namespace shoebox
