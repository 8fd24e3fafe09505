// Makes the remote that a [[remote]] of the settings describes. The only place that knows all kinds.
#pragma once

#include <memory>

#include "store/base/result.h"
#include "sync/remote/crypt_keys.h"
#include "sync/remote/crypt_scratch.h"
#include "sync/remote/remote.h"

namespace shoebox {

struct RemoteSettings;
class TransferLoop;

struct RemoteOptions {
  // The catalog knows copies on this remote: a folder that looks new is then not mounted, and is
  // reported as unavailable instead of being filled again.
  bool used_before = false;
  // A folder that looks new is not made a remote either; check() says kNotFound of it.
  bool only_look = false;
  // Shared by all remotes that speak HTTP, so that one thread moves all bytes; null: one of its own.
  std::shared_ptr<TransferLoop> loop = nullptr;
  // Encrypted remotes: keys that are known already (else read from where the settings say), and where
  // encrypted copies stand while they are sent.
  std::shared_ptr<const CryptKeys> crypt_keys = nullptr;
  CryptScratch scratch = {};
};

// Refuses settings that cannot work, with what to write instead. Does no I/O on the remote; call
// check() for that. Credentials are read when the first request needs them.
Result<std::unique_ptr<Remote>> make_remote(const RemoteSettings& settings, RemoteOptions options = {});

}  // namespace shoebox
