// Where the passphrase of an encrypted remote, and its salt, come from: a file of its own (0600), a
// command, or somebody at the terminal. Never stored, logged or put into a message.
//
// Threads: any. A command runs for 15 s at most.
#pragma once

#include <memory>
#include <string>

#include "store/base/result.h"
#include "sync/remote/crypt_keys.h"

namespace shoebox {

struct RemoteSettings;

// Whether the settings name a place to read it from.
[[nodiscard]] bool has_passphrase_source(const RemoteSettings& settings);
// Keys from what the settings name. kUnauthorized: it cannot be read, with what to do.
Result<std::shared_ptr<const CryptKeys>> read_crypt_keys(const RemoteSettings& settings);
// The same with a passphrase that somebody typed; the salt as the settings say.
Result<std::shared_ptr<const CryptKeys>> crypt_keys_of(const RemoteSettings& settings,
                                                       const SecretText& passphrase);
// Asks on the terminal behind stdin, without echo. REQUIRES: stdin is a terminal.
Result<SecretText> ask_passphrase(const std::string& question);

}  // namespace shoebox
