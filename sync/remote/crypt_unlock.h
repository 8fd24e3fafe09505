// What a command asks of an encrypted remote before the library is served: its keys, and whether they are
// the right ones, without writing anything there.
#pragma once

#include <chrono>
#include <memory>

#include "store/base/clock.h"
#include "store/base/result.h"
#include "sync/remote/crypt_keys.h"

namespace shoebox {

struct RemoteSettings;

// kUnauthorized: it is the wrong passphrase. kNotFound: nothing was encrypted there yet. Anything else:
// the remote could not be asked.
Status try_crypt_keys(const RemoteSettings& settings, const std::shared_ptr<const CryptKeys>& keys,
                      Clock::Steady deadline);

struct UnlockedRemote {
  std::shared_ptr<const CryptKeys> keys;  // null: no passphrase; shared with the remote that is made next
  Status trouble;                         // not ok: no passphrase, or a wrong one
};

// Reads the passphrase from where the settings say, or else asks for it when stdin is a terminal: three
// times at most, and twice for a remote where no passphrase has proven right yet. Waits for the remote until
// `patience` has passed. REQUIRES: settings.crypt. Main thread; leaves no thread behind.
UnlockedRemote unlock_remote(const RemoteSettings& settings, std::chrono::seconds patience);

// Keys for a drive that goes on with these settings, `in_use` (null: none yet) having been its keys until
// now. Not ok, with the remote and where its passphrase comes from: it cannot be read, or is wrong, or is
// another one and the remote cannot be asked. Where the settings name no source those in use stay. REQUIRES:
// settings.crypt.
Result<std::shared_ptr<const CryptKeys>> renewed_keys(const RemoteSettings& settings,
                                                      const std::shared_ptr<const CryptKeys>& in_use,
                                                      std::chrono::seconds patience);

}  // namespace shoebox
